"""Correcting outlines on the Diagnose page: verdict, sizes and report follow; the reader's word is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.clinical.measure import measure
from nerve_core.inference.edited import judge_contours
from nerve_core.inference.prediction import NOTICE
from nerve_core.ui import draw, report, verdict
from nerve_core.ui.edit import CORRECT
from nerve_core.ui.session import analyse_once
from nerve_core.ui.session_items import Edit, Item, View
from tests.pages.conftest import KnownPredictor, png, texts
from tests.pages.test_diagnose import upload, view

SQUARE = np.float32([[20, 20], [60, 20], [60, 70], [20, 70]])


@pytest.fixture
def opened(diagnose: AppTest) -> AppTest:
    diagnose.session_state["report"] = diagnose.session_state["measures"] = True
    return upload(diagnose, ("scan.png", png()))


def chosen(page: AppTest, start: str):
    return next(group for group in page.button_group if group.key.startswith(start))


def test_the_outline_drawn_is_measured_judged_and_reported(opened: AppTest, known: KnownPredictor):
    chosen(opened, "correct-").set_value(CORRECT).run()
    assert not opened.exception
    known.p = 0.1
    view(opened).edits[0] = Edit(1, (SQUARE,))
    opened.run()
    said = " ".join(texts(opened))
    assert "Looks unaffected" in said and "| 1 | unaffected | 10 % | 2,000 px² |" in said
    assert "model's own outline gave: Looks affected (90 %)" in said and NOTICE in said
    assert "as corrected by hand" in said and "| Width × height | 64 × 40 px |" in said
    (findings,) = [area for area in opened.text_area if area.label.startswith("Findings")]
    assert "corrected by hand" in findings.value and "2,000 px²" in findings.value


def test_a_step_that_cannot_be_used_leaves_the_page_as_it_was(opened: AppTest):
    chosen(opened, "correct-").set_value(CORRECT).run()
    view(opened).edits[0] = Edit(2, (SQUARE,), "Outline 1 crosses itself: undo.")
    opened.run()
    assert "2,000 px²" in " ".join(texts(opened)) and not opened.exception


def test_the_way_back_leads_to_the_models_outline(opened: AppTest):
    view(opened).edits[0] = Edit(5, (SQUARE,))
    opened.run()
    (back,) = [button for button in opened.button if button.label == "Back to the model's outline"]
    back.click().run()
    assert view(opened).edit.contours is None and view(opened).edit.revision > 5
    assert "1,316 px²" in " ".join(texts(opened)) and "corrected by hand" not in " ".join(texts(opened))


def test_without_outlines_no_nerve_is_claimed_and_one_can_be_drawn(diagnose: AppTest, known: KnownPredictor):
    known.p = None
    page = upload(diagnose, ("scan.png", png()))
    assert "No nerve found" in " ".join(texts(page))
    view(page).edits[0] = Edit(1, (SQUARE,))
    page.run()
    assert "| 1 | uncertain | 50 % | 2,000 px² |" in " ".join(texts(page))
    view(page).edits[0] = Edit(2, ())
    page.run()
    assert "taken away by hand" in " ".join(texts(page)) and not page.exception


def test_a_scan_that_is_not_assessable_offers_no_correction(diagnose: AppTest, known: KnownPredictor):
    known.reason = "The frame is blank."
    page = upload(diagnose, ("scan.png", png()))
    assert not [group for group in page.button_group if group.key.startswith("correct-")]


def test_another_weight_judges_the_same_drawn_outline(opened: AppTest, known: KnownPredictor):
    view(opened).edits[0] = Edit(1, (SQUARE,))
    opened.run()
    known.p, known.version = 0.2, "2"
    opened.run()
    assert "| 1 | unaffected | 20 % | 2,000 px² |" in " ".join(texts(opened))


def test_agreeing_takes_the_models_verdict_as_final_reading(opened: AppTest):
    chosen(opened, "agree-").set_value(True).run()
    kept = view(opened).readings[0]
    assert (kept.agrees, kept.reading, kept.corrected) == (True, "affected", False)
    assert len(kept.contours) == 1 and not opened.exception
    (findings,) = [area for area in opened.text_area if area.label.startswith("Findings")]
    assert "Final reading: affected, in agreement with the model." in findings.value


def test_the_readers_word_goes_with_the_corrected_outline(opened: AppTest):
    view(opened).edits[0] = Edit(1, (SQUARE,))
    opened.run()
    chosen(opened, "agree-").set_value(False).run()
    assert 0 not in view(opened).readings  # disagreement alone concludes nothing
    chosen(opened, "final-").set_value("unaffected").run()
    next(box for box in opened.text_input if box.label == "Comment").set_value("Healthy rim.").run()
    opened.text_input(key="report-reader").set_value("A. Reader").run()
    kept = view(opened).readings[0]
    assert (kept.agrees, kept.reading, kept.comment, kept.reviewer, kept.corrected) == (
        False, "unaffected", "Healthy rim.", "A. Reader", True,
    )  # fmt: skip
    assert np.array_equal(kept.contours[0], SQUARE)
    (findings,) = [area for area in opened.text_area if area.label.startswith("Findings")]
    assert "Final reading: unaffected, other than the model.\nHealthy rim." in findings.value


def test_the_table_of_all_scans_and_the_comparison_take_the_corrected_outline(diagnose: AppTest):
    page = upload(diagnose, ("one.png", png()), ("two.png", png(1)))
    page.session_state["pairs"] = True
    first = next(iter(page.session_state["views"].values()))
    first.edits[0] = Edit(1, (SQUARE,))
    page.run()
    assert list(page.dataframe[0].value["Remark"]) == ["Outline corrected by hand.", ""]
    first.edits[0] = Edit(2, ())
    page.run()
    assert list(page.dataframe[0].value["Nerves"]) == [0, 1] and not page.exception


def test_picture_report_and_result_say_that_the_outline_is_a_persons(known: KnownPredictor):
    outcome = analyse_once(Item("1", "a.png", png(), "d"), known)
    known.p = 0.1
    judged = judge_contours(known, outcome.scan, [SQUARE], outcome.prediction)
    drawn = replace(outcome, prediction=judged, before=outcome.prediction)
    sizes = [measure(drawn.scan, judged, judged.nerves[0])]
    made = report.content(drawn, View(), sizes, None, "", "", "")
    assert (
        made.caption.startswith("Outlines corrected by hand") and "corrected by hand" in made.tables[0].note
    )
    assert made.verdict.startswith("Looks unaffected, 10 %") and "looks affected (90 %)" in made.verdict
    assert json.loads(verdict.as_json(judged, drawn))["edited"] is True
    assert draw.overlay_png(drawn.scan, judged) != draw.overlay_png(drawn.scan, replace(judged, edited=False))
