"""Give a warped and painted piece of a scan back the fine texture of the tissue it was made from.

Resampling blurs, stretching coarsens the speckle grain, painting levels it: each would betray the
change. So the finest bands of the result, split by size and direction, are brought to the local power
they had in the untouched scan (texture matching after Heeger and Bergen 1995, doi
10.1145/218380.218446, here locally): what is there is amplified, what is missing is filled in with the
band of the same scan at the same depth.
"""

from __future__ import annotations

from collections.abc import Callable

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


def power(band: np.ndarray, level: int) -> np.ndarray:
    """Local power of a band: its mean square over a few of its own grains."""
    side = 2 * int(round(2 * 2**level)) + 5
    return np.maximum(cv2.blur(band * band, (side, side)), 0)


def match_texture(
    result: np.ndarray,
    before: np.ndarray,
    carry: Callable[[np.ndarray], np.ndarray],
    gain: np.ndarray | float,
    levels: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Give ``result`` (float32 (h, w)) the fine texture of ``before``.

    Args:
        result: the window after warp and paint.
        before: the same window of the scan before.
        carry: the warp, which takes a map of ``before`` to the place its tissue has in ``result``.
        gain: factor on the texture's strength where the echo was changed.
        levels: octaves treated, from :func:`band_levels`.
        rng: chooses where missing texture is taken from.
    """
    made, rest = split_bands(result, levels)
    had, _ = split_bands(before, levels)
    shift = int(rng.integers(result.shape[1]))
    out = rest
    for k, (band, old) in enumerate(zip(made, had, strict=True)):
        level = k // 3
        wanted = carry(power(old, level)) * np.float32(gain) ** 2
        got = power(band, level)
        factor = np.sqrt((wanted + 0.02) / (got + 0.02))
        kept = np.clip(factor, 0, MOST_GAIN)
        lack = np.sqrt(np.maximum(wanted - got * kept * kept, 0))
        other = np.roll(old[:, ::-1], shift, axis=1)
        other = other / np.sqrt(power(other, level) + 0.1)
        out = out + kept * band + lack * other
    return out
