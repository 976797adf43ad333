"""The command: resumes, refuses a folder of other scans, and never touches the test groups."""

from __future__ import annotations

import csv

import pytest

import benchmarks.classical as command
from nerve_core.errors import DataError
from nerve_core.evaluation.classical.store import figures_of, load_contour, stored_methods


@pytest.fixture
def data(tmp_path, rows, monkeypatch):
    """The drawn scans as a set on disk, with the split they have in the fixture."""
    folder = tmp_path / "data" / "drawn"
    folder.mkdir(parents=True)
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["image", "mask", "group", "label"])
        table.writeheader()
        table.writerows({key: row[key] for key in table.fieldnames} for row in rows)
    monkeypatch.setattr(command, "training_rows", lambda manifests, licence, leave_out: rows)
    return tmp_path / "data"


def test_fits_once_and_goes_on(data, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    given = ["--data", str(data), "--out", str(out), "--limit", "6", "--methods", "typical"]
    assert command.main(given) == 0
    assert "typical" in capsys.readouterr().out
    figures = figures_of(out, "typical")
    assert figures["auto"]["n"] == 3 and figures["auto"]["split"] == "val"

    def never(*_, **__):
        raise AssertionError("done already")

    monkeypatch.setattr(command, "fit_prior", never)
    monkeypatch.setattr(command, "tune", never)
    assert command.main(given) == 0


def test_goes_on_with_what_is_missing(data, tmp_path):
    out = tmp_path / "out"
    given = ["--data", str(data), "--out", str(out), "--limit", "6", "--methods"]
    assert command.main([*given, "typical"]) == 0
    assert command.main([*given, "typical", "otsu"]) == 0
    assert stored_methods(out)["contours"] == ["typical", "otsu"]
    assert load_contour(out, "otsu").name == "otsu"


def test_a_folder_of_other_scans_is_refused(data, tmp_path, capsys):
    out = tmp_path / "out"
    given = ["--data", str(data), "--out", str(out), "--methods", "typical", "--limit"]
    assert command.main([*given, "6"]) == 0
    assert command.main([*given, "8"]) == 1
    assert "choose another folder" in capsys.readouterr().err


def test_test_groups_are_left_out(rows):
    kept = command.limited(rows, None)
    assert {row["split"] for row in kept} == {"train", "val"} and len(kept) == 14
    assert len(command.limited(rows, 4)) == 6
    with pytest.raises(DataError, match="at least 2"):
        command.limited(rows, 1)


def test_unknown_methods_and_empty_folders(data, tmp_path, capsys):
    assert command.main(["--data", str(data), "--out", str(tmp_path / "o"), "--methods", "unet"]) == 1
    assert "choose one of" in capsys.readouterr().err
    assert command.main(["--data", str(tmp_path), "--out", str(tmp_path / "o")]) == 1
    assert not (tmp_path / "o").exists()
