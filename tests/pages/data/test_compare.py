"""Real and made scans beside each other on the Data page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.ui import data_sets
from tests.pages.data.conftest import at, said, write_set


def compare(page: AppTest, path: Path, view: str) -> AppTest:
    page = at(page, "Real and made")
    page.selectbox(key="second-set").set_value(data_sets.OTHER).run()
    page.text_input(key="second-path").set_value(str(path)).run()
    page.session_state["compare-view"] = view
    page.run()
    assert not page.exception and not page.error
    return page


@pytest.fixture
def phantoms(tmp_path: Path) -> Path:
    """A second set, of scans that say they are simulated."""
    made = write_set(tmp_path / "phantoms", 3)
    text = (made / "manifest.csv").read_text().replace("somewhere:0", "simulated by nerve_core")
    (made / "manifest.csv").write_text(text)
    return made


def test_without_a_second_set_it_says_how_to_make_one(data: AppTest):
    assert "nerve_core data phantoms" in at(data, "Real and made").info[0].value


def test_two_sets_stand_side_by_side(data: AppTest, phantoms: Path):
    page = compare(data, phantoms, "Side by side")
    heads = [each.value for each in page.subheader]
    assert heads[0].endswith("(real, n = 7)") and heads[1] == "phantoms (made, n = 4)"


def test_two_sets_are_measured_against_each_other(data: AppTest, phantoms: Path):
    page = compare(data, phantoms, "Distributions")
    assert page.get("plotly_chart")
    table = page.dataframe[0].value.set_index("Quantity")
    assert table.loc["Nerve area, mm²", "Distance"] == 0 and (table["Distance"] <= 1).all()


def test_the_quiz_counts_answers(data: AppTest, phantoms: Path):
    page = compare(data, phantoms, "Which is real?")
    assert "**Which scan is real?** Pair 1." in said(page) and "No answer yet" in said(page)
    (left,) = [each for each in page.button if each.label == "A"]
    key = left.key.removesuffix("-0")
    target = page.session_state[key].question.target
    page.button(key=f"{key}-{target}").click().run()
    assert "**1 of 1 right** (100 %, 95 % CI 21 to 100 %" in said(page)
    page.button(key=f"{key}-next").click().run()
    target = page.session_state[key].question.target
    page.button(key=f"{key}-{1 - target}").click().run()
    assert "**1 of 2 right**" in said(page) and "No: it is " in page.error[0].value
    page.button(key=f"{key}-reset").click().run()
    assert "No answer yet" in said(page) and not page.exception
