"""Grey scans out of coloured frames: tints removed, coloured screen marks painted over, photographs refused.

Colour is distance in chroma (Cr, Cb) from the frame's own tone curve. Mostly neutral tissue has the neutral
curve; in a tinted B-mode map (sepia, blue) the curve is the median chroma at each brightness, whatever the
tint. Marks, colour flow and the colours of a photograph lie off the curve. Only textured pixels are asked:
flat ones are menus or surround, cut off later with the region.
"""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.errors import RefusedScan

COLOURED = 22
"""Chroma distance (Cr and Cb levels, city block) from the tone curve that is a colour, not JPEG noise."""
MAX_COLOURED_SHARE = 0.10
"""Share of coloured pixels among the textured ones above which the frame is no grey scan."""
NEUTRAL_SHARE = 0.7
"""Share of bright enough textured pixels that must be neutral for the frame not to be tinted."""
TEXTURE_STEP = 3
"""Grey levels between neighbours above which a pixel is textured."""
DARK = 32
"""Luma below which a tint does not show."""
MAX_MARK_SHARE = 0.02
"""Share of the frame above which a coloured piece is a menu or picture, not a mark to paint over."""
INPAINT_RADIUS = 3
_NEUTRAL = 128
_BINS = 32

PHOTOGRAPH = (
    "This looks like a colour photograph or a colour-flow image, not a grey B-mode ultrasound scan; "
    "upload the grey scan exported from the machine."
)


def to_grey(rgb: np.ndarray) -> np.ndarray:
    """Grey frame with coloured screen marks painted over from their surroundings (Telea 2004).

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
    luma, red_chroma, blue_chroma = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
    textured = cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > TEXTURE_STEP
    coloured = _off_curve(luma, (red_chroma, blue_chroma), textured)
    if np.count_nonzero(coloured & textured) > MAX_COLOURED_SHARE * np.count_nonzero(textured):
        raise RefusedScan(PHOTOGRAPH)
    marks = _small_pieces(coloured)
    if not marks.any():
        return luma
    return cv2.inpaint(luma, cv2.dilate(marks, np.ones((5, 5), np.uint8)), INPAINT_RADIUS, cv2.INPAINT_TELEA)


def _off_curve(luma: np.ndarray, chroma: tuple[np.ndarray, np.ndarray], textured: np.ndarray) -> np.ndarray:
    """Pixels off the frame's tone curve, bool (H, W)."""
    coloured = (
        cv2.add(*(cv2.absdiff(channel, np.full_like(channel, _NEUTRAL)) for channel in chroma)) > COLOURED
    )
    telling = textured & (luma >= DARK)
    if np.count_nonzero(telling & ~coloured) >= NEUTRAL_SHARE * np.count_nonzero(telling):
        return coloured
    distance = np.zeros(luma.shape, np.int16)
    for channel in chroma:
        curve = np.rint(_tone_curve(luma[textured], channel[textured])).astype(np.int16)
        distance += np.abs(channel.astype(np.int16) - curve[luma])
    return distance > COLOURED


def _tone_curve(luma: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Chroma to expect at each of the 256 levels of luma, float (256,)."""
    level = luma // (256 // _BINS)
    counts = np.bincount(level.astype(np.int32) * 256 + chroma, minlength=_BINS * 256).reshape(_BINS, 256)
    totals = counts.sum(axis=1)
    medians = (counts.cumsum(axis=1) * 2 >= totals[:, None]).argmax(axis=1)
    # brightnesses that few pixels have may all belong to a mark: a parabola through the others stands in
    common = totals >= 0.01 * totals.sum()
    centres = (np.arange(_BINS) + 0.5) * (256 / _BINS)
    degree = min(2, int(common.sum()) - 1)
    fitted = np.polyval(
        np.polyfit(centres[common], medians[common], degree, w=np.sqrt(totals[common])), centres
    )
    return np.interp(np.arange(256), centres, np.where(common, medians, fitted))


def _small_pieces(coloured: np.ndarray) -> np.ndarray:
    """The connected pieces that are small enough to be marks, uint8 0 or 1 (H, W)."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(coloured.view(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= MAX_MARK_SHARE * coloured.size
    small[0] = False  # the background
    return small[pieces].view(np.uint8) if count > 1 else np.zeros(coloured.shape, np.uint8)
