"""Two scans compared on the Diagnose page: only when asked, only where a rule fits, and into the report."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.ui.words import NOTICE
from tests.pages.conftest import KnownPredictor, png, texts
from tests.pages.test_diagnose import upload


@pytest.fixture
def opened(diagnose: AppTest) -> AppTest:
    """Two scans, each with a circle of 20 px, the panel open and both nerves named."""
    diagnose.session_state["pairs"] = True
    page = upload(diagnose, ("wrist.png", png()), ("forearm.png", png(1)))
    for slot in ("first", "second"):
        page.selectbox(key=f"pairs-nerve-{slot}").set_value("median")
    page.run()
    page.selectbox(key="pairs-site-first-median").set_value("wrist")
    page.selectbox(key="pairs-site-second-median").set_value("forearm")
    return page.run()


def scales(page: AppTest, *mm: float) -> None:
    for view, each in zip(page.session_state["views"].values(), mm, strict=True):
        view.mm_per_px = each


def test_one_scan_has_nothing_to_compare(diagnose: AppTest):
    diagnose.session_state["pairs"] = True
    page = upload(diagnose, ("scan.png", png()))
    assert not any(box.label == "First scan" for box in page.selectbox)


def test_without_a_scale_the_users_word_is_asked_for(opened: AppTest):
    assert any("same scale" in info.value for info in opened.info)
    (box,) = (box for box in opened.checkbox if "same scale" in box.label)
    box.check().run()
    assert any("Wrist-to-forearm ratio 1.00: the rule" in text for text in texts(opened))


def test_the_rule_stands_beside_the_verdict_with_its_figures(opened: AppTest):
    scales(opened, 0.2, 0.1)
    opened.run()
    said = " ".join(texts(opened))
    assert "Wrist-to-forearm ratio 4.00" in said and "wrist-to-forearm ratio > 3 is met" in said
    assert "| 68.2 % | 64.8 % | severe carpal tunnel syndrome |" in said and "healthy Asian adults" in said
    assert "Evidence beside the verdicts" in said and NOTICE in said and "Looks affected" in said


def test_what_was_found_stands_in_the_report_of_both(opened: AppTest):
    scales(opened, 0.2, 0.1)
    opened.session_state["report"] = True
    opened.run()
    assert "ratio 4.00" in opened.text_area[0].value and "Abrishamchi" in opened.text_area[0].value


def test_a_pair_without_a_rule_is_told_which_there_are(opened: AppTest):
    opened.selectbox(key="pairs-site-second-median").set_value("axilla").run()
    assert any("No published rule compares" in info.value for info in opened.info) and not opened.exception


def test_left_and_right(opened: AppTest, known: KnownPredictor):
    scales(opened, 0.11, 0.1)
    for slot in ("first", "second"):
        opened.selectbox(key=f"pairs-nerve-{slot}").set_value("fibular")
    opened.run()
    for slot in ("first", "second"):
        opened.selectbox(key=f"pairs-site-{slot}-fibular").set_value("fibular head")
    opened.run()
    assert any("which side each scan shows" in info.value for info in opened.info)
    opened.segmented_control(key="pairs-side-first").set_value("left")
    opened.segmented_control(key="pairs-side-second").set_value("right").run()
    said = " ".join(texts(opened))
    assert "Side-to-side difference 2.8 mm²" in said and "Side-to-side ratio 1.21" in said
