"""Regions by grey level: one global threshold, Otsu's, and a threshold that follows the surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.filters import threshold_multiotsu

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.regions import parts
from nerve_core.evaluation.classical.view import View, opened, smooth


@dataclass(frozen=True)
class GlobalThreshold:
    """Settings of one threshold for the whole picture.

    Attributes:
        sigma: Gaussian filter before, px.
        level: threshold, as a share of the way from the 1st to the 99th percentile of the grey levels.
        side: ``dark`` takes what lies below it, ``bright`` what lies above.
        opening: radius of the opening that cuts bridges, share of the picture's side.
    """

    sigma: float = 2.0
    level: float = 0.3
    side: str = "dark"
    opening: float = 0.015


@dataclass(frozen=True)
class Otsu:
    """Settings of Otsu's thresholds, which part the grey levels into ``classes``; each class is proposed."""

    sigma: float = 2.0
    classes: int = 3
    opening: float = 0.015


@dataclass(frozen=True)
class AdaptiveThreshold:
    """Settings of a threshold that follows the surroundings.

    Attributes:
        sigma: Gaussian filter before, px.
        window: spread of the Gaussian surroundings, share of the picture's side.
        offset: how far a pixel must lie from its surroundings, in standard deviations of the picture.
        side: ``dark`` takes what is darker, ``bright`` what is brighter.
        opening: as for :class:`GlobalThreshold`.
    """

    sigma: float = 2.0
    window: float = 0.1
    offset: float = 0.1
    side: str = "dark"
    opening: float = 0.015


def global_threshold(view: View, prior: Prior, how: GlobalThreshold) -> list[np.ndarray]:
    """Parts of the picture darker, or brighter, than one level."""
    calm = smooth(view.grey, how.sigma)
    low, high = np.percentile(calm, (1, 99))
    level = low + how.level * (high - low)
    binary = (calm < level) if how.side == "dark" else (calm > level)
    return parts(opened(binary.astype(np.uint8), view, how.opening), prior.least(view))


def otsu(view: View, prior: Prior, how: Otsu) -> list[np.ndarray]:
    """Parts of every class of grey levels (Otsu 1979; Liao et al. 2001 for more than two classes)."""
    calm = np.clip(smooth(view.grey, how.sigma), 0, 255).astype(np.uint8)
    if len(np.unique(calm)) <= how.classes:
        return []  # a blank picture has no classes to part
    classes = np.digitize(calm, threshold_multiotsu(calm, classes=how.classes))
    found: list[np.ndarray] = []
    for number in range(how.classes):
        binary = (classes == number).astype(np.uint8)
        found += parts(opened(binary, view, how.opening), prior.least(view))
    return found


def adaptive_threshold(view: View, prior: Prior, how: AdaptiveThreshold) -> list[np.ndarray]:
    """Parts that differ from their Gaussian surroundings, as ``cv2.adaptiveThreshold`` finds them."""
    calm = smooth(view.level, how.sigma)
    around = cv2.GaussianBlur(calm, (0, 0), how.window * view.unit)
    difference = around - calm if how.side == "dark" else calm - around
    binary = (difference > how.offset).astype(np.uint8)
    return parts(opened(binary, view, how.opening), prior.least(view))
