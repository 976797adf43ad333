"""Give a warped and painted piece of a scan back the fine texture of the tissue it was made from.

Resampling blurs, stretching coarsens the speckle grain, painting levels it: each would betray the
change. So the finest bands of the result, split by size and direction, are brought to the local power
they had in the untouched scan (texture matching after Heeger and Bergen 1995, doi
10.1145/218380.218446, here locally): what is there is amplified, what is missing is filled in with noise
of the same band.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

MOST_GAIN = 2.5
"""A band is amplified up to this much before it is filled in."""

SHARE_OF_COARSEST = np.float32(0.6)
"""The coarsest band holds fascicles as well: it is brought only this far towards its former power."""

ROUNDING = 1 / 12
"""Power of the noise that rounding to whole grey levels adds (grey levels squared)."""

FINEST = (np.array([-1, 4, 10, 4, -1], np.float32) / 16).reshape(-1, 1)
"""Low-pass 1 - (1 - b)^2 of the binomial b = (1, 2, 1) / 4: takes off only what lies next to the pixel grid,
which is what resampling loses first."""


def band_levels(shape: tuple[int, ...]) -> int:
    """Octaves that count as fine texture: 4 for a scan of 256 px, one more each time the size doubles."""
    return int(np.clip(round(np.log2(max(shape) / 256)), -1, 2)) + 4


@lru_cache
def _rounding_power(levels: int) -> tuple[float, ...]:
    """Power that rounding noise has in each band."""
    point = np.zeros((129, 129), np.float32)
    point[64, 64] = 1
    return tuple(ROUNDING * float((band * band).sum()) for band in split_bands(point, levels)[0])


def split_bands(image: np.ndarray, levels: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Sideways, downward and diagonal detail of each octave, finest first, and the rest; they sum to it."""
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
    near: np.ndarray,
    free: np.ndarray,
    levels: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Give ``result`` the fine texture of ``before``.

    Args:
        result: float32 (h, w), the window after warp and paint.
        before: float32 (h, w), the same window of the scan before.
        x, y: float32 (h, w), the place in the window from which each pixel's tissue comes.
        near: bool (h, w), the nerve and its immediate surroundings.
        free: float32 (h, w) in 0..1, where paint is meant to change the contrast of the two coarsest octaves
            (fascicles, a bright rim), which are then left as painted.
        levels: octaves treated, from :func:`band_levels`.
        rng: source of the missing texture.
    """
    made, rest = split_bands(result, levels)
    had, _ = split_bands(before, levels)
    high, wide = result.shape
    noise = _rounding_power(levels)
    fresh, _ = split_bands(rng.standard_normal((high, wide), np.float32), levels)
    out = rest
    for level in range(levels):
        # Local power varies slowly: it is worked out on a coarser grid.
        coarse = 2 ** max(level, 1)
        size = (max(wide // coarse, 1), max(high // coarse, 1))
        ratio = (np.float32(size[0] / wide), np.float32(size[1] / high))
        sx = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) + 0.5) * ratio[0] - 0.5
        sy = (cv2.resize(y, size, interpolation=cv2.INTER_AREA) + 0.5) * ratio[1] - 0.5
        share = SHARE_OF_COARSEST if level == levels - 1 else np.float32(1)
        held = 1 - cv2.resize(free, size, interpolation=cv2.INTER_AREA)
        if level >= levels - 2:
            share = share * held
        # A painted-over pattern must not be amplified back; its texture is filled in instead.
        most = 1 + np.float32(MOST_GAIN - 1) * held
        for k in range(3 * level, 3 * level + 3):
            band, old = made[k], had[k]
            there = np.maximum(_power(old, size) - noise[k], 1e-4)
            wanted = cv2.remap(there, sx, sy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            got = _power(band, size) + np.float32(1e-4)
            wanted = got + share * (wanted - got)
            kept = np.minimum(np.sqrt(wanted / got), most)
            lack = np.sqrt(np.maximum(wanted - got * kept * kept, 0) / np.float32(noise[k] / ROUNDING))
            out = out + cv2.resize(kept, (wide, high)) * band
            if float(lack.max()) > 0.02:
                out += cv2.resize(lack, (wide, high)) * fresh[k]
    fine = out - rest
    return rest + match_spread(fine, sum(had), near)


def match_spread(fine: np.ndarray, former: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Bend ``fine`` texture so that its values near the nerve are spread as the ``former`` ones were.

    Speckle has more bright points than dark ones, or the reverse, depending on the machine; sums of
    textures lose that. Only the shape of the distribution is carried over, the local strength stays.
    """
    if near.sum() < 64:
        return fine
    side = 9
    strength, past = (
        np.sqrt(np.maximum(cv2.blur(f * f, (side, side)), 0)) + np.float32(0.5) for f in (fine, former)
    )
    unit, model = fine / strength, former[near] / past[near]
    marks = np.linspace(0.5, 99.5, 45)
    have, want = np.percentile(unit[near], marks), np.percentile(model, marks)
    have, want = np.maximum.accumulate(have) + 1e-4 * np.arange(45), np.maximum.accumulate(want)
    beyond = np.minimum(unit - have[0], 0) + np.maximum(unit - have[-1], 0)
    bent = np.interp(unit, have, want) + beyond
    edge = cv2.GaussianBlur(near.astype(np.float32), (0, 0), 2)
    return fine + edge * strength * (bent - unit).astype(np.float32)


def _power(band: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Local mean square of a band on a grid of ``size`` (width, height), over about five of its cells."""
    return np.maximum(cv2.blur(cv2.resize(band * band, size, interpolation=cv2.INTER_AREA), (5, 5)), 0)
