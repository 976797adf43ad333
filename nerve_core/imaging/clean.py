"""Grey scans out of coloured frames: tints removed, coloured screen marks painted over, photographs refused.

Chroma is judged in YCrCb against the frame's own tone curve: the median chroma at each brightness. A
tinted B-mode map (sepia, blue) lies on that curve whatever its tint; marks, colour flow and the
colours of a photograph do not.
"""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.errors import RefusedScan

COLOURED = 22
"""Chroma distance from the tone curve (Cr and Cb levels, city block) that is a colour, not JPEG noise."""
MAX_COLOURED_SHARE = 0.10
"""Share of coloured pixels among the textured ones above which the frame is no grey scan."""
INPAINT_RADIUS = 3
_BINS = 32

PHOTOGRAPH = (
    "This looks like a colour photograph or a colour-flow image, not a grey B-mode ultrasound scan; "
    "upload the grey scan exported from the machine."
)


def to_grey(rgb: np.ndarray) -> np.ndarray:
    """Grey frame with coloured screen marks painted over from their surroundings.

    Args:
        rgb: uint8 (H, W, 3).

    Returns:
        uint8 (H, W).

    Raises:
        RefusedScan: when too much of the picture is coloured: a photograph or colour Doppler.
    """
    red, green, blue = cv2.split(rgb)
    spread = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    if int(spread.max()) <= COLOURED // 2:
        return green if not spread.any() else cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    grey, marks = _coloured(rgb)
    texture = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 3
    textured = max(int(texture.sum()), 1)
    if np.count_nonzero(marks.view(bool) & texture) > MAX_COLOURED_SHARE * textured:
        raise RefusedScan(PHOTOGRAPH)
    if not marks.any():
        return grey
    return cv2.inpaint(grey, cv2.dilate(marks, np.ones((5, 5), np.uint8)), INPAINT_RADIUS, cv2.INPAINT_TELEA)


def _coloured(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luma and the pixels off the tone curve, both uint8 (H, W), the latter 0 or 1."""
    luma, *chroma = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
    level = luma.ravel() // (256 // _BINS)
    distance = np.zeros(luma.shape, np.int16)
    for channel in chroma:
        counts = np.bincount(level.astype(np.int32) * 256 + channel.ravel(), minlength=_BINS * 256)
        cumulated = counts.reshape(_BINS, 256).cumsum(axis=1)
        curve = (cumulated * 2 >= cumulated[:, -1:]).argmax(axis=1).astype(np.int16)
        distance += np.abs(channel.astype(np.int16) - curve[level].reshape(luma.shape))
    return luma, (distance > COLOURED).astype(np.uint8)
