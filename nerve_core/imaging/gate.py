"""Quality gate: whether a scan can be judged at all. It refuses only what no reader would try to read.

Whether the picture is an ultrasound of a nerve is another question; the weights answer it themselves
(:mod:`nerve_core.inference.scope`).
"""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.imaging.scan import Scan

MIN_REGION_SIDE = 48
"""Shortest side of the ultrasound region, px."""
MIN_BRIGHT = 24
"""Grey level that the brightest hundredth of the region must reach."""
SATURATED = 250
"""Grey level from which a pixel counts as saturated."""
MAX_SATURATED_SHARE = 0.6
MIN_TEXTURED_SHARE = 0.04
"""Share of the region that must differ from its neighbours by more than ``TEXTURE_STEP``."""
TEXTURE_STEP = 2
"""Grey levels between a pixel's brightest and darkest neighbour that are still flat."""

SIDE = 256
"""Longer side to which the region is reduced before blur and shadow are measured, px."""
MIN_SHARPNESS = 0.045
"""Least fine detail, as of :func:`sharpness`; of 1 498 real training scans the least has 0.117, of 600
simulated ones 0.055."""
FINE = 2.0
"""Standard deviation, px, of the blur that takes fine detail away."""
MAX_SHADOW = 0.7
"""Largest share of columns in shadow, as of :func:`shadow`; training scans reach 0.61."""
SHADOWED = 14
"""Grey level up to which tissue counts as shadowed."""
MIDDLE = (0.15, 0.85)
"""Columns asked for shadow, as shares of the width: the corners of a curved probe's view are black."""
DEPTHS = (0.12, 0.85)
"""Rows asked for shadow, as shares of the height: below the skin, above the depth where every scan fades."""


def check_quality(scan: Scan) -> str | None:
    """Why the scan cannot be assessed, in one sentence for the user, or None when it can."""
    top, left, bottom, right = scan.region or (0, 0, *scan.pixels.shape)
    inside = np.ascontiguousarray(scan.pixels[top:bottom, left:right])
    height, width = inside.shape
    if min(height, width) < MIN_REGION_SIDE:
        return (
            f"The ultrasound region is only {width} × {height} px; at least {MIN_REGION_SIDE} px a side are "
            "needed, so upload the scan at its original size."
        )
    if np.percentile(inside, 99) < MIN_BRIGHT:
        return "The scan is too dark to be read; raise the gain or the contact and scan again."
    if np.count_nonzero(inside >= SATURATED) > MAX_SATURATED_SHARE * inside.size:
        return "The scan is saturated: most of it is pure white; lower the gain and scan again."
    step = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    if np.count_nonzero(step > TEXTURE_STEP) < MIN_TEXTURED_SHARE * inside.size:
        return "The picture has practically no texture, so no tissue; upload a B-mode ultrasound scan."
    reduced = _reduced(inside)
    if sharpness(reduced) < MIN_SHARPNESS:
        return (
            "The picture is too blurred to show a nerve; set the focus to the depth of the nerve, hold the "
            "probe still, and export the frame at its original size."
        )
    if shadow(reduced) > MAX_SHADOW:
        return (
            "A shadow covers most of the picture, so a nerve could not be seen; use more gel, keep the whole "
            "probe on the skin, move off the bone, and scan again."
        )
    return None


def sharpness(grey: np.ndarray) -> float:
    """Mean detail finer than ``FINE`` px over the standard deviation of the grey levels, 0 or more.

    Args:
        grey: uint8 (H, W), the ultrasound region at ``SIDE``.
    """
    values = grey.astype(np.float32)
    fine = cv2.absdiff(values, cv2.GaussianBlur(values, (0, 0), FINE))
    return float(fine.mean() / max(float(cv2.meanStdDev(values)[1].item()), 4.0))


def shadow(grey: np.ndarray) -> float:
    """Share of the middle columns that stay dark from below the skin down, 0 to 1.

    A column may be lit at one of eight depths (gel, a bone's surface) and still be in shadow.

    Args:
        grey: uint8 (H, W), the ultrasound region at ``SIDE``.
    """
    height, width = grey.shape
    tissue = grey[int(DEPTHS[0] * height) : int(DEPTHS[1] * height)]
    cells = cv2.resize(tissue, (max(8, width // 8), 8), interpolation=cv2.INTER_AREA)
    dark = np.count_nonzero(cells > SHADOWED, axis=0) <= 1
    return float(dark[int(MIDDLE[0] * len(dark)) : int(MIDDLE[1] * len(dark))].mean())


def _reduced(inside: np.ndarray) -> np.ndarray:
    """The region with its longer side at most ``SIDE``."""
    scale = SIDE / max(inside.shape)
    if scale >= 1:
        return inside
    return cv2.resize(inside, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
