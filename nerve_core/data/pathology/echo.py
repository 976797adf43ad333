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


def region_of(
    mask: np.ndarray, structure: np.ndarray, x: np.ndarray, y: np.ndarray, grain: float, thickness: float
) -> Region:
    """Soft edge and signed distance of a 0/255 mask (h, w) whose pixels lie at (x, y).

    A drawn contour is a polygon a little off the tissue's own border; a filter guided by the structure
    (He 2013) draws the soft edge to the border that can be seen. ``thickness`` is half the nerve's, px.
    """
    inside = (mask > 127).astype(np.uint8)
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3) - cv2.distanceTransform(
        inside, cv2.DIST_L2, 3
    )
    distance = cv2.GaussianBlur(distance, (0, 0), max(1.0, grain))
    edge = np.clip(0.5 - distance / np.float32(max(2.5 * grain, 0.3 * thickness, 2.5)), 0, 1)
    edge = edge * edge * (3 - 2 * edge)
    side = 2 * max(round(0.25 * thickness), 1) + 1
    size = (side, side)
    mean, mean_edge = cv2.blur(structure, size), cv2.blur(edge, size)
    variance = np.maximum(cv2.blur(structure * structure, size) - mean * mean, 0)
    slope = (cv2.blur(structure * edge, size) - mean * mean_edge) / (variance + 60)
    soft = cv2.blur(slope, size) * structure + cv2.blur(mean_edge - slope * mean, size)
    return Region(np.clip(soft, 0, 1), distance, x, y)


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


def rim(
    ellipse: Ellipse, width: float, rise: float, start: float, extent: float, grain: float, seed: int
) -> Paint:
    """Brighten a band ``width`` px wide on the outline by up to ``rise`` grey levels.

    It spans ``extent`` radians from ``start`` and fades at both ends. As in a real scan it is brightest
    where it faces the probe, weak on the flanks, patchy, and strongest where there is echo already.
    """

    def paint(structure: np.ndarray, region: Region) -> np.ndarray:
        rng = np.random.default_rng(seed)
        patches = cv2.GaussianBlur(rng.standard_normal(structure.shape, np.float32), (0, 0), 2.5 * grain)
        patches /= max(float(patches.std()), 1e-6)
        slow = cv2.GaussianBlur(
            rng.standard_normal(structure.shape, np.float32), (0, 0), max(0.5 * ellipse.b, 2.0)
        )
        slow /= max(float(slow.std()), 1e-6)
        u, v = ellipse.local(region.x, region.y)
        local = np.float32(0.6 * width) * np.exp(np.float32(0.3) * slow)
        off = region.distance - np.float32(0.25 * width) * (1 + np.float32(0.5) * slow)
        band = np.exp(-0.5 * (off / local) ** 2)
        facing = np.abs(cv2.Sobel(region.distance, cv2.CV_32F, 0, 1, scale=0.125))
        band = band * (np.float32(0.4) + np.float32(0.6) * np.minimum(facing, 1))
        if extent < 2 * np.pi - 1e-3:
            turn = np.mod(np.arctan2(v / np.float32(ellipse.b), u / np.float32(ellipse.a)) - start, 2 * np.pi)
            ease = np.clip(np.minimum(turn, extent - turn) / 0.7, 0, 1).astype(np.float32)
            band = band * ease * ease * (3 - 2 * ease)
        echo = np.clip(structure / max(float(structure.mean()), 1.0), 0.5, 1.5)
        lifted = structure + np.float32(rise) * band * echo * np.clip(1 + np.float32(0.35) * patches, 0.1, 2)
        # Easing into white keeps the grain on it from being clipped; what was brighter stays as it is.
        eased = np.where(lifted > 190, 190 + 50 * np.tanh((lifted - 190) / 50), lifted)
        return np.maximum(structure, eased)

    return paint
