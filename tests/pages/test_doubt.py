"""How sure: the tab of the Explain page, and judging a scan that the learned gate holds back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.explain.expected_dice import FIGURES
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, Prediction
from nerve_core.inference.scope import MUSCLE, SENTENCES
from nerve_core.ui.words import NOTICE
from tests.pages.conftest import KnownPredictor, png, speckle, texts

CALIBRATED = {
    "expected_dice": {
        "figures": list(FIGURES), "mean": [0.0] * len(FIGURES), "scale": [1.0] * len(FIGURES),
        "weights": [0.0] * len(FIGURES), "bias": 0.74,
    },
    "area_reach": {"level": 0.9, "reach": 2.0},
    "conformal": {
        "level": 0.9,
        "levels": [
            {"level": 0.9, "affected_from": 0.4, "unaffected_to": 0.6},
            {"level": 0.98, "affected_from": 0.1, "unaffected_to": 0.95},
        ],
    },
}  # fmt: skip
MEASURED = {
    "research": {
        "conformal": [
            {
                "promised": 0.9,
                "coverage": {"value": 0.91, "ci95": [0.88, 0.94], "n": 321},
                "abstained": {"value": 0.12, "ci95": [0.1, 0.14], "n": 321},
            }
        ],
        "expected_dice": {"all": {"n": 143, "error": 0.09, "spearman": 0.71}},
    }
}

SCRIPT = """
import streamlit as st
from nerve_core.ui import explain_doubt
explain_doubt.show(*st.session_state["subject"])
"""


@pytest.fixture
def tab(known: KnownPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Draws the tab for a scan with one nerve."""
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path))
    known.folder = tmp_path
    known.p_affected = lambda pixels, mask: 0.8 if np.count_nonzero(mask) > 100 else 0.3
    known.contour = lambda inputs: 4 * inputs[:, :1]
    monkeypatch.setattr("nerve_core.explain.doubt.members", lambda folder: ())

    def draw() -> AppTest:
        scan = Scan(speckle())
        page = AppTest.from_string(SCRIPT, default_timeout=60)
        page.session_state["subject"] = (scan, known.predict(scan), known, None)
        page.run()
        assert not page.exception
        return page

    return draw


def test_without_calibration_it_says_so(tab: Any) -> None:
    said = " ".join([*texts(tab()), *(info.value for info in tab().info)])
    assert "not calibrated for these weights" in said and NOTICE in said


def test_calibrated_weights_give_quality_interval_and_sets(
    tab: Any, known: KnownPredictor, tmp_path: Path
) -> None:
    known.config |= CALIBRATED
    (tmp_path / "trust.json").write_text(json.dumps(MEASURED))
    page = tab()
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Expected quality of the outline (Dice)"] == "0.74"
    said = " ".join(texts(page))
    assert "Only **affected** is left" in said and "88% to 94%" in said and "90% certainty" in said
    page.session_state["doubt-level"] = 0.98
    page.run()
    assert "**uncertain**" in " ".join(texts(page))


def test_no_nerve_leaves_nothing_to_doubt(tab: Any, known: KnownPredictor) -> None:
    known.p = None
    assert "nothing to be sure of" in tab().info[0].value


def test_a_scan_held_back_can_be_judged_all_the_same(
    diagnose: AppTest, known: KnownPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = known.predict

    def held(scan: Scan, click: Any = None, preprocess: Any = None, gate: bool = True) -> Prediction:
        found = replace(free(scan, click, preprocess), beyond=SENTENCES[MUSCLE])
        if not gate:
            return found
        none = np.zeros_like(found.mask)
        return replace(found, mask=none, nerves=(), verdict=NO_NERVE, p_affected=None, reason=found.beyond)

    monkeypatch.setattr(known, "predict", held)
    page = diagnose
    page.file_uploader[0].set_value(("muscle.png", png(), "image/png")).run()
    said = " ".join(texts(page))
    assert "muscle with no nerve in view" in said and "No nerve found" in said
    page.button(key="overrule").click().run()
    assert not page.exception
    said = " ".join(texts(page))
    assert "Judged all the same" in said and "Looks affected" in said
    page.button(key="overrule").click().run()
    assert "No nerve found" in " ".join(texts(page))


def test_a_scan_that_cannot_be_read_is_never_judged(diagnose: AppTest, known: KnownPredictor) -> None:
    known.reason = "The scan is too dark to be read."
    diagnose.file_uploader[0].set_value(("dark.png", png(), "image/png")).run()
    assert not [button for button in diagnose.button if button.key == "overrule"]
