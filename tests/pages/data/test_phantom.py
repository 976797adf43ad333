"""The phantom simulator of the Data page."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from nerve_core.ui import examples
from tests.pages.data.conftest import at, other, said


def test_a_phantom_follows_probe_depth_and_tilt(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(data, "Phantom simulator")
    page.segmented_control(key="phantom-probe").set_value("curved").run()
    assert "Device: simulated curved probe" in said(page) or "Device: simulated microconvex" in said(page)
    page.segmented_control(key="phantom-probe").set_value("linear").run()
    page.toggle(key="phantom-deep").set_value(True).run()
    page.slider(key="phantom-depth-wrist").set_value(30).run()
    assert "30 mm deep" in said(page)
    page.slider(key="phantom-tilt").set_value(20).run()
    assert not page.exception and not page.error


def test_a_phantom_goes_on_to_diagnose_with_its_scale(data: AppTest, known, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(data, "Phantom simulator")
    known.calls.clear()
    page.button(key="phantom-diagnose").click().run()
    assert not page.exception and page.title[0].value == "Diagnose"
    scan = known.calls[-1][0]
    assert scan.name.endswith(".dcm") and scan.spacing_mm is not None
    carried = page.session_state["carried"][-1]
    truth = examples.truth(carried)
    assert truth.shape == scan.pixels.shape and set(np.unique(truth)) == {0, 255}
    assert examples.truth(carried, 1) is None


def test_phantom_follows_its_sliders(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(data, "Phantom simulator")
    assert "| median | unaffected |" in said(page)
    page.selectbox(key="phantom-site").set_value("elbow").run()
    assert not page.exception and "ulnar" in said(page)


def test_a_damaged_set_does_not_take_the_phantoms_away(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(other(data, "nowhere.csv"), "Phantom simulator")
    assert len(page.error) == 1 and "mm deep" in said(page)
