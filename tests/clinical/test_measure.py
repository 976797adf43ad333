"""Known shapes have known sizes, at any scale, with rows and columns of different ones."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.clinical import shape
from nerve_core.clinical.echo import entropy_threshold, hypoechoic_fractions
from nerve_core.clinical.measure import fine_outline, measure, measure_outline, pixels_inside
from nerve_core.imaging.scan import CalibratedRegion, Scan
from nerve_core.inference.contours import outline
from nerve_core.inference.prediction import Nerve, Prediction

SIDE = 260


def ellipse(
    width: float, height: float, turn: float = 0.0, centre: tuple[float, float] = (0, 0)
) -> np.ndarray:
    """Outline of an ellipse by its diameters."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    x, y = width / 2 * np.cos(angle), height / 2 * np.sin(angle)
    turned = np.column_stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])
    return turned + centre


def predicted(
    semi: tuple[float, float], turn: float, spacing: tuple[float, float] | None, softness: float = 1.0
) -> tuple[Scan, Prediction, Nerve]:
    """An ellipse (semi-axes in the unit of the spacing) as a network's map shows it: with a soft edge."""
    down, across = spacing or (1.0, 1.0)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    x, y = (columns - SIDE / 2 - 0.3) * across, (rows - SIDE / 2 + 0.2) * down
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    radius = np.hypot(u / semi[0], v / semi[1])
    distance = (1 - radius) * np.sqrt(semi[0] * semi[1]) / np.sqrt(down * across)
    chance = (1 / (1 + np.exp(-distance / softness))).astype(np.float32)
    mask = (chance >= 0.5).astype(np.uint8)
    nerve = Nerve(outline(mask), (SIDE / 2, SIDE / 2), float(mask.sum()), None, 0.9, 0.5)
    scan = Scan(np.full((SIDE, SIDE), 90, np.uint8), spacing_mm=spacing)
    return scan, Prediction(chance, mask * np.uint8(255), (nerve,), "uncertain", 0.5, "known 1"), nerve


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.floats(0.05, 0.2), st.floats(0.05, 0.2), st.floats(1.5, 2.5), st.floats(0.6, 1.0), st.floats(0, np.pi)
)
def test_area_is_within_a_hundredth(
    down: float, across: float, longer: float, ratio: float, turn: float
) -> None:
    semi = (longer, longer * ratio)
    found = measure(*predicted(semi, turn, (down, across)))
    assert found.unit == "mm"
    assert found.area == pytest.approx(np.pi * semi[0] * semi[1], rel=0.01)
    assert found.width == pytest.approx(2 * semi[0], rel=0.03)
    assert found.height == pytest.approx(2 * semi[1], rel=0.03)
    assert found.flattening == pytest.approx(1 / ratio, rel=0.05)


def test_the_mask_alone_would_be_too_coarse() -> None:
    """At the coarsest scale the outline along pixels misses the hundredth that the map's keeps."""
    _, prediction, nerve = predicted((1.4, 0.8), 0.4, (0.2, 0.2))
    true = np.pi * 1.4 * 0.8
    coarse = shape.area(nerve.contour) * 0.04
    fine = shape.area(fine_outline(prediction, nerve)) * 0.04
    assert abs(fine / true - 1) < 0.01 < abs(coarse / true - 1)


def test_a_circle_in_pixels() -> None:
    found = measure(*predicted((40, 40), 0, None))
    assert found.unit == "px"
    assert found.area == pytest.approx(np.pi * 1600, rel=0.005)
    assert found.perimeter == pytest.approx(2 * np.pi * 40, rel=0.01)
    assert found.equivalent_diameter == pytest.approx(80, rel=0.005)
    assert found.circularity == pytest.approx(1, abs=0.02) and found.flattening == pytest.approx(1, abs=0.02)
    assert found.depth == pytest.approx(SIDE / 2 - 0.2 - 40, abs=0.5)
    assert found.echo == 90 and found.hypoechoic == {}
    assert json.loads(json.dumps(found.to_dict()))["area"] == round(found.area, 3)


