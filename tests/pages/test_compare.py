"""The Compare page: methods on one scan, and the tables of the benchmark."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.errors import CheckpointError
from nerve_core.ui.words import NOTICE
from tests.pages.conftest import CENTRE, KnownPredictor, png, texts
from tests.ui import compare_fakes


class Moved(KnownPredictor):
    """A classical outline 20 px to the right of the network's, without a model's settings or verdict."""

    name = "otsu"

    def predict(self, scan: Any, click: Any = None, preprocess: Any = None, gate: bool = True) -> Any:
        x, y = click or CENTRE
        return super().predict(scan, (x + 20, y), preprocess, gate)


@pytest.fixture
def otsu(monkeypatch: pytest.MonkeyPatch) -> Moved:
    method = Moved()
    del method.config

    def load_contour(folder: Path, name: str, network: Any) -> Moved:
        if name == "canny":
            raise CheckpointError("canny is damaged; fit it again.")
        return method

    monkeypatch.setattr("nerve_core.evaluation.classical.store.load_contour", load_contour)
    return method


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of results (empty) and of fitted methods, of which there are two by name."""
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    fitted = tmp_path / "checkpoints" / "classical" / "contours"
    fitted.mkdir(parents=True)
    for path in (fitted / "otsu.json", fitted / "canny.json", fitted.parent / "prior.json"):
        path.write_text("{}")
    (tmp_path / "results").mkdir()
    return tmp_path


@pytest.fixture
def compare(app: AppTest, home: Path, otsu: Moved) -> AppTest:
    """The dashboard at the Compare page."""
    app.run()
    return app.switch_page("pages/compare.py").run()


def sample(page: AppTest) -> AppTest:
    page.selectbox(key="sample").set_value("Simulated wrist").run()
    assert not page.exception
    return page


def tables(page: AppTest) -> AppTest:
    page.session_state["compare-section"] = "Tables"
    page.run()
    assert not page.exception
    return page


def test_without_a_scan_it_says_what_to_do_and_what_is_not_fitted(compare: AppTest):
    said = " ".join(texts(compare))
    assert not compare.exception and not compare.error
    assert "Drop a scan above" in said and NOTICE in said
    assert "python -m benchmarks.classical" in said and "Random Forest on superpixels" in said
    assert compare.multiselect(key="compare-methods").value == ["weights:research", "otsu"]


def test_two_methods_on_a_sample(compare: AppTest):
    page = sample(compare)
    said = texts(page)
    assert any("1 · Weights: research" in text for text in said)
    assert any("Looks affected (90 %)" in text for text in said)
    assert any("Outline only, no verdict" in text for text in said) and NOTICE in " ".join(said)
    table = page.dataframe[0].value
    assert table["Verdict"].tolist() == ["Looks affected", "outline only"]
    assert table["Probability"].tolist() == ["90 %", "–"]
    dice = table["Dice with simulated truth"]
    assert dice[0] > 0.95 and 0.3 < dice[1] < 0.5  # two circles of radius 20 px, 20 px apart: 0.39
    assert any("All 2 methods agree on" in text for text in said)
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert spec["data"][0]["y"] == ["1", "2"]


def test_one_click_is_given_to_all(compare: AppTest, known: KnownPredictor, otsu: Moved):
    page = sample(compare)
    (view,) = page.session_state["views"].values()
    view.points[0] = (60.0, 80.0)
    page.run()
    assert known.calls[-1][1] == (60.0, 80.0) and otsu.calls[-1][1] == (80.0, 80.0)
    assert any("given the point x 60 px, y 80 px" in text for text in texts(page))


def test_one_that_fails_leaves_the_others(compare: AppTest, otsu: Moved):
    compare.multiselect(key="compare-methods").set_value(["weights:research", "canny", "otsu"]).run()
    page = sample(compare)
    assert [error.value for error in page.error] == ["canny is damaged; fit it again."]
    assert page.dataframe[0].value["Verdict"].tolist() == ["Looks affected", "failed", "outline only"]
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert spec["data"][0]["x"] == ["1", "3"]


def test_the_same_look_runs_once(compare: AppTest, otsu: Moved):
    page = sample(compare)
    page.run()
    assert len(otsu.calls) == 1


def test_one_method_is_too_few(compare: AppTest):
    compare.multiselect(key="compare-methods").set_value(["otsu"]).run()
    assert any("two methods or more" in info.value for info in sample(compare).info)


