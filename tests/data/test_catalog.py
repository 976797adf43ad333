"""The catalogue holds what it promises, and nothing in it contradicts itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nerve_core.data.catalog import catalogue
from nerve_core.data.importers import KINDS
from nerve_core.data.manifest import is_open
from nerve_core.errors import DataError


def test_every_set_says_what_it_is_and_on_which_terms() -> None:
    entries = catalogue()
    assert {"usgra", "femoral", "ubpd", "kaggle", "muscle"} <= set(entries)
    for entry in entries.values():
        assert entry.what and entry.licence and entry.citation and urlsplit(entry.source).scheme == "https"
        assert entry.layout.kind in KINDS
        assert bool(entry.download) != bool(entry.by_hand), "either it can be downloaded or it says how"
        assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)


def test_only_free_terms_are_downloaded_without_asking() -> None:
    for entry in catalogue().values():
        assert entry.free == is_open({"licence": entry.licence_id})
        assert entry.free or entry.download is None


def test_groups_are_found_in_the_names_the_sets_use() -> None:
    entries = catalogue()
    assert entries["ubpd"].layout.group_of("data/dataset/images/100_101.jpg", "?") == "100"
    assert entries["kaggle"].layout.group_of("train/7_33.tif", "?") == "7"
    assert entries["femoral"].layout.group_of("trainset/images/sample_12.jpg", "?") == "12"
    path = "Example images/raw/TimTrack paper/dataset 1/S10/S10_L20_step_025.png"
    assert entries["muscle"].layout.group_of(path, "?") == "dataset 1/S10"


@pytest.mark.parametrize("text", ["{", "{}", '{"sets": [{"name": "x"}]}', '{"sets": [{"nome": 1}]}'])
def test_a_damaged_catalogue_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalog.json").write_text(text)
    with pytest.raises(DataError, match="cannot be read"):
        catalogue(tmp_path / "catalog.json")


def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path) -> None:
    item = json.loads(json.dumps({"name": "../x"}))
    (tmp_path / "catalog.json").write_text(json.dumps({"sets": [item]}))
    with pytest.raises(DataError, match="no name"):
        catalogue(tmp_path / "catalog.json")
