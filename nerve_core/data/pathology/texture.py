"""Give a warped and painted piece of a scan back the fine texture of the tissue it was made from.

Resampling blurs, stretching coarsens the speckle grain, painting levels it: each would betray the
change. So the finest bands of the result, split by size and direction, are brought to the local power
they had in the untouched scan (texture matching after Heeger and Bergen 1995, doi
10.1145/218380.218446, here locally): what is there is amplified, what is missing is filled in with the
band of the same scan at the same depth.
"""

from __future__ import annotations

import cv2
import numpy as np

MOST_GAIN = 1.8
"""A band is amplified up to this much before it is filled in."""


FINEST = (np.array([-1, 4, 10, 4, -1], np.float32) / 16).reshape(-1, 1)
"""Low-pass 1 - (1 - b)^2 of the binomial b = (1, 2, 1) / 4: takes off only what lies next to the pixel grid,
which is what resampling loses first."""


def band_levels(shape: tuple[int, ...]) -> int:
    """Octaves that count as fine texture: 3 for a scan of 256 px, one more each time the size doubles."""
    return int(np.clip(round(np.log2(max(shape) / 256)), -1, 2)) + 3


def split_bands(image: np.ndarray, levels: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Bands (sideways, downward, diagonal detail an octave, finest first) and the rest; they add up to the image."""
    out: list[np.ndarray] = []
    rest = image
    for level in range(levels):
        if level == 0:
            across, down = cv2.filter2D(rest, -1, FINEST.T), cv2.filter2D(rest, -1, FINEST)
            low = cv2.filter2D(across, -1, FINEST)
        else:
            sigma = 0.375 * 2**level
            side = 2 * int(np.ceil(2.5 * sigma)) + 1
            across, down = cv2.GaussianBlur(rest, (side, 1), sigma), cv2.GaussianBlur(rest, (1, side), sigma)
            low = cv2.GaussianBlur(across, (1, side), sigma)
        out += [down - low, across - low, rest - across - down + low]
        rest = low
    return out, rest


def match_texture(
    result: np.ndarray,
    before: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    levels: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Give ``result`` the fine texture of ``before``.

    Args:
        result: float32 (h, w), the window after warp and paint.
        before: float32 (h, w), the same window of the scan before.
        x, y: float32 (h, w), the place in the window from which each pixel's tissue comes.
        levels: octaves treated, from :func:`band_levels`.
        rng: chooses where missing texture is taken from.
    """
    made, rest = split_bands(result, levels)
    had, _ = split_bands(before, levels)
    high, wide = result.shape
    shift = int(rng.integers(wide))
    mirrored = (wide - 1 - np.arange(wide) + shift) % wide
    out = rest
    for level in range(levels):
        # Local power varies slowly: it is worked out on a coarser grid.
        coarse = 2 ** max(level, 1)
        size = (max(wide // coarse, 1), max(high // coarse, 1))
        sx = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) + np.float32(0.5)) * np.float32(size[0] / wide) - np.float32(0.5)
        sy = (cv2.resize(y, size, interpolation=cv2.INTER_AREA) + np.float32(0.5)) * np.float32(size[1] / high) - np.float32(0.5)
        for band, old in zip(made[3 * level : 3 * level + 3], had[3 * level : 3 * level + 3], strict=True):
            there = _power(old, size)
            wanted = cv2.remap(there, sx, sy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) + np.float32(0.02)
            got = _power(band, size) + np.float32(0.02)
            kept = np.minimum(np.sqrt(wanted / got), np.float32(MOST_GAIN))
            other = np.ascontiguousarray(old[:, mirrored])
            lack = np.sqrt(np.maximum(wanted - got * kept * kept, 0) / (_power(other, size) + np.float32(0.1)))
            out = out + cv2.resize(kept, (wide, high)) * band
            if float(lack.max()) > 0.02:
                out += cv2.resize(lack, (wide, high)) * other
    return out


def _power(band: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Local mean square of a band on a grid of ``size`` (width, height), over about five of its cells."""
    return np.maximum(cv2.blur(cv2.resize(band * band, size, interpolation=cv2.INTER_AREA), (5, 5)), 0)
