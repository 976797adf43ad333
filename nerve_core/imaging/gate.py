"""Quality gate: whether a scan can be judged at all. It refuses only what no reader would try to read."""

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
    return None
