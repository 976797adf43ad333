"""The Data page's sections, counts and images of a set."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.data.manifest import read_manifest
from nerve_core.ui import data_scan
from tests.pages.data.conftest import at, said

SECTIONS = (
    "Overview",
    "Images",
    "Distributions",
    "Split and leakage",
    "Augmentation",
    "Pathology simulator",
    "Phantom simulator",
    "Real and made",
    "What data adds",
    "Licences",
)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_works_on_the_samples(data: AppTest, section: str):
    page = at(data, section)
    assert not page.error or section == "Split and leakage"
    assert page.title[0].value == "Data"


def test_overview_counts_scans_and_groups(data: AppTest):
    shown = {metric.label: metric.value for metric in data.metric}
    assert shown == {"Scans": "7", "Groups": "4", "Scans a group, at most": "2", "With a contour": "6"}
    table = data.dataframe[0].value
    (wrist,) = table[(table["By"] == "Site") & (table["Value"] == "wrist")].to_dict("records")
    assert (wrist["Scans (n)"], wrist["With contour (n)"], wrist["Affected (n)"]) == (4, 3, 2)


def test_images_are_filtered(data: AppTest):
    page = at(data, "Images")
    (site,) = [each for each in page.multiselect if each.label == "Site"]
    site.set_value(["neck"]).run()
    assert "Scans 1 to 3 of 3 (n = 7 in the set)" in said(page)


def test_a_scan_opens_large_and_goes_on_to_diagnose(data: AppTest, folder: Path, known):
    page = at(data, "Images")
    page.session_state[data_scan.ASKED] = (read_manifest(folder), 1)
    page.run()
    shown = said(page)
    assert "scan 2 of 7" in shown and "mm²" in shown and "grey levels" in shown and "<b>" not in shown
    page.session_state[data_scan.ASKED] = (read_manifest(folder), 1)
    page.run()
    (button,) = [each for each in page.button if each.label == "Open in Diagnose"]
    known.calls.clear()
    button.click()
    page.session_state[data_scan.ASKED] = (read_manifest(folder), 1)
    page.run()
    assert not page.exception and page.title[0].value == "Diagnose"
    assert known.calls[-1][0].name == "1.png"


def test_a_scan_that_cannot_be_read_says_so_when_opened(data: AppTest, folder: Path):
    data.session_state[data_scan.ASKED] = (read_manifest(folder), 6)
    data.run()
    assert not data.exception and data.error[0].value.startswith("The file is not a picture")
