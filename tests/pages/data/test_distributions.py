"""What the Data page measures and checks: distributions, split and leakage."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.ui import data_sets
from nerve_core.ui.data_plots import CHARTS
from tests.pages.data.conftest import at, said


def test_distributions_state_their_number_and_what_is_left_out(data: AppTest):
    page = at(data, "Distributions")
    assert (
        "n = 6 scans" in said(page)
        and "1 scan of “Shipped samples (simulated)” could not" in page.warning[0].value
    )
    table = page.dataframe[0].value
    assert table["Scans (n)"].sum() == 6 and (table["Median"] > 0).all()


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "Size"])
def test_every_distribution_is_drawn(data: AppTest, folder: Path, name: str):
    page = at(data, "Distributions")
    page.session_state[f"data-chart-{data_sets._read('', folder).mark}"] = name
    page.run()
    assert not page.exception and CHARTS[name].y_title in set(page.dataframe[0].value["Quantity"])


def test_a_large_set_is_measured_and_checked_only_when_asked(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_measure.AT_ONCE", 3)
    monkeypatch.setattr("nerve_core.ui.data_split.AT_ONCE", 3)
    page = at(data, "Distributions")
    assert [each.label for each in page.button] == ["Measure 7 scans"] and not page.get("plotly_chart")
    page.button[0].click().run()
    assert page.get("plotly_chart")
    page = at(page, "Split and leakage")
    assert [each.label for each in page.button] == ["Check 7 scans"]


def test_split_and_check(data: AppTest):
    page = at(data, "Split and leakage")
    table = page.dataframe[0].value
    assert table["Scans (n)"].sum() == 7 and table["Groups on another side too (n)"].sum() == 0
    assert any("Unreadable" in error.value for error in page.error)
