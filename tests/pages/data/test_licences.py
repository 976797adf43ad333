"""Licences and citations on the Data page."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from nerve_core.errors import DataError
from tests.pages.data.conftest import at, other, said, write_set


def test_licences_name_what_is_open_and_what_is_not_stated(data: AppTest):
    page = at(data, "Licences")
    assert "2 scans state no licence" in page.warning[0].value
    table = page.dataframe[0].value
    assert dict(zip(table["Licence"], table["Open weights"], strict=True)) == {
        "CC0-1.0": "yes",
        "not stated": "no",
    }


def test_a_public_set_is_cited_in_its_own_words(data: AppTest, tmp_path: Path):
    page = at(other(data, str(write_set(tmp_path / "femoral"))), "Licences")
    assert "10.21037/atm.2019.08.61" in said(page).replace("\\", "")


def test_a_damaged_catalogue_leaves_the_licences(data: AppTest, monkeypatch):
    def damaged():
        raise DataError("The catalogue catalog.json cannot be read; restore the file.")

    monkeypatch.setattr("nerve_core.ui.data_licences.catalogue", damaged)
    page = at(data, "Licences")
    assert "catalog.json" in " ".join(each.value for each in page.warning) and not page.error
    assert len(page.dataframe) == 2
