"""Texture above the cut-off stays where it was, keeps its power, and what is coarser moves."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from nerve_core.data.pathology.texture import CUTOFF, keep_texture, match_spread, scale

SIDE = 192


def grain(seed: int, sigma: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(np.float32)
    return 100 + 40 * cv2.GaussianBlur(noise, (0, 0), sigma)


def here() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return x, y


def power(picture: np.ndarray) -> np.ndarray:
    """Mean spectrum power in eight rings of frequency up to 0.4 cycles a px."""
    inner = picture[16:-16, 16:-16]
    found = np.abs(np.fft.fft2(inner - inner.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side) for side in inner.shape]))
    edges = np.linspace(0.02, 0.4, 9)
    return np.array([found[(frequency >= a) & (frequency < b)].mean() for a, b in pairwise(edges)])


NOWHERE = np.zeros((SIDE, SIDE), bool)


def test_nothing_moved_is_nothing_changed() -> None:
    picture = grain(0)
    np.testing.assert_allclose(keep_texture(picture, picture, *here(), NOWHERE, 256), picture, atol=0.01)


def test_stretched_tissue_keeps_the_grain_it_had() -> None:
    before = grain(1)
    x, y = here()
    x, y = 96 + (x - 96) / 1.4, 96 + (y - 96) / 1.4  # twice the area
    moved = cv2.remap(before, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101)
    kept = keep_texture(moved, before, x, y, NOWHERE, 256)
    assert power(moved)[-1] < 0.6 * power(before)[-1]  # what plain warping does
    np.testing.assert_allclose(power(kept)[4:], power(before)[4:], rtol=0.15)


@pytest.mark.parametrize("longest", [256, 640])
def test_coarse_moves_and_fine_stays(longest: int) -> None:
    x, y = here()
    wave = {
        name: 20 * np.sin(2 * np.pi * x * share * CUTOFF / scale(longest)).astype(np.float32)
        for name, share in (("coarse", 0.4), ("fine", 2.2))
    }
    before = wave["coarse"] + wave["fine"]
    shift = 11.0
    moved = np.roll(before, 11, axis=1)
    kept = keep_texture(moved, before, x - shift, y, NOWHERE, longest)
    wanted = np.roll(wave["coarse"], 11, axis=1) + wave["fine"]
    middle = (slice(40, -40), slice(40, -40))
    assert np.abs(kept - wanted)[middle].max() < 2.5


def test_the_spread_of_values_is_carried_over() -> None:
    near = np.ones((SIDE, SIDE), bool)
    skewed = np.random.default_rng(3).exponential(10, (SIDE, SIDE)).astype(np.float32) - 10
    plain = np.random.default_rng(4).normal(0, 10, (SIDE, SIDE)).astype(np.float32)

    def skew(values: np.ndarray) -> float:
        return float(((values - values.mean()) ** 3).mean() / values.std() ** 3)

    assert abs(skew(plain)) < 0.1
    assert skew(match_spread(plain, skewed, near)) > 0.5 * skew(skewed)
