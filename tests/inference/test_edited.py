"""Outlines drawn by hand: areas as drawn, verdict by the usual path, refusals in one sentence."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.clinical import shape
from nerve_core.clinical.measure import fine_outline, measure
from nerve_core.imaging.scan import CalibratedRegion, Scan
from nerve_core.inference.edited import (
    TAKEN_AWAY,
    ContourError,
    check_contours,
    crosses_itself,
    judge_contours,
    mask_of,
)
from nerve_core.inference.prediction import NO_NERVE, NOT_ASSESSABLE, Prediction
from nerve_core.inference.predictor import Predictor

SIZE = (150, 190)
SCAN = Scan(np.random.default_rng(3).rayleigh(60, SIZE).clip(0, 255).astype(np.uint8), (0.1, 0.05))
BEFORE = Prediction(np.full(SIZE, 0.25, np.float32), np.zeros(SIZE, np.uint8), (), NO_NERVE, None, "w 1")


def star(x: float, y: float, radii: list[float]) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.column_stack([x + np.array(radii) * np.cos(angle), y + np.array(radii) * np.sin(angle)])


def square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float32)


@given(
    x=st.floats(60, 120),
    y=st.floats(60, 90),
    radii=st.lists(st.floats(30, 55), min_size=24, max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_the_mask_holds_the_polygons_area(x: float, y: float, radii: list[float]) -> None:
    smooth = np.convolve(np.tile(radii, 3), np.ones(7) / 7, "same")[len(radii) : 2 * len(radii)]
    contour = star(x, y, list(smooth))
    assert mask_of(contour, SIZE).sum() == pytest.approx(shape.area(contour), rel=0.01)


@given(st.lists(st.floats(10, 55), min_size=5, max_size=30))
@settings(max_examples=60, deadline=None)
def test_a_star_never_crosses_itself_and_with_corners_changed_as_two_equations_say(
    radii: list[float],
) -> None:
    contour = star(90, 75, radii)
    assert not crosses_itself(contour)
    swapped = contour.copy()
    swapped[[1, 2]] = contour[[2, 1]]
    if _crosses_slowly(swapped, inside=1e-6):
        assert crosses_itself(swapped)
    elif not _crosses_slowly(swapped, inside=-1e-6):  # between the two, edges touch, which may be either
        assert not crosses_itself(swapped)


def _crosses_slowly(points: np.ndarray, inside: float) -> bool:
    """Every pair of edges, solved as two equations."""
    n = len(points)
    for i in range(n):
        for j in range(i + 2, n - (i == 0)):
            a, b, c, d = points[i], points[(i + 1) % n], points[j], points[(j + 1) % n]
            matrix = np.column_stack([b - a, c - d])
            if abs(np.linalg.det(matrix)) > 1e-12:
                s, t = np.linalg.solve(matrix, c - a)
                if inside < min(s, t) and max(s, t) < 1 - inside:
                    return True
    return False


def test_a_bow_tie_crosses_itself() -> None:
    assert crosses_itself(np.array([[0, 0], [10, 10], [10, 0], [0, 10]]))
    assert not crosses_itself(square(0, 0, 10))


@pytest.mark.parametrize(
    ("contours", "said"),
    [
        ([square(10, 10, 3)], "smaller than 12"),
        ([np.array([[10, 10], [50, 50], [50, 10], [10, 50]])], "crosses itself"),
        ([square(150, 100, 60)], "reaches out of the scan"),
        ([square(-1, 10, 60)], "reaches out of the scan"),
        ([square(10, 10, 30), square(80, 80, 30), square(95, 95, 30)], "2 and 3 lie over each other"),
        ([square(10, 10, 30)[:2]], "fewer than three points"),
        ([np.array([[1.0, np.nan], [50, 50], [50, 10]])], "not a list of points"),
        ([np.zeros((5, 3))], "not a list of points"),
        ([star(90, 75, [50] * 4001)], "more than 4000 points"),
        ([square(5 + 25 * k, 10, 20) for k in range(7)], "more than 6"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(contours: list[np.ndarray], said: str) -> None:
    with pytest.raises(ContourError, match=said) as raised:
        check_contours(contours, SCAN)
    assert str(raised.value).count(".") == 1


def test_neighbours_may_touch_and_repeated_points_go() -> None:
    first, second = square(10, 10, 30), square(40, 10, 30)
    found = check_contours([np.repeat(first, 2, axis=0), second], SCAN)
    assert np.array_equal(found[0], first) and len(found[1]) == 4


def test_area_is_of_the_polygon_as_drawn(predictor: Predictor) -> None:
    drawn = star(90.3, 75.2, [40.0] * 30).astype(np.float32)
    moved = drawn.copy()
    moved[7] += (3.0, 4.0)
    one, other = (judge_contours(predictor, SCAN, [contour], BEFORE) for contour in (drawn, moved))
    expected = (shape.area(moved) - shape.area(drawn)) * 0.1 * 0.05
    assert other.nerves[0].area_mm2 - one.nerves[0].area_mm2 == pytest.approx(expected)
    assert measure(SCAN, other, other.nerves[0]).area == pytest.approx(other.nerves[0].area_mm2)
    assert np.array_equal(fine_outline(other, other.nerves[0]), moved)
    assert other.edited and other.to_dict("a")["edited"] is True and "edited" not in BEFORE.to_dict("a")


def test_the_scale_is_that_of_the_region_that_holds_the_nerve(predictor: Predictor) -> None:
    halves = (CalibratedRegion((0, 0, 75, 190), (0.1, 0.1)), CalibratedRegion((75, 0, 150, 190), (0.2, 0.3)))
    scan = replace(SCAN, spacing_mm=None, calibrated=halves)
    answer = judge_contours(predictor, scan, [square(20, 10, 40), square(20, 90, 40)], BEFORE)
    areas = {round(nerve.centroid[1]): nerve.area_mm2 for nerve in answer.nerves}
    assert sorted(areas.values()) == pytest.approx([16.0, 96.0])


def test_the_verdict_is_what_the_usual_path_gives_for_the_same_pixels(predictor: Predictor) -> None:
    contours = [square(20.5, 20.5, 40), star(130, 80, [25.0] * 20)]
    answer = judge_contours(predictor, SCAN, contours, BEFORE)
    expected = sorted(predictor.p_affected(SCAN.pixels, mask_of(each, SIZE)) for each in contours)[::-1]
    assert [nerve.p_affected for nerve in answer.nerves] == expected
    assert answer.p_affected == expected[0] and answer.verdict == answer.nerves[0].verdict
    assert np.array_equal(answer.mask > 0, (mask_of(contours[0], SIZE) + mask_of(contours[1], SIZE)) > 0)
    assert answer.model == "w 1" and answer.nerves[0].confidence == pytest.approx(0.25)


def test_without_outlines_no_nerve_is_found(predictor: Predictor) -> None:
    answer = judge_contours(predictor, SCAN, [], BEFORE)
    assert (answer.verdict, answer.p_affected, answer.reason) == (NO_NERVE, None, TAKEN_AWAY)


def test_a_scan_that_is_not_assessable_stays_so(predictor: Predictor) -> None:
    refused = replace(BEFORE, verdict=NOT_ASSESSABLE, reason="Too dark.")
    answer = judge_contours(predictor, SCAN, [square(20, 20, 40)], refused)
    assert (answer.verdict, answer.p_affected, answer.reason) == (NOT_ASSESSABLE, None, "Too dark.")
    assert answer.nerves[0].area_mm2 == pytest.approx(8.0)
