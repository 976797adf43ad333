"""Corrections as a set to train from: whole, without identities, one group a patient."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.data.check import check_rows
from nerve_core.data.manifest import read_manifest
from nerve_core.data.statistics import spacing_of
from nerve_core.errors import NerveCoreError
from nerve_core.inference.edited import mask_of
from nerve_core.inference.review import Reading
from nerve_core.records.errors import FileAltered, RecordsError
from nerve_core.records.records import About, Records
from tests.records import made
from tests.records.conftest import clinician, save


def test_the_latest_readings_become_a_set(records: Records, tmp_path: Path) -> None:
    first = save(records, "Zebra", 1, day=date(2023, 5, 6))
    second = save(records, "Zebra", 2, nerve="ulnar", site="elbow")
    other = save(records, "Yak", 3)
    unclear, none, sick = save(records, "Xerus", 4), save(records, "Xerus", 5), save(records, "Xerus", 6)
    records.review(first.scan, Reading(True, "affected", contours=(made.circle(20),)))
    drawn = made.circle(11)
    records.review(first.scan, Reading(False, "unaffected", contours=(drawn,), corrected=True))
    records.review(second.scan, Reading(True, "affected", contours=(made.circle(15),)))
    records.review(other.scan, Reading(True, "uncertain", contours=(made.circle(15),)))
    records.review(unclear.scan, Reading(True, "not assessable", contours=(made.circle(15),)))
    records.review(none.scan, Reading(True, "affected"))
    records.ask(sick.scan, "bob")
    clinician(records.archive, "bob").review(sick.scan, Reading(None, "affected", contours=(made.circle(9),)))
    done = records.corrections(tmp_path / "set")
    assert (done.images, done.patients, done.corrected) == (3, 2, 1)
    rows = read_manifest(tmp_path / "set")
    assert len(rows) == 3 and len({row["group"] for row in rows}) == 2
    by_label = {row["label"]: row for row in rows}
    assert set(by_label) == {"affected", "unaffected", ""}
    mine = by_label["unaffected"]
    assert (mine["nerve"], mine["site"], mine["corrected"]) == ("median", "wrist", "1")
    assert by_label["affected"]["group"] == mine["group"] != by_label[""]["group"]
    assert spacing_of(mine) == made.SPACING
    image, mask = (cv2.imread(mine[name], cv2.IMREAD_UNCHANGED) for name in ("image", "mask"))
    scan = made.scan_of(made.png(1))
    box = np.s_[scan.region[0] : scan.region[2], scan.region[1] : scan.region[3]]
    assert np.array_equal(image[box], scan.pixels[box])
    assert np.array_equal(mask, 255 * mask_of(np.round(drawn, 2), made.SIZE))
    text = (tmp_path / "set" / "manifest.csv").read_text()
    for secret in ("Zebra", "Yak", "2023", first.patient, first.scan, "local"):
        assert secret not in text
    again = records.corrections(tmp_path / "again")
    assert again.images == 3 and (tmp_path / "again" / "manifest.csv").read_text() == text
    assert [kind for _, kind in records.erase(first.patient).handouts] == ["corrections", "corrections"]


def test_pixels_outside_the_ultrasound_are_black(records: Records, tmp_path: Path) -> None:
    frame = np.zeros((200, 260), np.uint8)
    frame[60:180, 40:220] = cv2.resize(made.scan_of(made.png(1)).pixels, (180, 120))
    cv2.putText(frame, "NAME", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    content = cv2.imencode(".png", frame)[1].tobytes()
    scan = made.scan_of(content)
    saved = records.save("P-1", content, scan, about=About("median", "wrist"), deidentify=None)
    contour = made.circle(12, (120, 120))
    records.review(saved.scan, Reading(None, "unaffected", contours=(contour,), corrected=True))
    records.corrections(tmp_path / "set")
    (row,) = read_manifest(tmp_path / "set")
    image = cv2.imread(row["image"], cv2.IMREAD_UNCHANGED)
    top, left, bottom, right = scan.region
    outside = np.ones(image.shape, bool)
    outside[top:bottom, left:right] = False
    assert top > 30 and outside.sum() > 1000 and not image[outside].any()


def test_it_is_written_whole_or_not_at_all(records: Records, tmp_path: Path) -> None:
    saved, other = save(records, seed=1), save(records, seed=2)
    with pytest.raises(RecordsError, match="no corrections"):
        records.corrections(tmp_path / "set")
    for one in (saved, other):
        records.review(one.scan, Reading(True, "affected", contours=(made.circle(12),)))
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    with pytest.raises(RecordsError, match="not empty"):
        records.corrections(taken)
    records.archive.files.path_of(records.scan(other.scan).sha256).unlink()
    with pytest.raises(FileAltered):
        records.corrections(tmp_path / "set")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records", "taken"]
    with pytest.raises(NerveCoreError):
        records.corrections(taken / "mine.txt" / "below")


def test_the_set_trains(records: Records, tmp_path: Path) -> None:
    """Sets are checked before a training: nothing is wrong with it."""
    for seed, word in enumerate(("affected", "unaffected", "affected", "unaffected")):
        saved = save(records, f"P-{seed}", seed)
        records.review(saved.scan, Reading(True, word, contours=(made.circle(10 + seed),)))
    records.corrections(tmp_path / "set")
    with (tmp_path / "set" / "manifest.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    assert columns[:7] == ["image", "mask", "label", "group", "nerve", "site", "spacing_mm"]
    assert not [one for one in check_rows(read_manifest(tmp_path / "set")) if one.serious]
