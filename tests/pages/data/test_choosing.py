"""Which set the Data page shows, and what it says when that is not as hoped."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.data.manifest import read_manifest
from nerve_core.ui import data_sets
from tests.pages.data.conftest import other, write_set


def test_a_typed_manifest_is_shown(data: AppTest, tmp_path: Path):
    made = write_set(tmp_path / "mine", 4)
    assert other(data, str(made / "manifest.csv")).metric[0].value == "5"
    assert other(data, f' "{made}" ').metric[0].value == "5"


@pytest.mark.parametrize(
    "path", ["nowhere.csv", "\0", "~nobody-of-that-name/x", "x" * 5000, "data/README.md", "."]
)
def test_a_wrong_path_gets_one_sentence(data: AppTest, path: str):
    page = other(data, path)
    assert len(page.error) == 1 and page.error[0].value.endswith(".") and not page.metric


def test_a_missing_column_is_named(data: AppTest, tmp_path: Path):
    (tmp_path / "bad.csv").write_text("image,label\na.png,\n")
    page = other(data, str(tmp_path / "bad.csv"))
    assert "'group'" in page.error[0].value


def test_paths_are_only_typed_at_this_computer(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_sets.local", lambda: False)
    data.run()
    assert data_sets.OTHER not in data.selectbox(key="data-set").options


def test_without_any_set_it_says_what_to_do(data: AppTest, folder: Path, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_sets.local", lambda: False)
    (folder / "manifest.csv").unlink()
    data.run()
    assert not data.exception and "python -m nerve_core samples" in data.info[0].value


def test_an_uploaded_list_takes_its_paths_from_the_folder(folder: Path):
    made = data_sets._uploaded("list.csv", (folder / "manifest.csv").read_bytes(), folder)
    assert [row["image"] for row in made.rows] == [row["image"] for row in read_manifest(folder)]
    assert {row["set"] for row in made.rows} == {"samples"}
