"""Erasing for good: rows, files, and the bytes in the database itself; what was broken off goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from nerve_core.access.roles import LOCAL
from nerve_core.inference.review import Reading
from nerve_core.records import erasure
from nerve_core.records.archive import Archive
from nerve_core.records.errors import NotFound
from nerve_core.records.records import Records
from tests.records import made
from tests.records.conftest import clinician, save

PSEUDONYM = "Zebra-pseudonym-4711"
REMARK = "remark-that-must-vanish"


def fill(archive: Archive, folder: Path) -> tuple[Records, str]:
    """A patient with everything there can be, and another one who shares a file with them."""
    records = Records(LOCAL, archive)
    saved = save(records, PSEUDONYM, 1)
    save(records, PSEUDONYM, 2)
    save(records, "other", 2)
    ada = clinician(archive)
    ada.review(saved.scan, Reading(True, "affected", REMARK, contours=(made.circle(14),)))
    ada.review(saved.scan, Reading(False, "unaffected", REMARK))
    ada.ask(saved.scan, "bob")
    clinician(archive, "bob").review(
        saved.scan, Reading(None, "affected", REMARK, contours=(made.circle(13),))
    )
    ada.comment(saved.patient, REMARK, saved.scan)
    ada.comment(saved.patient, REMARK)
    ada.export(saved.patient, folder / "copy.zip")
    return records, saved.patient


def test_everything_of_the_patient_goes_and_nothing_of_another(archive: Archive, tmp_path: Path) -> None:
    records, patient = fill(archive, tmp_path)
    erased = records.erase(patient)
    assert (erased.scans, erased.predictions, erased.reviews, erased.comments) == (2, 2, 3, 2)
    assert (erased.files, erased.files_kept, erased.files_left, erased.log_emptied) == (1, 1, 0, True)
    assert [kind for _, kind in erased.handouts] == ["copy"]
    assert "Backups" in erased.notice and "train" in erased.notice
    with pytest.raises(NotFound):
        records.patient(patient)
    assert [found.pseudonym for found in records.search().items] == ["other"]
    with archive.reading() as session:
        left = {
            name: session.scalar(text(f"SELECT count(*) FROM {name}"))
            for name in inspect(session.get_bind()).get_table_names()
        }
    kept = {"patient": 1, "visit": 1, "scan": 1, "file": 1, "prediction": 1, "measurement": 1}
    assert {name: n for name, n in left.items() if name in kept} == kept
    assert left["review"] == left["comment"] == left["reading_request"] == left["handout"] == 0
    assert [archive.files.read(sha) for sha in archive.files.addresses()] == [made.png(2)]
    assert records.verify().sound


def test_not_a_byte_stays_in_the_database_file(plain: Archive, tmp_path: Path) -> None:
    records, patient = fill(plain, tmp_path)
    beside = list(plain.folder.glob("records.sqlite*"))
    assert any(PSEUDONYM.encode() in path.read_bytes() for path in beside)
    records.erase(patient)
    for path in plain.folder.glob("records.sqlite*"):
        content = path.read_bytes()
        assert PSEUDONYM.encode() not in content and REMARK.encode() not in content, path.name


def test_a_broken_off_erasure_goes_on_at_the_next_opening(
    plain: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, patient = fill(plain, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "remove_doomed", lambda archive: (0, 0))
        records.erase(patient)
    assert len(list(plain.files.addresses())) == 2
    plain.close()
    again = Records(LOCAL, Archive(plain.folder))
    assert again.stats().files == 1 and len(list(plain.files.addresses())) == 1
    assert again.verify().sound


def test_a_file_saved_again_before_it_is_removed_stays(
    plain: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, patient = fill(plain, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "remove_doomed", lambda archive: (0, 0))
        records.erase(patient)
    saved = save(records, "third", 1)
    assert erasure.remove_doomed(plain) == (0, 0)
    assert records.content(saved.scan) == made.png(1) and records.verify().sound
