"""The page of measured results: empty, filled, damaged, and a case opened."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.evaluation.contours import ContourScore
from nerve_core.evaluation.methods import version_of
from nerve_core.evaluation.published import publish
from nerve_core.evaluation.results import ResultsStore, Run
from nerve_core.evaluation.scoring import Answer, Scored
from nerve_core.ui import metrics_training
from nerve_core.ui.metrics_case import ASKED, Case
from tests.pages.conftest import SIZE, KnownPredictor, png, texts

KINDS = ("swelling", "compression", "swelling+hypoechogenicity")
SETUP = "128 px, 200 steps of 16"
PRESENT = ", ".join(version_of("weights:research"))


def contour(dice: float) -> ContourScore:
    return ContourScore(dice, dice / (2 - dice), 30 * (1 - dice), dice, dice, dice)


def outline(name: str, number: int, dice: float) -> Scored:
    """One image of a set, a group for every two, better with a click."""
    row = {"image": f"/x/images/{number:03d}.png", "listed image": f"images/{number:03d}.png"}
    row |= {"group": f"{name}-{number // 2}", "site": "neck" if name == "kaggle" else "", "nerve": "median"}
    clicked = min(1.0, dice + 0.15)
    return Scored(
        row,
        has_nerve=True,
        size=0.01 + 0.001 * number,
        answer=Answer(contour(dice), None, 0.2, "unaffected", 30.0),
        click_answer=Answer(contour(clicked), contour(clicked), 0.2, "unaffected", 31.0),
    )


def judged(name: str, number: int, version: str, p: float | None) -> Scored:
    """One version of a scan: the original, its sham, or with a pathology written in."""
    affected = version == "affected"
    row = {"image": f"/x/{version}/{number}.png", "listed image": f"{version}/{number}.png"}
    row |= {"group": f"{name}-{number // 2}", "site": "neck" if name == "kaggle" else "wrist"}
    row |= {"kind": KINDS[number % 3] if affected else "", "sham": "1" if version == "sham" else "0"}
    row |= {"severity": f"{0.35 + 0.6 * (number % 7) / 6:.3f}" if affected else "0"}
    row |= {"source_image": f"{name}/images/{number:03d}.png", "device": "A" if number % 2 else "B"}
    size = (0.01 + 0.001 * number) * (2 if affected else 1)
    return Scored(
        row, label=int(affected), has_nerve=True, size=size, answer=Answer(contour(0.7), None, p, "", 30.0)
    )


def fill(folder: Path, images: int = 12, seed: int = 0) -> None:
    """Publish invented results of two sets: shipped weights, and an architecture on both splits."""
    rng = np.random.default_rng(seed)
    store = ResultsStore(folder / "results.sqlite")
    for name, level in (("usgra", 0.6), ("kaggle", 0.75)):
        for method, split, setup, gain in (
            ("weights:research", "test", PRESENT, 0.1),
            ("unet", "test", SETUP, 0.0),
            ("unet", "image", SETUP, 0.12),
        ):
            dice = np.clip(rng.normal(level + gain, 0.15, images), 0, 1)
            scored = [outline(name, number, float(value)) for number, value in enumerate(dice)]
            store.add(Run(method, name, split, "contours", 0, setup), scored)
        verdicts = []
        for number in range(images):
            for version, middle in (("original", 0.2), ("sham", 0.35), ("affected", 0.75)):
                p = float(np.clip(rng.normal(middle, 0.2), 0, 1))
                verdicts.append(judged(name, number, version, None if number == 3 else p))
        store.add(Run("weights:research", name, "test", "verdict", setup=PRESENT), verdicts)
    publish(store, folder)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the page looks for results and trainings; nothing is there yet."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setenv("NERVE_RESULTS", str(folder))
    monkeypatch.setattr(metrics_training, "RUNS", tmp_path / "runs")
    return folder


@pytest.fixture
def page(app: AppTest, results: Path) -> AppTest:
    """The Metrics page, not yet run with results."""
    app.run()
    return app.switch_page("pages/metrics.py")


def at(page: AppTest, section: str) -> AppTest:
    page.session_state["metrics-section"] = section
    page.run()
    assert not page.exception
    return page


def charts(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def numbers(values: Any) -> list[float]:
    """Values of a trace, which plotly may have packed."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()
    return list(values)


def marks(page: AppTest) -> list[dict[str, Any]]:
    """The operating points in the charts."""
    traces = [trace for chart in charts(page) for trace in chart["data"]]
    return [trace for trace in traces if trace.get("name") == "operating point"]


def confusion(page: AppTest) -> str:
    """The table of truth and call."""
    (found,) = (each.proto.body for each in page.get("html") if "metrics-confusion" in each.proto.body)
    return found


def said(page: AppTest) -> str:
    return " ".join(texts(page))


@pytest.mark.parametrize("section", ["Headline", "Verdict", "Outlines", "Two traps"])
def test_without_results_it_says_how_to_make_them(page: AppTest, section: str):
    at(page, section)
    assert not page.error and any("python -m nerve_core benchmark run" in each.value for each in page.info)


def test_without_trainings_it_says_how_to_train(page: AppTest):
    assert "python -m nerve_core train" in at(page, "Training curves").info[0].value


