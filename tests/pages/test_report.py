"""The report on the Diagnose page: a draft to change, and a file without the scan's own name."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from nerve_core.clinical.report import as_pdf
from nerve_core.explain.doubt import NerveDoubt
from nerve_core.inference.prediction import NOTICE
from nerve_core.inference.review import Reading
from nerve_core.ui import measures, report, report_doubt
from nerve_core.ui.session import Item, analyse_once
from nerve_core.ui.session_items import View
from tests.pages.conftest import KnownPredictor, png
from tests.pages.test_diagnose import upload, view


@pytest.fixture
def opened(diagnose: AppTest) -> AppTest:
    diagnose.session_state["report"] = True
    diagnose.session_state["measures"] = True
    return upload(diagnose, ("Jane-Doe.png", png()))


def test_the_draft_says_what_was_found_and_follows_the_scale(opened: AppTest):
    (field,) = opened.text_area
    assert (
        "Nerve 1: looks affected, probability of looking affected 90 %." in field.value
        and "px²" in field.value
    )
    view(opened).mm_per_px = 0.1
    opened.run()
    opened.selectbox(key="norm-nerve").set_value("median").run()
    opened.selectbox(key="norm-site-median").set_value("wrist").run()
    field, steps = opened.text_area
    assert "doi:10.1002/mus.23389" in steps.value and "EAN/PNS" in steps.value
    assert "4.2 × 4.0 mm" in field.value and "above the range of 7 to 13 mm², Bae 2021" in field.value
    assert "(a source that quotes others)" in field.value and not opened.exception


def test_what_was_typed_stays(opened: AppTest):
    opened.text_area[0].set_value("My own words.").run()
    opened.text_input(key="report-reader").set_value("A. Reader").run()
    assert opened.text_area[0].value == "My own words."


def test_the_file_holds_the_page_and_not_the_files_name(known: KnownPredictor):
    outcome = analyse_once(Item("1", "Jane-Doe.png", png(), "d"), known)
    sizes = [measures.measure(outcome.scan, outcome.prediction, outcome.prediction.nerves[0])]
    made = report.content(outcome, View(), sizes, None, " study 7 ", "A. Reader", "My own words.")
    pdf = as_pdf(made)
    said = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)
    for part in ("study 7", "A. Reader", "My own words.", "Looks affected, 90 %", "42 × 40 px", NOTICE):
        assert part in said
    assert "Jane" not in said and b"Jane" not in pdf


def test_the_same_leaves_as_fhir(known: KnownPredictor):
    outcome = analyse_once(Item("1", "Jane-Doe.png", png(), "d"), known)
    sizes = [measures.measure(outcome.scan, outcome.prediction, outcome.prediction.nerves[0])]
    chosen = measures.Compared(0, "median", "wrist")
    made = report.content(outcome, View(), sizes, chosen, "study 7", "A. Reader", "My words.", "A step (x).")
    sent = json.loads(report.as_fhir(outcome, View(), chosen, made))
    first = sent["entry"][0]["resource"]
    assert first["status"] == "preliminary" and first["conclusion"].startswith("My words.\nA step (x).")
    assert base64.b64decode(first["presentedForm"][0]["data"]).startswith(b"%PDF")
    assert "Jane" not in json.dumps(sent) and first["subject"]["identifier"]["value"] == "study 7"
    read = View(readings={0: Reading(False, "uncertain", reviewer="A. Reader")})
    sent = json.loads(report.as_fhir(outcome, read, chosen, made))
    assert sent["entry"][0]["resource"]["status"] == "final" and "Conclusion of the reader" in json.dumps(
        sent
    )


def test_norms_are_of_the_nerve_that_was_chosen(known: KnownPredictor):
    outcome = analyse_once(Item("1", "a.png", png(), "d"), known)
    (size,) = (measures.measure(outcome.scan, outcome.prediction, outcome.prediction.nerves[0]),)
    sizes = [replace(size, unit="mm", area=area) for area in (20.0, 9.0)]
    second = measures.Compared(1, "median", "wrist")
    made = report.content(outcome, View(), sizes, second, "", "", "")
    assert made.tables[-1].heading == "Nerve 2 beside published sizes: median nerve, wrist"
    assert made.tables[-1].rows[0][0] == "within the range of 7 to 13 mm²"
    assert report.area_compared(sizes, replace(second, number=2)) is None
    assert report.area_compared([size], replace(second, number=0)) is None  # no scale


def test_only_the_ultrasound_region_is_shown(known: KnownPredictor):
    outcome = analyse_once(Item("1", "a.png", png(), "d"), known)
    outcome.scan.__dict__["region"] = (10, 20, 110, 150)
    assert report.content(outcome, View(), [], None, "", "", "").picture.shape == (100, 130, 3)


def test_how_sure_the_model_is_stands_in_it_when_asked_for(known: KnownPredictor, monkeypatch):
    outcome = analyse_once(Item("1", "a.png", png(), "d"), known)
    doubt = SimpleNamespace(maps=[0] * 6)
    own = NerveDoubt((1000.0, 1200.0), 0.1, {"as drawn": 0.9, "mirrored": 0.7})
    monkeypatch.setattr("nerve_core.ui.explain_doubt.looks", lambda *_: (doubt, [own]))
    known.config["area_reach"] = {"level": 0.9, "reach": 2.0}
    table = report_doubt.table(outcome, View(), known)
    low, high = 1256 * np.exp(-0.2), 1256 * np.exp(0.2)
    assert table.rows == [("Nerve 1", "90 % (70 % to 90 %)", "–", f"{low:,.0f} to {high:,.0f} px²")]
    assert "90% certainty" in table.note and "6 looks" in table.note
    made = report.content(outcome, View(), [], None, "", "", "", "", [table])
    assert [each.heading for each in made.tables] == ["How sure the model is"]
