"""The Explain page: its tabs, and one clear sentence where there is nothing to explain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.errors import CheckpointError
from nerve_core.explain.judge import Judge
from nerve_core.inference.contours import Selection
from nerve_core.ui.session_items import Edit
from nerve_core.ui.words import NOTICE
from tests.explain.conftest import weights
from tests.pages.conftest import KnownPredictor, png, texts


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return Judge(weights(tmp_path_factory.mktemp("weights"), "nerve_pooled"))


@pytest.fixture
def explain(
    app: AppTest, known: KnownPredictor, untrained: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AppTest:
    """The dashboard at the Explain page; brightness alone makes a nerve affected."""

    def p_affected(pixels: np.ndarray, mask: np.ndarray) -> float:
        return float(np.clip(pixels[mask > 0].mean() / 255, 0, 1))

    known.p_affected, known.selection = p_affected, Selection()
    monkeypatch.setattr("nerve_core.ui.explain_subject.judge", lambda predictor: untrained)
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path))
    app.run()
    return app.switch_page("pages/explain.py").run()


def section(page: AppTest, name: str) -> str:
    page.session_state["explain-section"] = name
    page.run()
    assert not page.exception
    return " ".join(texts(page))


def with_sample(page: AppTest) -> AppTest:
    return page.selectbox(key="sample").set_value("Simulated wrist").run()


def test_without_a_scan_it_says_what_to_do(explain: AppTest):
    said = " ".join(texts(explain))
    assert "Drop a scan above" in said and NOTICE in said and not explain.exception and not explain.error


def test_the_map_is_read_in_a_sentence_beside_verdict_and_notice(explain: AppTest):
    page = with_sample(explain)
    said = " ".join(texts(page))
    assert not page.exception and not page.error
    assert "evidence for affected" in said or "speaks for affected" in said
    assert "**Nerve 1: affected**, 90 %" in said and NOTICE in said and "px²" in said
    assert "was not measured for these weights" in said
    for view in ("Overlay", "Difference of two methods"):
        page.selectbox(key="explain-view").set_value(view).run()
        assert not page.exception and not page.error
    page.selectbox(key="explain-method-verdict").set_value("hires_cam").run()
    page.selectbox(key="explain-layer-verdict-hires_cam").set_value("coarse").run()
    assert not page.exception and not page.error
    page.session_state["explain-what"] = "The outline"
    page.run()
    assert not page.exception and not page.error
    assert "made the network draw this outline" in " ".join(texts(page))


def test_size_and_echo_move_the_probability(explain: AppTest):
    page = with_sample(explain)
    said = section(page, "What if")
    assert "An approximation" in said and "no pathology was written" in said.lower()
    page.slider[1].set_value(40).run()
    after = " ".join(texts(page))
    assert not page.exception and after.count("probability of looking affected") >= 2 and after != said


def test_measured_truth_is_shown(explain: AppTest, tmp_path: Path):
    page = with_sample(explain)
    assert "Not measured yet" in section(page, "Is the map true?")
    rate = {"value": 0.9, "ci95": [0.8, 1.0]}
    one = {"n": 20, "groups": 9, "density": {"value": 4.0, "ci95": None}, "pointing": rate, "undone": rate}
    chance = {"density": {"value": 1.1, "ci95": None}}
    found = {"steady": one | {"random_weights": chance, "kinds": {"rim": one}}, "grad_cam": one}
    results = {"research": {"test": {"methods": found, "cases": {"rim": {"tried": 30, "turned": 20}}}}}
    (tmp_path / "explain.json").write_text(json.dumps(results))
    said = section(page, "Is the map true?")
    assert "| Grad-CAM | 20 | 90 % (80–100) | 4.0 × | 90 % (80–100) | – |" in said
    assert "| Bright part of the rim | 20 of 30 |" in said
    assert [metric.value for metric in page.metric] == ["90 %", "4.0 ×", "1.1 ×"]
    (tmp_path / "explain.json").write_text("no json")
    section(page, "Is the map true?")
    assert len(page.error) == 1 and "damaged" in page.error[0].value


def test_a_page_to_take_away_with_what_would_change_it(explain: AppTest):
    said = section(with_sample(explain), "Take away")
    assert "| Mirror image |" in said and "| Change | Probability |" in said
    assert "small changes" in said and NOTICE in said


def test_too_few_scans_to_compare_with_are_said(explain: AppTest):
    page = with_sample(explain)
    section(page, "Similar scans")
    assert len(page.error) == 1 and "too small to say which are alike" in page.error[0].value


@pytest.mark.parametrize(
    ("change", "said"),
    [({"p": None}, "No nerve was found"), ({"reason": "It is too dark."}, "It is too dark.")],
)
def test_nothing_to_explain_gets_one_sentence(
    explain: AppTest, known: KnownPredictor, change: dict[str, object], said: str
):
    for name, value in change.items():
        setattr(known, name, value)
    page = with_sample(explain)
    assert not page.exception and said in " ".join(texts(page)) and NOTICE in " ".join(texts(page))
    assert not page.get("tab")


def test_an_unusable_upload_and_a_taken_one(explain: AppTest):
    page = explain
    page.file_uploader[0].set_value([("x.png", b"no picture", "image/png")])
    page.run()
    assert not page.exception and len(page.error) == 1
    page.file_uploader[0].set_value([("scan.png", png(), "image/png")])
    page.run()
    assert not page.exception and page.session_state["explained"]
    page.file_uploader[0].set_value([])
    page.run()
    assert not page.session_state["explained"]  # nothing is kept of a file taken away


def test_weights_that_cannot_be_explained_are_said(explain: AppTest, monkeypatch: pytest.MonkeyPatch):
    def broken(predictor: object) -> Judge:
        raise CheckpointError("The weights research are damaged; get the checkpoint again.")

    monkeypatch.setattr("nerve_core.ui.explain_subject.judge", broken)
    page = with_sample(explain)
    assert not page.exception and {error.value for error in page.error} == {
        "The weights research are damaged; get the checkpoint again."
    }


def test_reviewed_records_can_be_searched_too(explain: AppTest, known: KnownPredictor):
    from nerve_core.access.roles import LOCAL
    from nerve_core.imaging.read import open_scan
    from nerve_core.inference.review import Reading
    from nerve_core.records.records import About, Records

    page = with_sample(explain)
    section(page, "Similar scans")
    assert not [toggle for toggle in page.toggle if toggle.key == "explain-records"]
    for seed in range(5):
        content = png(seed)
        scan = open_scan(content, name="scan.png").scan(0)
        found = known.predict(scan)
        saved = Records(LOCAL).save(f"P-{seed}", content, scan, found, About("median", "wrist", "left"))
        reading = Reading(True, "unaffected" if seed else "uncertain", contours=(found.nerves[0].contour,))
        Records(LOCAL).review(saved.scan, reading)
    page.run()
    before = " ".join(texts(page))
    page.toggle(key="explain-records").set_value(True).run()
    said = " ".join(texts(page))
    assert not page.exception and not page.error and "P-1" not in before
    cases = page.session_state["explain-reviewed"][1]
    assert {case.label for case in cases} == {"read as unaffected; left median nerve, wrist"}
    assert sorted(case.title.split(",")[0] for case in cases) == ["P-1", "P-2", "P-3", "P-4"]
    assert "reviewed record" in said


def test_an_outline_corrected_by_hand_is_the_one_explained(explain: AppTest):
    page = with_sample(explain)
    assert "as you corrected it" not in " ".join(texts(page))
    (view,) = page.session_state["views"].values()
    view.edits[0] = Edit(1, (np.float32([[40, 40], [90, 40], [90, 80], [40, 80]]),))
    page.run()
    assert not page.exception and not page.error
    assert "2,000 px²" in " ".join(texts(page)) and "as you corrected it" in " ".join(texts(page))
