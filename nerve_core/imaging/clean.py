"""Grey scans out of coloured frames: tints removed, coloured screen marks painted over, photographs refused.

Colour is distance in chroma (Cr, Cb) from the frame's own tone curve. Mostly neutral tissue has the neutral
curve; in a tinted B-mode map (sepia, blue) the curve is the median chroma at each brightness, whatever the
tint. Marks, colour flow and the colours of a photograph lie off the curve. Only textured pixels are asked:
flat ones are menus or surround, cut off later with the region. The frame as a whole is judged on smoothed
planes, in which JPEG leaves no chroma of its own: there a tinted map keeps to its curve within a few levels
and even a pale or one-coloured photograph does not.
"""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.errors import RefusedScan
from nerve_core.imaging.region import MIN_SHARE, find_region

MARK_DISTANCE = 22
"""Chroma distance (Cr and Cb levels, city block) from the tone curve that makes a pixel part of a mark."""
OFF_DISTANCE = 8
"""The same for the smoothed planes, where it makes a place coloured."""
MAX_OFF_SHARE = 0.10
"""Share of coloured places among the textured ones above which the frame is no grey scan."""
NEUTRAL_SHARE = 0.7
"""Share of the textured places that must be neutral for the frame not to be tinted."""
SMOOTHING = (7, 7)
"""Box over which the planes are smoothed, px."""
TEXTURE_STEP = 3
"""Grey levels between neighbours above which a pixel is textured."""
DARK = 32
"""Luma below which a colour does not show."""
MAX_MARK_SHARE = 0.02
"""Share of the frame above which a coloured piece is a menu or picture, not a mark to paint over."""
INPAINT_RADIUS = 3
_NEUTRAL = 128
_BINS = 32

PHOTOGRAPH = (
    "This looks like a colour photograph, not a grey B-mode ultrasound scan; upload the grey scan exported "
    "from the machine."
)
DOPPLER = (
    "This looks like a colour-flow (Doppler) image, whose colours hide the tissue; switch colour off at the "
    "machine and upload the grey B-mode scan."
)
VIVID = 60
"""Chroma distance that the colours of flow reach."""
MAX_FLOW_SHARE = 0.7
"""Share of coloured places among the textured ones up to which they may be flow on a grey scan."""
MIN_VIVID_SHARE = 0.25
"""Share of the coloured places that must be vivid for them to be flow."""
FLOW_SHARE = 0.03
"""Share of the ultrasound region from which vivid colours in it are flow; marks and rulers stay below it."""


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
    if int(spread.max()) <= OFF_DISTANCE:
        return green if not spread.any() else cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    luma = np.ascontiguousarray(ycc[..., 0])
    textured = cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > TEXTURE_STEP
    places = textured & (luma >= DARK)
    smooth = cv2.blur(ycc, SMOOTHING)
    curves = np.full((2, 256), _NEUTRAL, np.uint8)
    count = np.count_nonzero(places)
    off = np.count_nonzero(places & (_distance(smooth, curves) > OFF_DISTANCE))
    if off > (1 - NEUTRAL_SHARE) * count:
        pixels = smooth[places]
        curves = np.stack([_tone_curve(pixels[:, 0], pixels[:, channel]) for channel in (1, 2)])
        off = np.count_nonzero(places & (_distance(smooth, curves) > OFF_DISTANCE))
    if off > MAX_OFF_SHARE * count:
        raise RefusedScan(DOPPLER if _is_flow(smooth, places, count) else PHOTOGRAPH)
    distance = _distance(ycc, curves)
    if _holds_flow(distance, luma):
        raise RefusedScan(DOPPLER)
    marks = _small_pieces(distance > MARK_DISTANCE)
    if not marks.any():
        return luma
    return cv2.inpaint(luma, cv2.dilate(marks, np.ones((5, 5), np.uint8)), INPAINT_RADIUS, cv2.INPAINT_TELEA)


def _is_flow(smooth: np.ndarray, places: np.ndarray, count: int) -> bool:
    """Whether the colours of a refused picture are vivid and lie on a picture that is grey otherwise."""
    far = _distance(smooth, np.full((2, 256), _NEUTRAL, np.uint8))[places]
    off = np.count_nonzero(far > OFF_DISTANCE)
    return off <= MAX_FLOW_SHARE * count and np.count_nonzero(far > VIVID) >= MIN_VIVID_SHARE * off


def _holds_flow(distance: np.ndarray, luma: np.ndarray) -> bool:
    """Whether vivid colours cover a good part of the ultrasound region: flow may be smooth, so no texture."""
    vivid = distance > VIVID
    if np.count_nonzero(vivid) < FLOW_SHARE * MIN_SHARE * vivid.size:
        return False
    top, left, bottom, right = find_region(luma)
    return float(vivid[top:bottom, left:right].mean()) >= FLOW_SHARE


def _distance(ycc: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Chroma distance, uint8 (H, W), of (H, W, 3) pixels from the tone curves of Cr and Cb (2, 256)."""
    luma, *chroma = cv2.split(ycc)
    off = (cv2.absdiff(channel, cv2.LUT(luma, curve)) for channel, curve in zip(chroma, curves, strict=True))
    return cv2.add(*off)


def _tone_curve(luma: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Chroma to expect at each of the 256 levels of luma, uint8 (256,), from that of pixels (N,)."""
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
    curve = np.interp(np.arange(256), centres, np.where(common, medians, fitted))
    return np.rint(np.clip(curve, 0, 255)).astype(np.uint8)


def _small_pieces(coloured: np.ndarray) -> np.ndarray:
    """The connected pieces that are small enough to be marks, uint8 0 or 1 (H, W)."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(coloured.view(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= MAX_MARK_SHARE * coloured.size
    small[0] = False  # the background
    return small[pieces].view(np.uint8) if count > 1 else np.zeros(coloured.shape, np.uint8)
