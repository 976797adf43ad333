"""Fields beside the file, and the way from a file to its prediction."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerve_core.errors import RefusedScan, ScanError
from nerve_core.service import judge as module
from nerve_core.service.judge import RequestError, judge, parse_frame, parse_point
from tests.service.fakes import FakePredictor, as_file, scan_array


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_point_survives_its_text(x: float, y: float) -> None:
    assert parse_point(f"{x!r}, {y!r}") == (x, y)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "nan,1", "1,inf", "-1,2", "1;2", "1e999,0"])
def test_a_bad_point_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="x,y"):
        parse_point(text)


@given(st.text())
def test_any_text_is_a_frame_or_refused(text: str) -> None:
    with contextlib.suppress(RequestError):
        assert parse_frame(text) >= 0


def test_the_click_reaches_the_predictor_and_reading_is_timed() -> None:
    predictor = FakePredictor()
    scan, prediction = judge(predictor, as_file(scan_array()), "a.png", click=(90.0, 60.0))
    assert predictor.clicks == [(90.0, 60.0)]
    assert scan.pixels.shape == prediction.mask.shape == (128, 192)
    assert prediction.timings_ms["total"] == pytest.approx(1.0 + prediction.timings_ms["read"])


def test_a_click_outside_names_the_size() -> None:
    with pytest.raises(RequestError, match="192 x 128"):
        judge(FakePredictor(), as_file(scan_array()), "a.png", click=(192.0, 0.0))


def test_a_frame_that_is_not_there_is_refused() -> None:
    with pytest.raises(ScanError, match="no frame 3"):
        judge(FakePredictor(), as_file(scan_array()), "a.png", frame=3)


def test_a_scan_the_gate_refuses_is_not_assessable(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = FakePredictor()
    found = predictor.predict

    def refuse(*args: object, **more: object) -> object:
        return replace(found(*args, **more), verdict="not assessable", reason="Too dark.")

    monkeypatch.setattr(predictor, "predict", refuse)
    with pytest.raises(RefusedScan, match="Too dark"):
        judge(predictor, as_file(scan_array()), "a.png")


def test_an_unforeseen_decoder_fault_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("Jane Doe")

    monkeypatch.setattr(module, "open_scan", fail)
    with pytest.raises(ScanError) as caught:
        judge(FakePredictor(), b"x", "Jane Doe.png")
    assert "Jane" not in str(caught.value) + caplog.text
    assert "KeyError" in caplog.text
