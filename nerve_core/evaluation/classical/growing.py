"""Region growing from the click or from automatic seeds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.regions import filled
from nerve_core.evaluation.classical.starts import start_disc, starts, window
from nerve_core.evaluation.classical.view import View, opened, smooth

REACH = 2.0
"""How far a region may grow, in radii of its seed's blob or of the typical nerve."""


@dataclass(frozen=True)
class Growing:
    """Settings of region growing.

    Attributes:
        sigma: Gaussian filter before, px.
        tolerance: largest difference from the seed, in standard deviations of the picture.
        opening: radius of the opening that cuts leaks, share of the picture's side.
        seeds: automatic seeds, when there is no click.
    """

    sigma: float = 3.0
    tolerance: float = 1.0
    opening: float = 0.015
    seeds: int = 10


def region_growing(view: View, prior: Prior, how: Growing) -> list[np.ndarray]:
    """All that hangs together with a seed and is like it (Adams & Bischof 1994), near the seed."""
    calm = smooth(view.level, how.sigma)
    found: list[np.ndarray] = []
    for start in starts(view, prior, how.seeds):
        box = window(view, start)
        near = np.ascontiguousarray(calm[box])
        core = start_disc(start, box, 0.25)
        level = float(near[core > 0].mean())
        alike = (np.abs(near - level) <= how.tolerance).astype(np.uint8) & start_disc(start, box, REACH)
        alike = opened(alike, view, how.opening)
        _, labels = cv2.connectedComponents(alike, connectivity=4)
        touched = np.unique(labels[(core > 0) & (labels > 0)])
        if len(touched):
            whole = np.zeros(view.grey.shape, np.uint8)
            whole[box] = filled(np.isin(labels, touched))
            found.append(whole)
    return found
