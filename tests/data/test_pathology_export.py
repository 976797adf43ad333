"""The written set: three versions a scan, a manifest that holds together, and nothing half-written."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.data.pathology.export import write_pathology_set
from nerve_core.errors import DataError, ScanError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A manifest of two scans with a contour, one without and one whose contour is empty."""
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    rows = ["image,mask,group,nerve,site,label,device"]
    for k in range(4):
        rng = np.random.default_rng(k)
        noise = cv2.GaussianBlur(rng.standard_normal((90, 110)), (0, 0), 1.2)
        cv2.imwrite(str(folder / f"images/{k}.png"), np.clip(90 + 60 * noise, 0, 255).astype(np.uint8))
        mask = np.zeros((90, 110), np.uint8)
        if k < 2:
            cv2.circle(mask, (55, 45), 12, 255, -1)
        cv2.imwrite(str(folder / f"images/{k}_mask.png"), mask)
        name = f"images/{k}_mask.png" if k != 2 else ""
        rows.append(f"images/{k}.png,{name},g{k},median,wrist,unaffected,machine")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder / "manifest.csv"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_no_pathology_is_written_over_one_that_is_there(source: Path, tmp_path: Path) -> None:
    table = source.read_text()
    source.write_text(table.replace("g0,median,wrist,unaffected", "g0,median,wrist,affected"))
    assert {row["group"] for row in read(write_pathology_set(source, tmp_path / "out"))} == {"g1"}
    source.write_text(table.replace("unaffected", "affected"))
    with pytest.raises(DataError, match="not affected already"):
        write_pathology_set(source, tmp_path / "none")


def test_three_versions_of_every_scan_with_a_contour(source: Path, tmp_path: Path) -> None:
    manifest = write_pathology_set(source, tmp_path / "out")
    rows = read(manifest)
    assert [(r["label"], r["sham"]) for r in rows] == [
        ("unaffected", "0"),
        ("unaffected", "1"),
        ("affected", "0"),
    ] * 2
    for row in rows:
        image, mask, nerve = (
            cv2.imread(str(manifest.parent / row[c]), 0) for c in ("image", "mask", "nerve_mask")
        )
        assert image.shape == mask.shape == nerve.shape == (90, 110)
        assert set(np.unique(mask)) == {0, 255}
        assert row["nerve"] == "median" and row["site"] == "wrist" and row["device"] == "machine"
        assert row["source_image"] in {"images/0.png", "images/1.png"}
        assert row["group"] == "g" + row["source_image"][7]
        if row["label"] == "affected":
            assert row["kind"] and 0 < float(row["severity"]) <= 1
            assert (cv2.imread(str(manifest.parent / row["altered"]), 0) > 0).any()
        else:
            assert row["kind"] == "" and float(row["severity"]) == 0
    original = cv2.imread(str(manifest.parent / rows[0]["image"]), 0)
    assert (original == cv2.imread(str(source.parent / "images/0.png"), 0)).all()


def test_same_seed_same_files(source: Path, tmp_path: Path) -> None:
    def content(name: str, seed: int) -> dict[str, bytes]:
        folder = write_pathology_set(source, tmp_path / name, seed=seed).parent
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    assert content("one", 3) == content("two", 3)
    assert content("three", 4) != content("one2", 3)


def test_limit_and_severity_range(source: Path, tmp_path: Path) -> None:
    rows = read(write_pathology_set(source, tmp_path / "out", severity=(0.9, 1.0), limit=1))
    assert len(rows) == 3
    with pytest.raises(DataError, match="range"):
        write_pathology_set(source, tmp_path / "other", severity=(0.0, 2.0))


def test_a_folder_that_holds_something_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not an empty folder"):
        write_pathology_set(source, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_failure_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    (source.parent / "images/1.png").write_text("not an image")
    with pytest.raises(ScanError):
        write_pathology_set(source, tmp_path / "out")
    assert {p.name for p in tmp_path.iterdir()} == {"set"}


def test_a_set_without_contours_is_refused(source: Path, tmp_path: Path) -> None:
    source.write_text("image,mask,group\nimages/3.png,images/3_mask.png,g3\n")
    with pytest.raises(DataError, match="contour"):
        write_pathology_set(source, tmp_path / "out")
    assert {p.name for p in tmp_path.iterdir()} == {"set"}
