"""Components become nerves; outlines keep place and area."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.inference.contours import Selection, centroid, components, outline

HOW = Selection()


def disc(
    x: float, y: float, radius: float, value: float = 0.95, shape: tuple[int, int] = (120, 160)
) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.where((columns - x) ** 2 + (rows - y) ** 2 <= radius**2, value, 0.0).astype(np.float32)


def polygon_area(points: np.ndarray) -> float:
    x, y = points.T.astype(float)
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


@settings(deadline=None, max_examples=40)
@given(st.floats(40, 100), st.floats(40, 80), st.floats(5, 30))
def test_an_outline_keeps_area_and_centre(x: float, y: float, radius: float) -> None:
    mask = (disc(x, y, radius) > 0).astype(np.uint8)
    points = outline(mask)
    assert points.dtype == np.float32
    assert polygon_area(points) == pytest.approx(mask.sum(), rel=0.03, abs=4)
    assert np.allclose(centroid(mask), (x, y), atol=0.5)
    assert not np.array_equal(points[0], points[-1])


def test_a_nerve_at_the_border_is_outlined() -> None:
    points = outline((disc(0, 0, 20) > 0).astype(np.uint8))
    assert len(points) > 20
    assert points.min() >= -1


def test_two_nerves_largest_first() -> None:
    found = components(np.maximum(disc(40, 50, 10), disc(110, 60, 20)), 120 * 160, HOW)
    assert [round(centroid(mask)[0]) for mask in found] == [110, 40]


def test_specks_and_doubtful_areas_are_dropped() -> None:
    probability = np.max([disc(40, 50, 20), disc(100, 60, 2), disc(130, 90, 15, 0.52)], 0)
    assert len(components(probability, 120 * 160, HOW)) == 1


def test_the_best_of_doubtful_areas_is_drawn_where_nothing_else_is() -> None:
    (mask,) = components(np.maximum(disc(40, 50, 20, 0.4), disc(110, 60, 10, 0.45)), 120 * 160, HOW)
    assert round(centroid(mask)[0]) == 40
    assert components(disc(40, 50, 20, 0.2), 120 * 160, HOW) == []


def test_nothing_found() -> None:
    assert components(np.zeros((50, 60), np.float32), 3000, HOW) == []


def test_a_click_brings_the_pointed_nerve_first_even_when_small() -> None:
    probability = np.maximum(disc(40, 50, 20), disc(110, 60, 4))
    found = components(probability, 120 * 160, HOW, click=(110.0, 60.0))
    assert round(centroid(found[0])[0]) == 110
    assert len(found) == 2


def test_a_click_on_a_faint_nerve_outlines_it_at_half_height() -> None:
    rows, columns = np.mgrid[:120, :160]
    faint = 0.3 * np.exp(-((columns - 80) ** 2 + (rows - 60) ** 2) / (2 * 10.0**2)).astype(np.float32)
    (mask,) = components(faint, 120 * 160, HOW, click=(82.0, 61.0))
    assert mask.sum() == pytest.approx(np.pi * 2 * np.log(2) * 10**2, rel=0.05)


def test_a_click_on_nothing_finds_nothing_more() -> None:
    found = components(disc(40, 50, 20), 120 * 160, HOW, click=(140.0, 100.0))
    assert [round(centroid(mask)[0]) for mask in found] == [40]


def test_a_click_outside_the_frame_is_harmless() -> None:
    assert len(components(disc(40, 50, 20), 120 * 160, HOW, click=(1e4, -5.0))) == 1
