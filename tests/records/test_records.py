"""Saving, finding and describing: on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import func, select

from nerve_core.clinical.measure import measure
from nerve_core.errors import NerveCoreError
from nerve_core.records.archive import Archive
from nerve_core.records.base import now
from nerve_core.records.errors import NotFound, RecordsError
from nerve_core.records.models import FileRow, MeasurementRow, PredictionRow, ScanRow
from nerve_core.records.records import NEWEST_FIRST, About, Alert, Filter, Records
from tests.records import made
from tests.records.conftest import save

NOBODY = str(uuid.uuid4())


def count(archive: Archive, table: type) -> int:
    with archive.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_looking_makes_nothing(tmp_path: Path) -> None:
    from nerve_core.access.roles import LOCAL

    records = Records(LOCAL, Archive(tmp_path / "new" / "records"))
    assert records.worklist().items == () and records.search("x").total == 0
    assert records.stats() is None and records.requests() == () and records.verify().sound
    with pytest.raises(NotFound):
        records.scan(NOBODY)
    with pytest.raises(NotFound):
        records.patient(NOBODY)
    with pytest.raises(NotFound, match="Nothing is saved"):
        records.corrections(tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_what_was_saved_comes_back(records: Records) -> None:
    content = made.png(3)
    said = made.prediction(0.83)
    about = About("median", "wrist", "left", date=date(2024, 5, 6))
    how = {"config": {"b": 1, "a": [2]}, "click": (60.0, 40.0), "deidentify": None}
    saved = records.save("P-017", content, made.scan_of(content), said, about, **how)
    assert saved.new and not saved.elsewhere
    one = records.scan(saved.scan, saved.patient)
    assert (one.pseudonym, one.date, one.nerve, one.site, one.side) == (
        "P-017", date(2024, 5, 6), "median", "wrist", "left"
    )  # fmt: skip
    assert one.shape == made.SIZE and one.spacing_mm == made.SPACING and one.frame == 0
    assert records.content(saved.scan) == content
    picture = records.picture(saved.scan)
    assert np.array_equal(picture.pixels, made.scan_of(content).pixels)
    assert picture.spacing_mm == made.SPACING
    (kept,) = one.predictions
    assert (kept.model, kept.version, kept.verdict, kept.p_affected) == ("research", "1", "affected", 0.83)
    assert kept.click == (60.0, 40.0) and len(kept.config_sha256) == 64
    np.testing.assert_allclose(kept.contours[0], said.nerves[0].contour, atol=0.01)
    (sizes,) = kept.sizes
    measured = measure(made.scan_of(content), said, said.nerves[0])
    assert (sizes.unit, sizes.area, sizes.depth) == ("mm", measured.area, measured.depth)
    assert set(sizes.hypoechoic) == {"yen", "maximum_entropy"}


def test_saving_twice_keeps_one(records: Records) -> None:
    first, second = save(records), save(records)
    assert first.new and not second.new
    assert (first.scan, first.patient, first.visit, first.prediction) == (
        second.scan, second.patient, second.visit, second.prediction
    )  # fmt: skip
    for table in (ScanRow, FileRow, PredictionRow, MeasurementRow):
        assert count(records.archive, table) == 1


def test_another_prediction_stands_beside_the_first_and_leads(records: Records) -> None:
    first = save(records, p=0.9)
    content = made.png(0)
    later = records.save("P-1", content, made.scan_of(content), made.prediction(0.1, model="open 2"))
    assert later.scan == first.scan and later.prediction != first.prediction
    one = records.scan(first.scan)
    assert [said.model for said in one.predictions] == ["open", "research"]
    assert records.worklist().items[0].verdict == "unaffected"
    assert one.nerve == "median"  # what was not said again stays


def test_a_deidentified_file_is_known_by_what_was_uploaded(records: Records) -> None:
    """Cleaning may give other bytes each time; the upload is the same."""
    times = iter(range(9))

    def clean(data: bytes, name: str) -> SimpleNamespace:
        return SimpleNamespace(data=made.png(100 + next(times)), removed=["name"], cautions=["look"])

    content = made.png(0)
    first, second = (records.save("P-1", content, made.scan_of(content), deidentify=clean) for _ in range(2))
    assert (first.removed, first.cautions) == (("name",), ("look",))
    assert first.scan == second.scan and not second.new
    assert records.content(first.scan) == made.png(100)
    stored = records.content(first.scan)  # opened from the records and saved again
    third = records.save("P-1", stored, made.scan_of(stored), deidentify=clean)
    assert third.scan == first.scan and not third.new and not third.elsewhere
    assert count(records.archive, FileRow) == 1
    assert records.verify().sound


def test_one_file_of_two_patients_is_kept_once_and_said(records: Records) -> None:
    first, second = save(records, "P-1"), save(records, "P-2")
    assert first.scan != second.scan and not first.elsewhere and second.elsewhere
    assert count(records.archive, FileRow) == 1


def test_what_cannot_be_saved_leaves_nothing(records: Records) -> None:
    save(records, "P-0", seed=9)
    content = made.png(0)
    scan = made.scan_of(content)
    far = now().date() + timedelta(days=3)
    for pseudonym, data, frame, about in (
        ("  ", content, scan, None),
        ("x" * 65, content, scan, None),
        ("a\nb", content, scan, None),
        ("P-1", b"no picture", scan, None),
        ("P-1", content, replace(scan, pixels=scan.pixels[:50].copy(), region=None), None),
    ):
        with pytest.raises(NerveCoreError):
            records.save(pseudonym, data, frame, made.prediction(), about)
    for wrong in ({"side": "both"}, {"spacing_mm": (0.0, 1.0)}, {"date": far}, {"nerve": "n" * 81}):
        with pytest.raises(RecordsError):
            records.save("P-1", content, scan, None, About(**wrong))
    assert [found.pseudonym for found in records.search().items] == ["P-0"]
    assert count(records.archive, FileRow) == 1


def test_another_patients_record_is_not_found(records: Records) -> None:
    mine, other = save(records, "P-1", 1), save(records, "P-2", 2)
    for patient in (other.patient, NOBODY, "", "P-1"):
        for ask in (records.scan, records.content, records.picture):
            with pytest.raises(NotFound):
                ask(mine.scan, patient)
        with pytest.raises(NotFound):
            records.describe(mine.scan, About(), patient)
        with pytest.raises(NotFound):
            records.comment(patient, "hello", mine.scan)
        with pytest.raises(NotFound):
            records.ask(mine.scan, "bob", patient=patient)
    for guess in (NOBODY, "", "1", "' OR 1=1 --", "P-1", mine.patient):
        with pytest.raises(NotFound):
            records.scan(guess)
    for guess in (NOBODY, mine.scan, "%"):
        with pytest.raises(NotFound):
            records.patient(guess)
        with pytest.raises(NotFound):
            records.erase(guess)
    assert records.identify("P-2") == other.patient
    with pytest.raises(NotFound):
        records.identify("P")


def test_search_by_part_of_the_pseudonym(records: Records) -> None:
    save(records, "Wrist-7", 1, day=date(2024, 1, 1))
    save(records, "Wrist-7", 2, day=date(2024, 3, 1))
    save(records, "100%", 3)
    found = records.search("wRiSt").items
    assert [(one.pseudonym, one.visits, one.scans, one.unread) for one in found] == [("Wrist-7", 2, 2, 2)]
    assert (found[0].first, found[0].last) == (date(2024, 1, 1), date(2024, 3, 1))
    assert [one.pseudonym for one in records.search("%").items] == ["100%"]
    assert records.search("_").total == 0
    assert [one.pseudonym for one in records.search(page=2, size=1).items] == ["Wrist-7"]
    assert records.search(page=5, size=1).items == () and records.search().total == 2


def test_worklist_puts_the_urgent_first(records: Records) -> None:
    calm = save(records, "calm", 1, p=0.05, radius=10)
    unsure = save(records, "unsure", 2, p=0.5, radius=10)
    none = save(records, "none", 3, p=None)
    large = save(records, "large", 4, p=0.05, radius=24)
    affected = save(records, "affected", 5, p=0.8, radius=10)
    both = save(records, "both", 6, p=0.8, radius=24)
    order = [both, affected, large, unsure, none, calm]
    page = records.worklist(size=4)
    assert [item.scan for item in page.items] == [one.scan for one in order[:4]]
    assert (page.total, page.pages) == (6, 2)
    assert [item.scan for item in records.worklist(page=2, size=4).items] == [one.scan for one in order[4:]]
    assert page.items[0].reasons[0] == "likely affected (p 0.80)" and page.items[0].reasons[1].startswith(
        "large"
    )
    assert records.worklist(order=NEWEST_FIRST).items[0].scan == both.scan
    from nerve_core.inference.review import Reading

    records.review(both.scan, Reading(True, "affected"))
    assert records.worklist().items[-1].scan == both.scan  # read after unread
    assert records.worklist(Filter(reviewed=True)).items[0].readers == ("local",)


def test_worklist_filters(records: Records) -> None:
    one = save(records, "Ann", 1, p=0.9, day=date(2024, 1, 10))
    two = save(records, "Anna", 2, p=0.1, day=date(2024, 2, 10), nerve="ulnar", site="elbow", side="right")

    def listed(**chosen: object) -> list[str]:
        page = records.worklist(Filter(**chosen))
        assert page.total == len(page.items)
        return sorted(item.scan for item in page.items)

    both = sorted([one.scan, two.scan])
    assert listed(text="ANN") == both and listed(text="anna") == [two.scan]
    assert listed(since=date(2024, 1, 11)) == [two.scan] and listed(until=date(2024, 1, 10)) == [one.scan]
    assert listed(since=date(2024, 1, 10), until=date(2024, 2, 10)) == both
    assert listed(nerve="ulnar") == [two.scan] and listed(site="wrist") == [one.scan]
    assert listed(side="right") == [two.scan] and listed(verdict="affected") == [one.scan]
    assert listed(reviewed=False) == both and listed(reviewed=True) == []
    assert listed(patient=one.patient) == [one.scan] and listed(reviewer="local") == []
    assert records.choices().nerves == ("median", "ulnar")
    for wrong in ({"page": 0}, {"size": 0}, {"size": 501}, {"order": "name"}):
        with pytest.raises(RecordsError):
            records.worklist(**wrong)


def test_alerts_of_the_site_come_first_and_can_be_changed(records: Records) -> None:
    small = save(records, "small", 1, p=0.05, radius=12)
    sick = save(records, "sick", 2, p=0.95, radius=10)
    assert records.worklist().items[0].scan == sick.scan
    assert records.set_alerts([Alert("over 4 mm²", "median", "wrist", area_above_mm2=4.0)]) == 1
    first = records.worklist().items[0]
    assert first.scan == small.scan and first.reasons[0] == "alert: over 4 mm²"
    assert [item.scan for item in records.worklist(Filter(alert=True)).items] == [small.scan]
    third = save(records, "third", 3, p=0.05, radius=13)
    assert third.scan in [item.scan for item in records.worklist(Filter(alert=True)).items]
    assert records.alerts()[0].area_above_mm2 == 4.0
    assert records.set_alerts([]) == 0 and records.worklist().items[0].scan == sick.scan
    for wrong in ({}, {"p_above": 2.0}, {"area_above_mm2": -1.0}):
        with pytest.raises(RecordsError):
            Alert("wrong", **wrong)
    with pytest.raises(RecordsError):
        records.set_alerts([Alert(str(k), p_above=0.5) for k in range(51)])


def test_describing_moves_a_scan(records: Records) -> None:
    saved = save(records, day=date(2024, 1, 1))
    records.describe(saved.scan, About(nerve="ulnar", site="elbow", date=date(2024, 2, 2)))
    (visit,) = records.patient(saved.patient).visits
    assert visit.date == date(2024, 2, 2)
    (one,) = visit.scans
    assert (one.nerve, one.site, one.side) == ("ulnar", "elbow", "left")


def test_many_save_the_same_at_once(archive: Archive) -> None:
    from nerve_core.access.roles import LOCAL

    save(Records(LOCAL, archive), "first", seed=50)
    found: list[str] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            found.extend(save(Records(LOCAL, archive), "P-1", seed).scan for seed in (1, 2))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and len(set(found)) == 2
    assert count(archive, ScanRow) == 3
    assert Records(LOCAL, archive).verify().sound
