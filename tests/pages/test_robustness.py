"""The Robustness page: curves, subgroups, and a scan to shift."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.imaging.scan import Scan
from nerve_core.ui.words import NOTICE
from tests.pages.conftest import KnownPredictor, png, speckle, texts
from tests.ui import compare_fakes


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setenv("NERVE_RESULTS", str(folder))
    return folder


@pytest.fixture
def robustness(app: AppTest, results: Path) -> AppTest:
    """The dashboard at the Robustness page."""
    app.run()
    return app.switch_page("pages/robustness.py").run()


def section(page: AppTest, name: str) -> AppTest:
    page.session_state["robustness-section"] = name
    page.run()
    assert not page.exception
    return page


def test_without_results_the_command_is_named(robustness: AppTest):
    (info,) = section(robustness, "Shifts").info
    assert "--tasks robustness" in info.value and "benchmark publish" in info.value
    (info,) = section(robustness, "Subgroups").info
    assert "benchmark run" in info.value


def test_a_curve_a_method_in_a_chart_a_shift(robustness: AppTest, results: Path):
    compare_fakes.write(results)
    page = section(robustness, "Shifts")
    charts = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    assert len(charts) == 2  # blur and rotation
    lines = [trace for trace in charts[0]["data"] if trace.get("hovertemplate")]
    bands = [trace for trace in charts[0]["data"] if trace.get("fill") == "toself"]
    assert len(lines) == len(bands) == 3 and lines[0]["x"] == [0.0, 0.5, 1.0]
    assert lines[0]["y"] == sorted(lines[0]["y"], reverse=True)
    assert any("n = 18 scans of 18 groups" in text for text in texts(page))
    table = page.dataframe[0].value
    assert table["Loss at 1"].tolist() == pytest.approx([0.2] * 6, abs=1e-6)


def test_subgroups_with_intervals(robustness: AppTest, results: Path):
    compare_fakes.write(results)
    page = section(robustness, "Subgroups")
    assert page.selectbox(key="robustness-by").options == [
        "Set of scans",
        "Site on the body",
        "Size of the nerve in the picture",
    ]
    page.selectbox(key="robustness-by").set_value("size").run()
    table = page.dataframe[0].value
    assert not page.exception and table["Scans (n)"].sum() == 36  # two methods
    assert table["Size of the nerve in the picture"][0].startswith("small (below")


@pytest.mark.parametrize("name", ["contours", "robustness"])
def test_damaged_results_get_one_sentence(robustness: AppTest, results: Path, name: str):
    compare_fakes.write(results)
    (results / f"benchmark-{name}.parquet").write_bytes(b"no parquet")
    page = section(robustness, "Shifts")
    assert len(page.error) == 1 and f"benchmark-{name}.parquet" in page.error[0].value


def test_a_sample_is_shifted_and_judged_again(robustness: AppTest, known: KnownPredictor):
    page = robustness
    assert "Drop a scan above" in page.info[0].value
    page.selectbox(key="sample").set_value("Simulated wrist").run()
    assert not page.exception and not page.error
    before, after = known.calls[-2][0].pixels, known.calls[-1][0].pixels
    assert np.array_equal(before, speckle(7)) and not np.array_equal(before, after)
    said = " ".join(texts(page))
    assert "An approximation" in said and NOTICE in said and "Looks affected (90 %)" in said
    assert "simulated truth (Dice): **0.9" in said
    page.slider(key="robustness-strength").set_value(0.0).run()
    assert np.array_equal(known.calls[-1][0].pixels, speckle(7))


def test_an_upload_has_no_truth_and_is_not_kept(robustness: AppTest, known: KnownPredictor):
    page = robustness
    page.file_uploader[0].set_value([("scan.png", png(), "image/png")])
    page.run()
    assert not page.exception and "No truth is known" in " ".join(texts(page))
    page.file_uploader[0].set_value([])
    page.run()
    assert not page.session_state["scans"] and not page.session_state["predictions"]


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_an_unusable_upload_gets_one_sentence(robustness: AppTest, content: bytes):
    robustness.file_uploader[0].set_value([("x.png", content, "image/png")])
    robustness.run()
    assert not robustness.exception and len(robustness.error) == 1


def test_the_point_moves_with_the_picture(known: KnownPredictor):
    from nerve_core.ui.robustness_try import moved_point

    scan = Scan(speckle())
    assert moved_point(scan, (100.0, 70.0), "blur", 1.0) == pytest.approx((100, 70), abs=0.6)
    x, y = moved_point(scan, (100.0, 100.0), "deeper", 1.0)
    assert y < 100 and x == pytest.approx(
        100, abs=1
    )  # everything draws nearer to where the picture shrinks to
    assert moved_point(scan, (2.0, 2.0), "shallower", 1.0) is None


def test_every_shift_is_explained():
    from nerve_core.evaluation.shifts import SHIFTS
    from nerve_core.ui.robustness_words import meaning

    assert all(meaning(name).endswith(".") for name in SHIFTS)
