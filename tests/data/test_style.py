"""Fourier amplitudes of one scan, phases of the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.data.style import fourier_style


def noise(seed: int, low: int = 0, high: int = 255, shape: tuple[int, int] = (48, 64)) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, shape, dtype=np.uint8)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0, 0.02))
def test_a_band_of_nothing_is_the_identity(seed: int, band: float) -> None:
    image = noise(seed)
    assert np.array_equal(fourier_style(image, noise(seed + 1), band), image)
    assert np.array_equal(fourier_style(image, noise(seed + 1), 0.2, 0), image)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0, 0.5), st.floats(0, 1))
def test_its_own_look_changes_nothing(seed: int, band: float, share: float) -> None:
    image = noise(seed)
    assert np.abs(fourier_style(image, image, band, share).astype(int) - image).max() <= 1


def test_low_frequencies_are_the_other_scans_and_high_ones_stay() -> None:
    image, other = noise(0, 60, 120), noise(1, 100, 200, (96, 128))
    mixed = fourier_style(image, other, 4 / 48)
    own, new = (np.fft.fft2(part.astype(float)) for part in (image, mixed))
    assert mixed.mean() == pytest.approx(other.mean(), abs=2)
    assert np.abs(new[10:20, 10:20] - own[10:20, 10:20]).max() < 0.1 * np.abs(own[10:20, 10:20]).max()
    low = np.angle(new[0, 1:5] / own[0, 1:5])
    assert np.abs(low).max() < 0.1
