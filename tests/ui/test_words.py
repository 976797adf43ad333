"""Numbers carry their unit and say no more than is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerve_core.imaging.scan import CalibratedRegion, Scan
from nerve_core.inference.prediction import Nerve
from nerve_core.ui import words


def nerve(x: float, y: float, area_mm2: float | None = None) -> Nerve:
    return Nerve(np.zeros((3, 2), np.float32), (x, y), 1234.4, area_mm2, 0.9, 0.5)


@given(st.floats(0, 1))
def test_no_probability_is_shown_as_certain(value: float):
    shown = words.percent(value)
    assert shown.endswith(" %") and shown not in ("0 %", "100 %")


@pytest.mark.parametrize(("value", "shown"), [(0.004, "< 1 %"), (0.784, "78 %"), (0.999, "> 99 %")])
def test_percent(value, shown):
    assert words.percent(value) == shown


def test_area_is_in_px_until_the_scale_is_known():
    assert words.area(nerve(0, 0)) == "1,234 px²"
    assert words.area(nerve(0, 0, 9.87)) == "9.9 mm²"


def test_depth_counts_from_the_top_of_the_region():
    scan = Scan(np.zeros((100, 100), np.uint8), region=(20, 0, 100, 100))
    assert words.depth(nerve(50, 70), scan) == "50 px"


def test_depth_is_measured_with_the_calibrated_region_that_holds_the_nerve():
    parts = (CalibratedRegion((10, 0, 100, 50), (0.1, 0.2)), CalibratedRegion((30, 50, 100, 100), (0.5, 0.5)))
    scan = Scan(np.zeros((100, 100), np.uint8), calibrated=parts, region=(10, 0, 100, 100))
    assert words.depth(nerve(20, 60), scan) == "5.0 mm"
    assert words.depth(nerve(70, 60), scan) == "15.0 mm"


def test_listing():
    assert words.listing(["neck"]) == "neck"
    assert words.listing(["neck", "groin", "elbow"]) == "neck, groin and elbow"


ADAPTED = {
    "adapted": {"from": "research 1.1", "scans": 1200, "sets": [{"set": "ubpd"}, {"set": "clinic"}]},
    "calibration": {"slope": 1.0, "bias": 0.0, "valid": False},
}


def test_adapted_weights_say_to_what_and_that_their_probability_is_unchecked():
    said = words.uncalibrated(ADAPTED)
    assert "research 1.1, adapted to 1,200 scans without contours (ubpd and clinic)" in said
    assert "not calibrated" in said and "Do not rely" in said


def test_calibrated_weights_carry_no_warning():
    assert words.uncalibrated({}) is None and words.adapted_to({}) is None
    recalibrated = ADAPTED | {"calibration": {"slope": 1.1, "bias": 0.0, "valid": True}}
    assert words.uncalibrated(recalibrated) is None and "ubpd" in words.adapted_to(recalibrated)
    assert "not calibrated" in words.uncalibrated({"calibration": {"valid": False}})


def test_every_engine_has_a_name_for_readers() -> None:
    from nerve_core.inference.backends import BACKENDS

    assert words.engine("cpu", "openvino-int8") == "the processor with OpenVINO in eight bits"
    assert words.engine("cuda:1", "torch-half") == "the graphics card with PyTorch in half precision"
    assert len({words.engine("cpu", name) for name in BACKENDS}) == len(BACKENDS)