@pytest.mark.parametrize("content", [b"", b"no picture", png()[:150]])
def test_an_unusable_upload_gets_one_sentence(compare: AppTest, content: bytes):
    compare.file_uploader[0].set_value([("../x.png", content, "image/png")])
    compare.run()
    assert not compare.exception and len(compare.error) == 1 and compare.error[0].value.endswith(".")


def test_a_refused_scan_says_why(compare: AppTest, known: KnownPredictor, otsu: Moved):
    known.reason = otsu.reason = "The frame is blank."
    page = sample(compare)
    assert [each.value for each in page.warning] == ["The frame is blank."] * 2
    assert page.dataframe[0].value["Verdict"].tolist() == ["Not assessable"] * 2


def test_the_archive_holds_everything_and_the_notice(known: KnownPredictor, otsu: Moved):
    from nerve_core.imaging.scan import Scan
    from nerve_core.ui import compare_downloads, compare_run
    from nerve_core.ui.compare_methods import Choice
    from nerve_core.ui.session_items import Item, Outcome
    from tests.pages.conftest import speckle

    scan, item = Scan(speckle()), Item("a", "Smith.png", b"", "")
    results = [
        compare_run.Result(
            1, Choice("weights:research", "R", True), Outcome(item, scan, known.predict(scan))
        ),
        compare_run.Result(2, Choice("otsu", "Otsu", False), Outcome(item, scan, otsu.predict(scan))),
        compare_run.Result(3, Choice("canny", "Canny", False), Outcome(item, error="damaged.")),
    ]
    table = compare_run.table(results, None)
    content = compare_downloads.archive(scan, results, table, (10.0, 10.0))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = set(file.namelist())
        assert {"1-weights-research-mask.png", "2-otsu-overlay.png", "agreement.png"} <= names
        assert NOTICE in file.read("notice.txt").decode()
        mask = cv2.imdecode(np.frombuffer(file.read("2-otsu-mask.png"), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(mask, results[1].prediction.mask)
        answers = json.loads(file.read("results.json"))["results"]
        assert [answer["p_affected"] for answer in answers] == [0.9, None]
        assert answers[1]["nerves"][0]["verdict"] is None


def test_without_results_the_command_is_named(compare: AppTest):
    page = tables(compare)
    (info,) = page.info
    assert "nerve_core benchmark run" in info.value and "benchmark publish" in info.value


def test_tables_are_filtered_and_exported(compare: AppTest, home: Path):
    compare_fakes.write(home / "results")
    page = tables(compare)
    table = page.dataframe[0].value
    assert table["Dice"].is_monotonic_decreasing and table["Scans (n)"].tolist() == [18, 18, 18]
    assert {"ubpd", "usgra", "95 % interval", "Parameters, millions"} <= set(table.columns)
    assert table["Parameters, millions"].dropna().tolist() == [7.8]
    assert [button.label for button in page.get("download_button")] == ["Table (CSV)", "Table (LaTeX)"]
    page.selectbox(key="compare-set").set_value("usgra").run()
    table = page.dataframe[0].value
    assert table["Scans (n)"].tolist() == [10, 10, 10]
    assert table["p against the best"].isna().tolist() == [True, False, False]
    assert any("hardly chance" in text for text in texts(page))
    page.selectbox(key="compare-side").set_value("left out").run()
    assert not page.exception and page.dataframe[0].value["Scans (n)"].tolist() == [8]


def test_the_front_and_the_claims(compare: AppTest, home: Path):
    compare_fakes.write(home / "results")
    page = tables(compare)
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert len(spec["data"][0]["x"]) == 2  # unet is slower and worse than the shipped weights
    claims = page.dataframe[-1].value
    assert claims["Claimed accuracy, %"].max() == 94.5 and "cannot be checked" in " ".join(texts(page))


def test_verdicts_stand_with_the_notice(compare: AppTest, home: Path):
    compare_fakes.write(home / "results", ("contours", "verdict"))
    page = tables(compare)
    page.segmented_control(key="compare-kind").set_value("Verdicts").run()
    assert not page.exception and NOTICE in " ".join(texts(page))
    assert page.dataframe[0].value["Accuracy"].tolist() == [1.0, 1.0]
    page.toggle(key="compare-shams").set_value(False).run()
    assert any("look better than they are" in text for text in texts(page))


@pytest.mark.parametrize("name", ["benchmark-contours.parquet", "benchmark-costs.json"])
def test_damaged_results_get_one_sentence(compare: AppTest, home: Path, name: str):
    compare_fakes.write(home / "results", ("contours",))
    (home / "results" / name).write_bytes(b"{")
    page = tables(compare)
    assert len(page.error) == 1 and name in page.error[0].value
