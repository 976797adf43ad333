"""The section on what each kind of training data adds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import texts

SETUP = {"size": 128, "steps": 225, "batch": 16, "most": 120}


def figures(dice: float, n: int = 120) -> dict[str, Any]:
    return {"n": n, "groups": n // 2, "dice_mean": dice, "dice_ci95": [dice - 0.05, dice + 0.04]}


def scores(dice: float) -> dict[str, Any]:
    return figures(dice) | {"click": figures(dice + 0.3)}


ROWS = {
    "plain": {
        "what": "real scans",
        "setup": SETUP,
        "without": {"usgra": {"usgra": scores(0.28)}, "none": {"usgra": scores(0.55), "kaggle": scores(0.6)}},
    },
    "phantoms": {
        "what": "+ phantoms <b>",
        "setup": SETUP,
        "without": {"usgra": {"usgra": scores(0.41)}, "ubpd": {"ubpd": scores(0.2)}},
    },
}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the page looks for the figures; nothing is there yet."""
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path))
    return tmp_path / "ablation.json"


@pytest.fixture
def section(app: AppTest, results: Path) -> AppTest:
    """The Data page, which opens at the section when it is run."""
    app.run()
    page = app.switch_page("pages/data.py").run()
    page.session_state["data-section"] = "What data adds"
    return page


def charts(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def test_without_figures_it_says_how_to_make_them(section: AppTest):
    section.run()
    assert not section.exception and "python -m benchmarks.ablation" in section.info[0].value


def test_each_unseen_set_has_a_panel_with_intervals(section: AppTest, results: Path):
    results.write_text(json.dumps({"rows": ROWS}))
    section.run()
    assert not section.exception and not section.error
    heads = [each.value for each in section.subheader]
    assert heads == ["Usgra, left out of training (n = 120)", "Ubpd, left out of training (n = 120)"]
    usgra, ubpd = charts(section)
    assert [trace["x"] for trace in usgra["data"]] == [[0.28], [0.41]] and len(ubpd["data"]) == 1
    bar = usgra["data"][0]["error_x"]
    assert (bar["array"], bar["arrayminus"]) == (pytest.approx([0.04]), pytest.approx([0.05]))
    hover = usgra["data"][1]["hovertemplate"]
    assert "n = 120 scans of 60 groups" in hover and "&lt;b&gt;" in hover
    said = " ".join(texts(section))
    assert "small network" in said and "225 steps of 16" in said and "128 × 128 px" in said


def test_a_click_and_the_sets_seen_are_chosen(section: AppTest, results: Path):
    results.write_text(json.dumps({"rows": ROWS}))
    section.run()
    section.segmented_control(key="ablation-click").set_value("One click").run()
    assert charts(section)[0]["data"][0]["x"] == [pytest.approx(0.58)]
    (view,) = [each for each in section.segmented_control if each.key == "ablation-view"]
    view.set_value(view.options[1]).run()
    assert not section.exception
    assert [each.value for each in section.subheader] == ["Usgra (n = 120)", "Kaggle (n = 120)"]
    assert section.dataframe[0].value["Dice"].tolist() == [pytest.approx(0.85), pytest.approx(0.9)]


def test_a_row_stands_below_what_it_builds_on(section: AppTest, results: Path):
    names = ("+ a, b", "plain, bare", "+ a, b, c", "+ a")
    rows = {n: {"what": n, "setup": SETUP, "without": {"ubpd": {"ubpd": scores(0.3)}}} for n in names}
    results.write_text(json.dumps({"rows": rows}))
    section.run()
    order = ["plain, bare", "+ a", "+ a, b", "+ a, b, c"]
    assert [trace["name"] for trace in charts(section)[0]["data"]] == order
    assert section.dataframe[0].value["Trained with"].tolist() == order
    assert any("UBPD" in text for text in texts(section))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"rows": []}', '{"rows": {"a": {}}}', '{"rows": {"a": {"what": "b", "without": 1}}}'],
)
def test_damaged_figures_get_one_sentence(section: AppTest, results: Path, text: str):
    results.write_text(text)
    section.run()
    assert not section.exception and len(section.error) == 1
    assert "ablation.json are damaged" in section.error[0].value
