"""The click map and the points that stand for a person's click."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nerve_core.imaging.click import SIGMA, click_map, random_click, thickest_point


def test_the_bump_peaks_at_the_click() -> None:
    bump = click_map(128, 40.0, 70.0)
    assert np.unravel_index(bump.argmax(), bump.shape) == (70, 40)
    assert bump.max() == 1.0
    assert np.isclose(bump[70, 40 + round(SIGMA * 128)], np.exp(-0.5), atol=0.15)
    assert bump.dtype == np.float32


def test_thickest_point_of_a_disc_is_its_centre() -> None:
    y, x = np.mgrid[:80, :100]
    assert thickest_point((x - 60) ** 2 + (y - 30) ** 2 <= 15**2) == (60.0, 30.0)


def test_thickest_point_of_a_nerve_at_the_border() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[:5] = 1
    x, y = thickest_point(mask)
    assert mask[int(y), int(x)]
    assert y == 2


@given(st.integers(0, 10_000))
def test_a_random_click_lies_in_a_nerve(seed: int) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[3:9, 5:30] = 1
    mask[20:35, 40:58] = 1
    x, y = random_click(mask, np.random.default_rng(seed))
    assert mask[int(y), int(x)] == 1


def test_no_click_without_a_nerve() -> None:
    assert random_click(np.zeros((9, 9), np.uint8), np.random.default_rng(0)) is None
