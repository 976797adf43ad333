"""A set of phantoms appears whole, the same every time, and never over something else."""

import csv
from pathlib import Path

import cv2
import pytest

from nerve_core.data.manifest import is_open, read_manifest
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_set import write_phantom_set
from nerve_core.errors import DataError

SIZE = (96, 96)


def test_every_site_with_truth(tmp_path: Path) -> None:
    rows = read_manifest(write_phantom_set(tmp_path / "set", len(SITES), seed=5, size=SIZE))
    assert {row["site"] for row in rows} == set(SITES)
    assert len({row["group"] for row in rows}) == len(SITES)
    assert all(row["simulated"] == "1" and is_open(row) for row in rows)
    for row in rows:
        mask = cv2.imread(row["mask"], cv2.IMREAD_GRAYSCALE)
        assert mask.shape == cv2.imread(row["image"], cv2.IMREAD_GRAYSCALE).shape == SIZE
        assert mask.any()


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_phantom_set(tmp_path / name, 2, seed=9, size=SIZE)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 5
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)


def test_nothing_is_overwritten_and_nothing_half_done_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        write_phantom_set(tmp_path / "full", 1)
    with pytest.raises(DataError, match="At least 1"):
        write_phantom_set(tmp_path / "none", 0)

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("nerve_core.data.phantom_set.simulate", broken)
    with pytest.raises(OSError, match="disk full"):
        write_phantom_set(tmp_path / "half", 3)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_the_command_prints_the_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nerve_core.cli import main

    assert main(["data", "phantoms", "--out", str(tmp_path / "set"), "--count", "1"]) == 0
    written = Path(capsys.readouterr().out.strip())
    with written.open() as file:
        assert len(list(csv.DictReader(file))) == 1