def test_two_nerves_that_nearly_touch_are_measured_apart() -> None:
    left, right = (np.zeros((90, 130), np.float32) for _ in range(2))
    cv2.circle(left, (40, 45), 20, 1, -1)
    cv2.circle(right, (84, 45), 20, 1, -1)
    chance = np.maximum(cv2.GaussianBlur(left, (0, 0), 1), cv2.GaussianBlur(right, (0, 0), 1))
    mask = (chance >= 0.5).astype(np.uint8) * np.uint8(255)
    own = (left > 0.5).astype(np.uint8)
    nerve = Nerve(outline(own), (40, 45), float(own.sum()), None, 0.9, 0.5)
    prediction = Prediction(chance, mask, (nerve,), "uncertain", 0.5, "known 1")
    assert shape.area(fine_outline(prediction, nerve)) == pytest.approx(own.sum(), rel=0.03)


def test_a_corrected_outline_that_is_not_in_the_mask_is_kept() -> None:
    scan, prediction, _ = predicted((40, 40), 0, None)
    moved = Nerve(ellipse(20, 10, centre=(30, 30)), (30, 30), 157.0, None, 0.9, 0.5)
    assert fine_outline(prediction, moved) is moved.contour
    with pytest.raises(ValueError, match="encloses no area"):
        measure_outline(scan, np.array([[1, 1], [5, 5], [9, 9]]))


def test_the_scale_and_the_skin_are_those_of_the_region_around_the_nerve() -> None:
    regions = (
        CalibratedRegion((10, 0, 100, 200), (0.1, 0.1)),
        CalibratedRegion((100, 0, 200, 200), (0.2, 0.3)),
    )
    scan = Scan(np.zeros((200, 200), np.uint8), calibrated=regions)
    above = measure_outline(scan, ellipse(20, 20, centre=(60, 50)))
    below = measure_outline(scan, ellipse(20, 20, centre=(60, 150)))
    assert above.area == pytest.approx(np.pi * 100 * 0.01, rel=1e-3)
    assert below.area == pytest.approx(np.pi * 100 * 0.06, rel=1e-3)
    assert above.depth == pytest.approx(3.0) and below.depth == pytest.approx(8.0)
    assert below.width == pytest.approx(6.0, rel=1e-3) and below.height == pytest.approx(4.0, rel=1e-3)


@settings(deadline=None)
@given(st.floats(2, 50), st.floats(2, 50), st.floats(0, np.pi))
def test_calipers_of_a_turned_ellipse(width: float, height: float, turn: float) -> None:
    longest, shortest = shape.feret(ellipse(width, height, turn))
    assert longest == pytest.approx(max(width, height), rel=1e-3)
    assert shortest == pytest.approx(min(width, height), rel=1e-3)


def test_calipers_and_area_of_a_rectangle() -> None:
    box = np.array([[0, 0], [4, 0], [4, 3], [0, 3]])
    assert shape.feret(box) == (5.0, 3.0) and shape.area(box) == 12 and shape.perimeter(box) == 14


def test_dark_and_bright_pixels_are_told_apart() -> None:
    """A third of the pixels from 20 to 59, the rest from 150 to 189."""
    levels = np.concatenate([np.repeat(np.arange(20, 60), 25), np.repeat(np.arange(150, 190), 50)])
    levels = levels.astype(np.uint8)
    assert 59 <= entropy_threshold(levels) < 150
    found = hypoechoic_fractions(levels)
    assert found["yen"] == pytest.approx(1 / 3, abs=0.01)
    assert found["maximum_entropy"] == pytest.approx(1 / 3, abs=0.01)
    assert hypoechoic_fractions(np.full(9, 7, np.uint8)) == {}
    assert entropy_threshold(np.full(9, 7, np.uint8)) == 7


def test_only_pixels_of_the_nerve_are_looked_at() -> None:
    pixels = np.full((60, 60), 200, np.uint8)
    cv2.circle(pixels, (30, 30), 12, 50, -1)
    assert set(pixels_inside(pixels, ellipse(20, 20, centre=(30, 30))).tolist()) == {50}
    assert len(pixels_inside(pixels, ellipse(0.2, 0.2, centre=(30.4, 30.4)))) >= 1