def test_the_headline_stands_beside_the_claims(page: AppTest, results: Path):
    fill(results)
    at(page, "Headline")
    words = said(page)
    assert "0.945" in words and "22 ms, GPU" in words and "nobody can check" in words
    assert "simulated" in words and "mean of sets" in words and "Research use only" in words
    assert [each.label for each in page.metric][2:] == [
        "Affected against healthy (AUC)",
        "Controls called healthy",
    ]
    assert all("95 % CI" in each.delta for each in page.metric)
    assert len(page.get("download_button")) == 4


def test_the_threshold_moves_counts_figures_and_marks(page: AppTest, results: Path):
    fill(results)
    at(page, "Verdict")
    words, counts, before = said(page), confusion(page), marks(page)
    assert len(before) == 2 and "At the threshold of 0.50" in words
    page.slider(key="metrics-threshold").set_value(0.9).run()
    assert not page.exception and "At the threshold of 0.90" in said(page)
    assert confusion(page) != counts and marks(page)[0]["y"][0] < before[0]["y"][0]


def test_severity_sets_and_controls_change_how_many_count(page: AppTest, results: Path):
    fill(results)
    at(page, "Verdict")
    assert "n = 64 images of 12 groups" in said(page)  # 16 of 24 affected images are of 0.5 and more
    page.toggle(key="metrics-shams").set_value(False).run()
    assert "n = 40 images of 12 groups" in said(page)
    page.slider(key="metrics-severity").set_value(0.0).run()
    assert "n = 48 images of 12 groups" in said(page)
    page.session_state["metrics-sets"] = ["usgra"]
    page.run()
    assert not page.exception and "n = 24 images of 6 groups" in said(page)


@pytest.mark.parametrize("by", ["set", "site", "size", "device", "severity", "kind"])
def test_the_verdict_is_divided_in_every_way(page: AppTest, results: Path, by: str):
    fill(results)
    page.session_state["metrics-verdict-by"] = by
    at(page, "Verdict")
    first = {"set": "kaggle", "site": "wrist", "size": "small \\(below", "device": "| A |"}
    assert first.get(by, {"severity": "0.3 to 0.5", "kind": "hypoechogenicity"}.get(by)) in said(page)


def test_outlines_are_spread_listed_and_opened(page: AppTest, results: Path):
    fill(results)
    at(page, "Outlines")
    (chart,) = charts(page)
    assert sum(len(numbers(trace["y"])) for trace in chart["data"] if trace["type"] == "scatter") == 24
    cases = [each for each in page.button if str(each.key).startswith("metrics-case-")]
    assert len(cases) == 16
    cases[0].click().run()
    assert not page.exception and any("is not on this computer" in each.value for each in page.info)
    page.session_state["metrics-pointing"] = "click_"
    page.run()
    assert not page.exception and "With a click" in said(page)


def test_a_case_on_this_computer_shows_both_outlines(
    page: AppTest, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: KnownPredictor
):
    folder = tmp_path / "data" / "usgra"
    folder.mkdir(parents=True)
    monkeypatch.setenv("NERVE_SAMPLES", str(tmp_path / "data" / "samples"))
    (folder / "a.png").write_bytes(png(3))
    cv2.imwrite(str(folder / "m.png"), cv2.circle(np.zeros(SIZE, np.uint8), (60, 50), 15, 255, -1))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "mask", "label", "group"], ["a.png", "m.png", "", "1"]])
    page.session_state[ASKED] = Case("weights:research", "usgra", "a.png", "", "click_", 0.25)
    at(page, "Headline")
    assert "White dashes: drawn by hand; Green line: the model, now; cross: the click" in said(page)
    assert known.calls[-1][1] == pytest.approx((60, 50), abs=1.5)  # the thickest point of the true nerve
    page.session_state[ASKED] = Case("unet", "usgra", "a.png", "", "", 0.25)
    page.run()
    assert not page.exception and "only the outline by hand is shown" in said(page)


def test_the_traps_are_shown_with_a_sentence(page: AppTest, results: Path):
    fill(results)
    at(page, "Two traps")
    words = said(page)
    assert "Frames of one patient look alike" in words and "Promised too much" in words
    assert "Controls right" in words and len(charts(page)) == 1


def test_curves_of_a_resumed_training_are_joined(page: AppTest, results: Path, tmp_path: Path):
    for version, lines in enumerate((["0,1,0.9,", "1,2,0.8,0.5"], ["1,2,0.7,0.6", "2,3,0.6,"])):
        folder = tmp_path / "runs" / "mine" / "contour" / "history" / f"version_{version}"
        folder.mkdir(parents=True)
        text = "\n".join(["epoch,step,train/loss,val/dice_usgra", *lines])
        (folder / "metrics.csv").write_text(text + "\n")
    at(page, "Training curves")
    loss, dice = charts(page)
    (line,) = loss["data"]
    assert numbers(line["x"]) == [1, 2, 3] and numbers(line["y"]) == [0.9, 0.7, 0.6]
    assert numbers(dice["data"][0]["y"]) == [0.6]
    (tmp_path / "runs" / "mine" / "contour" / "history" / "version_1" / "metrics.csv").write_text("\0\1")
    page.run()
    assert not page.exception and "is damaged" in page.error[0].value


def test_a_damaged_file_gets_a_sentence_and_leaves_the_rest(page: AppTest, results: Path):
    fill(results)
    (results / "benchmark-verdict.parquet").write_bytes(b"PAR1 nothing")
    at(page, "Headline")
    assert len(page.error) == 1 and "benchmark-verdict.parquet is damaged" in page.error[0].value
    assert "usgra" in said(page)
