"""The observer that never looks: an ellipse of typical size at the usual place or at the click."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.view import View, smooth


@dataclass(frozen=True)
class Typical:
    """Settings of the typical ellipse: its ``size`` in typical radii of the training nerves."""

    size: float = 1.0


def typical_ellipse(view: View, prior: Prior, how: Typical) -> list[np.ndarray]:
    """One flat ellipse as large and as long as training nerves are; a floor for every method that looks."""
    radius = how.size * prior.radius(view)
    if view.click is None:
        usual = smooth(prior.places(view), radius)
        row, column = np.unravel_index(int(usual.argmax()), usual.shape)
        x, y = int(column), int(row)
    else:
        x, y = (round(value) for value in view.click)
    longer = radius * np.sqrt(prior.elongation)
    mask = np.zeros(view.grey.shape, np.uint8)
    axes = (max(1, round(longer)), max(1, round(radius**2 / longer)))
    cv2.ellipse(mask, (x, y), axes, 0, 0, 360, 1, cv2.FILLED)
    return [mask]
