"""The pathology simulator of the Data page."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from streamlit.testing.v1 import AppTest

from nerve_core.ui import examples
from tests.pages.data.conftest import CIRCLE, at, said


def test_pathology_enlarges_the_nerve_and_says_by_how_much(data: AppTest):
    page = at(data, "Pathology simulator")
    assert "mm² before" in said(page) and "in the control" in said(page)
    page.multiselect(key="pathology-kinds").set_value([]).run()
    assert any("at least one kind" in info.value for info in page.info)


def test_pathology_shows_what_changed_and_goes_on_to_diagnose(data: AppTest, known):
    page = at(data, "Pathology simulator")
    page.toggle(key="pathology-difference").set_value(True).run()
    assert not page.exception
    (button,) = [each for each in page.button if each.key == "pathology-diagnose"]
    known.calls.clear()
    button.click().run()
    assert not page.exception and page.title[0].value == "Diagnose"
    assert "-simulated-swelling-0.png" in known.calls[-1][0].name
    truth = examples.truth(page.session_state["carried"][-1])
    assert truth.shape == known.calls[-1][0].pixels.shape and truth.any()
    assert "A pathology was written into this scan" in said(page)


def test_the_worked_on_nerve_and_region_are_chosen(data: AppTest, folder: Path):
    two = CIRCLE | cv2.circle(np.zeros_like(CIRCLE), (40, 120), 12, 255, -1)
    cv2.imwrite(str(folder / "1-mask.png"), two)
    page = at(data, "Pathology simulator")
    (scan,) = [each for each in page.selectbox if each.label == "Scan"]
    scan.set_value(1).run()
    (nerve,) = [each for each in page.selectbox if each.label == "Nerve"]
    nerve.set_value(1).run()
    assert "Nerve 2 of 2" in said(page)
    (site,) = [each for each in page.selectbox if each.label == "Region of the body"]
    assert site.value == "neck"
    site.set_value("").run()
    assert not page.exception and not page.error
