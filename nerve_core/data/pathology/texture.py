"""Keep the fine texture of a scan in its place while the tissue under it is moved.

Speckle belongs to the machine, not to the tissue. Warped along with the tissue it would be blurred by the
resampling and coarser or finer than its surroundings, and tell that the picture was worked on. So only what
is coarser than speckle moves: above a cut-off the spectrum is that of the scan as it was. Where the two no
longer belong together they add in power, not in amplitude, so their weights are square roots.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import fft

CUTOFF = 0.16
"""Cycles a px, in a scan of 256 px, above which texture stays in its place: a wavelength of two grains."""

STEEPNESS = 4
"""Order of the Butterworth filter that parts the two: steep, so that no faint copy of an outline stays."""

REFERENCE = 256
"""Longest side (px) of the scan that ``CUTOFF`` holds for; in a larger one grain is larger in px."""


SOFT = 0.7
"""Standard deviation (px, in a scan of ``REFERENCE`` px) by which changes of the echo are softened."""


def scale(longest: int) -> float:
    """Size of a scan's grain in px over that in a scan of ``REFERENCE`` px; small scans are as they are."""
    return max(longest / REFERENCE, 1.0)


def softness(longest: int) -> float:
    """Standard deviation in px of the softening of painted changes."""
    return SOFT * scale(longest)


def keep_texture(
    moved: np.ndarray, before: np.ndarray, x: np.ndarray, y: np.ndarray, near: np.ndarray, longest: int
) -> np.ndarray:
    """The coarse part of ``moved`` under the fine part of ``before``.

    Args:
        moved: float32 (h, w), the window with its tissue moved.
        before: float32 (h, w), the same window of the scan as it was.
        x, y: float32 (h, w), the place in the window from which each pixel's tissue comes.
        near: bool (h, w), the nerve and its immediate surroundings.
        longest: longest side of the whole scan, px.
    """
    high, wide = moved.shape
    cutoff = CUTOFF / scale(longest)
    margin = int(np.ceil(2 / cutoff))
    size = tuple(fft.next_fast_len(side + 2 * margin, real=True) for side in (high, wide))
    frequency = np.fft.fftfreq(size[0])[:, None] ** 2 + np.fft.rfftfreq(size[1])[None] ** 2
    coarse = (1 / (1 + (frequency / cutoff**2) ** STEEPNESS)).astype(np.float32)

    def spectrum(picture: np.ndarray) -> np.ndarray:
        below, right = size[0] - high - margin, size[1] - wide - margin
        return fft.rfft2(cv2.copyMakeBorder(picture, margin, below, margin, right, cv2.BORDER_REFLECT_101))

    def picture(spectrum: np.ndarray) -> np.ndarray:
        return fft.irfft2(spectrum, s=size)[margin : margin + high, margin : margin + wide]

    new, old = spectrum(moved), spectrum(before)
    related = picture(coarse * new + (1 - coarse) * old)
    unrelated = picture(np.sqrt(coarse) * new + np.sqrt(1 - coarse) * old)
    row, column = np.mgrid[:high, :wide].astype(np.float32)
    # Moved by a quarter of a wavelength or more, what meets at the cut-off is no longer related.
    apart = np.clip(np.hypot(x - column, y - row) * np.float32(4 * cutoff), 0, 1)
    apart = apart * apart * (3 - 2 * apart)
    mixed = (related + apart * (unrelated - related)).astype(np.float32)
    spread = 0.5 / cutoff
    rest, former = cv2.GaussianBlur(mixed, (0, 0), spread), cv2.GaussianBlur(before, (0, 0), spread)
    return rest + match_spread(mixed - rest, before - former, near)


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
