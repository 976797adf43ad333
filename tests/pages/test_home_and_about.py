"""The start page and the page on the model."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from nerve_core.errors import CheckpointError
from nerve_core.ui.words import NOTICE
from tests.pages.conftest import texts


def test_home_shows_a_real_result_and_the_notice(app: AppTest, known):
    app.run()
    said = " ".join(texts(app))
    assert not app.exception
    assert known.calls and "Looks affected" in said and "simulated sample" in said and NOTICE in said


def test_home_leads_to_the_first_upload(app: AppTest):
    app.run()
    (button,) = [button for button in app.button if button.label == "Open a scan"]
    button.click().run()
    assert not app.exception and app.title[0].value == "Diagnose" and app.file_uploader


def test_about_states_card_figures_sites_and_limits(app: AppTest):
    app.run()
    app.switch_page("pages/about.py").run()
    said = " ".join(texts(app))
    assert not app.exception
    assert NOTICE in said and "Card of the model" in said and "neck and groin" in said
    assert "| usgra | 168 | 145 | CC-BY-4.0 |" in said
    assert "Never tested on diagnosed patients" in said and "No usage statistics" in said
    assert "| usgra | 12 (9) | 0.71 (0.60–0.80) | – |" in said


def test_adapted_weights_say_on_every_page_that_their_probability_is_unchecked(app: AppTest, known):
    sets = [{"set": "clinic", "unlabelled": 40, "groups": 12, "licence": "own"}]
    known.config |= {
        "adapted": {"from": "research 1.1", "scans": 40, "sets": sets},
        "unlabelled": sets,
        "calibration": {"valid": False},
    }
    app.run()
    for page in ("pages/home.py", "pages/diagnose.py", "pages/about.py"):
        app.switch_page(page).run()
        (warning,) = [each.value for each in app.warning]
        assert "adapted to 40 scans without contours (clinic)" in warning and "not calibrated" in warning
    assert "| clinic | 12 | 40 | own |" in " ".join(texts(app))


def test_missing_weights_are_said_in_one_sentence_on_every_page(app: AppTest, monkeypatch):
    def missing(name: str):
        raise CheckpointError("The weights research are missing; run `make app`.")

    monkeypatch.setattr("nerve_core.ui.model.load", missing)
    app.run()
    for page in ("pages/home.py", "pages/diagnose.py", "pages/about.py"):
        app.switch_page(page).run()
        assert not app.exception and [error.value for error in app.error] == [
            "The weights research are missing; run `make app`."
        ]
