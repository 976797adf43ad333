"""Local changes of the echo, made on the structure layer of the log-compressed scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.data.pathology.fields import Ellipse


@dataclass(frozen=True)
class Region:
    """The changed nerve in a window, after the warp.

    Attributes:
        soft: float32 (h, w), 1 inside the nerve, 0 outside, an edge about one grain wide.
        distance: float32 (h, w), px from the outline, negative inside.
        x, y: float32 (h, w), coordinates of the window's pixels in the scan, px.
    """

    soft: np.ndarray
    distance: np.ndarray
    x: np.ndarray
    y: np.ndarray


Paint = Callable[[np.ndarray, Region], np.ndarray]
"""Structure (h, w) in grey levels and the nerve's region -> changed structure."""


def region_of(mask: np.ndarray, x: np.ndarray, y: np.ndarray, grain: float) -> Region:
    """Soft edge and signed distance of a 0/255 mask (h, w) whose pixels lie at (x, y)."""
    inside = (mask > 127).astype(np.uint8)
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) - cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    # A drawn outline is a polygon; tissue has no corners.
    distance = cv2.GaussianBlur(distance, (0, 0), max(1.0, grain))
    edge = np.clip(0.5 - distance / np.float32(2.5 * max(grain, 1.0)), 0, 1)
    return Region(edge * edge * (3 - 2 * edge), distance, x, y)


def darken(drop: float, floor: float) -> Paint:
    """Lower the echo in the nerve by ``drop`` grey levels, easing out above ``floor``."""

    def paint(structure: np.ndarray, region: Region) -> np.ndarray:
        above = structure - np.float32(floor)
        # Far above the floor this is a plain shift, near it contrast is compressed; never below it.
        knee = np.float32(max(0.5 * drop, 4.0))
        lowered = knee * np.logaddexp(0, (above - np.float32(drop)) / knee)
        return structure + region.soft * np.minimum(lowered - above, 0)

    return paint


def fade(share: float, scale: float) -> Paint:
    """Take away ``share`` of the contrast finer than ``scale`` px inside the nerve."""

    def paint(structure: np.ndarray, region: Region) -> np.ndarray:
        weight = cv2.GaussianBlur(region.soft, (0, 0), scale)
        base = cv2.GaussianBlur(structure * region.soft, (0, 0), scale) / np.maximum(weight, 1e-3)
        return structure + np.float32(share) * region.soft * (base - structure)

    return paint


def rim(ellipse: Ellipse, width: float, rise: float, start: float, extent: float, phases: np.ndarray) -> Paint:
    """Brighten a band ``width`` px wide on the outline by up to ``rise`` grey levels.

    It spans ``extent`` radians from ``start``, fades at both ends and varies along its way.
    """

    def paint(structure: np.ndarray, region: Region) -> np.ndarray:
        u, v = ellipse.local(region.x, region.y)
        angle = np.arctan2(v / np.float32(ellipse.b), u / np.float32(ellipse.a))
        wave = sum(np.cos((k + 2) * angle + np.float32(p)) for k, p in enumerate(phases)) / np.float32(len(phases))
        local = np.float32(width) * (1 + np.float32(0.3) * wave)
        band = np.exp(-0.5 * ((region.distance - np.float32(0.3 * width)) / (np.float32(0.6) * local)) ** 2)
        if extent < 2 * np.pi - 1e-3:
            turn = np.mod(angle - np.float32(start), np.float32(2 * np.pi))
            ease = np.clip(np.minimum(turn, np.float32(extent) - turn) / np.float32(0.5), 0, 1)
            band = band * ease * ease * (3 - 2 * ease)
        lifted = structure + np.float32(rise) * band * (1 + np.float32(0.25) * wave)
        # Easing into white keeps the grain on it from being clipped.
        return np.where(lifted > 190, 190 + 50 * np.tanh((lifted - 190) / 50), lifted).astype(np.float32) if rise else structure

    return paint
