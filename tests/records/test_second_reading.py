"""Readings: superseded but never changed, asked for, blinded in the data layer itself, compared."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from nerve_core.access.roles import Actor, Role
from nerve_core.inference.edited import ContourError
from nerve_core.inference.review import Reading
from nerve_core.records.agreement import Side, agreement_of, dice, kappa
from nerve_core.records.archive import Archive
from nerve_core.records.course import Change
from nerve_core.records.errors import NotFound, RecordsError
from nerve_core.records.records import About, Filter, Records
from tests.records import made
from tests.records.conftest import clinician, save

SECRET = "clearly swollen, carpal tunnel"


def test_a_reading_is_kept_with_its_sizes(records: Records) -> None:
    saved = save(records)
    said = Reading(False, "unaffected", "small", contours=(made.circle(12),), corrected=True, reviewer="Ada")
    kept = records.review(saved.scan, said)
    assert (kept.reviewer, kept.reading, kept.agrees, kept.corrected) == ("Ada", "unaffected", False, True)
    assert kept.sizes[0].unit == "mm" and kept.sizes[0].area == pytest.approx(np.pi * 1.2**2, rel=0.01)
    one = records.scan(saved.scan)
    assert one.review == kept and one.reviewed and kept.prediction == saved.prediction
    with pytest.raises(ContourError):
        records.review(saved.scan, Reading(True, "affected", contours=(made.circle(500),)))
    with pytest.raises(NotFound):
        records.review(saved.patient, Reading(True, "affected"))


def test_the_name_typed_counts_only_where_access_is_off(archive: Archive) -> None:
    saved = save(clinician(archive))
    kept = clinician(archive).review(saved.scan, Reading(True, "affected", reviewer="Somebody Else"))
    assert kept.reviewer == "ada@clinic.example"


def test_a_new_reading_supersedes_and_the_old_one_stays(archive: Archive) -> None:
    ada, bob = clinician(archive), clinician(archive, "bob@clinic.example")
    saved = save(ada)
    first = ada.review(saved.scan, Reading(True, "affected"))
    other = bob.review(saved.scan, Reading(False, "unaffected"))
    second = ada.review(saved.scan, Reading(False, "uncertain", "on second thoughts"))
    current = {one.id: one.current for one in ada.scan(saved.scan).reviews}
    assert current == {first.id: False, other.id: True, second.id: True}
    assert ada.worklist().items[0].reading == "uncertain"
    with pytest.raises(RecordsError), archive.writing() as session:
        session.execute(text("UPDATE review SET reading = 'unaffected'"))
    assert {one.reading for one in ada.scan(saved.scan).reviews} == {"affected", "unaffected", "uncertain"}


def test_a_blinded_reader_sees_nothing_of_what_was_said(archive: Archive, tmp_path: Path) -> None:
    ada, bob = clinician(archive), clinician(archive, "bob@clinic.example")
    saved = save(ada, p=0.9137)
    ada.review(saved.scan, Reading(True, "affected", SECRET, contours=(made.circle(14),), corrected=True))
    ada.comment(saved.patient, SECRET, saved.scan)
    ada.comment(saved.patient, SECRET)
    ada.ask(saved.scan, bob.actor.name)

    def everything() -> str:
        seen = [
            asdict(bob.scan(saved.scan)),
            asdict(bob.patient(saved.patient)),
            [asdict(course) for course in bob.courses(saved.patient)],
            asdict(bob.worklist()),
            asdict(bob.worklist(Filter(verdict="affected"))),
            asdict(bob.worklist(Filter(reviewer=ada.actor.name))),
            asdict(bob.agreement()),
            asdict(bob.model_agreement()),
            [asdict(one) for one in bob.requests()],
        ]
        return json.dumps(seen, default=str)

    seen = everything()
    assert SECRET not in seen and "0.9137" not in seen and '"affected"' not in seen and "likely" not in seen
    one = bob.scan(saved.scan)
    assert one.hidden and one.predictions == one.reviews == one.comments == one.reasons == ()
    assert bob.courses(saved.patient) == () and bob.worklist().total == 0
    assert bob.agreement().n == bob.model_agreement().n == 0
    with pytest.raises(RecordsError, match="blinded"):
        bob.export(saved.patient, tmp_path / "all.zip")
    researcher = Records(Actor(bob.actor.name, Role.RESEARCHER), archive)
    with pytest.raises(RecordsError):
        researcher.corrections(tmp_path / "corrections")
    assert not list(tmp_path.glob("*.zip")) and not (tmp_path / "corrections").exists()
    assert bob.picture(saved.scan).pixels.shape == made.SIZE  # the scan itself is what they read
    assert ada.scan(saved.scan).reviews and ada.worklist().total == 1  # nothing is hidden from the others

    given = bob.review(saved.scan, Reading(True, "unaffected", contours=(made.circle(13),), corrected=True))
    assert given.blinded and given.second and given.agrees is None and given.prediction is None
    assert not bob.scan(saved.scan).hidden and SECRET in everything()
    assert bob.requests() == () and not bob.requests(only_open=False)[0].open
    changed = bob.review(saved.scan, Reading(True, "affected"))
    assert not changed.blinded and changed.second
    assert ada.worklist().items[0].reading == "affected"  # the first reader's


def test_saying_that_it_was_blinded_does_not_make_it_so(records: Records) -> None:
    saved = save(records)
    assert not records.review(saved.scan, Reading(True, "affected", blinded=True)).blinded


def test_who_can_be_asked(archive: Archive) -> None:
    ada = clinician(archive)
    saved = save(ada)
    ada.review(saved.scan, Reading(True, "affected"))
    ada.ask(saved.scan, "bob", blinded=False)
    for name in ("", " ", "bob", ada.actor.name, "x" * 255, "a\nb"):
        with pytest.raises(RecordsError):
            ada.ask(saved.scan, name)
    bob = clinician(archive, "bob")
    assert not bob.scan(saved.scan).hidden and not bob.requests()[0].blinded
    eve = clinician(archive, "eve")
    eve.scan(saved.scan)
    with pytest.raises(RecordsError, match="opened"):
        ada.ask(saved.scan, "eve")
    ada.ask(saved.scan, "eve", blinded=False)
    given = bob.review(saved.scan, Reading(True, "affected"))
    assert given.second and not given.blinded and given.agrees


def test_agreement_of_two_readers(archive: Archive) -> None:
    """Four scans: three alike in words. By hand: po 0.75, pe 0.5, kappa 0.5."""
    ada, bob = clinician(archive), clinician(archive, "bob")
    words = [("affected",) * 2, ("affected",) * 2, ("unaffected",) * 2, ("unaffected", "affected")]
    for seed, (mine, theirs) in enumerate(words):
        saved = save(ada, f"P-{seed}", seed)
        ada.review(saved.scan, Reading(True, mine, contours=(made.circle(15),), corrected=True))
        ada.ask(saved.scan, "bob", blinded=seed > 0)
        bob.review(saved.scan, Reading(None, theirs, contours=(made.circle(12),), corrected=True))
    found = ada.agreement()
    assert (found.n, found.patients, found.percent) == (4, 4, 75.0)
    assert found.kappa == pytest.approx(0.5)
    areas = np.pi * 1.5**2, np.pi * 1.2**2
    assert found.n_contours == found.n_areas == 4
    assert found.dice == pytest.approx(2 * areas[1] / sum(areas), abs=0.01)
    assert found.area_bias_mm2 == pytest.approx(areas[1] - areas[0], rel=0.01)
    assert found.area_limits_mm2 == pytest.approx((found.area_bias_mm2,) * 2, abs=1e-3)
    blinded = ada.agreement(blinded_only=True)
    assert blinded.n == 3 and blinded.percent == pytest.approx(200 / 3)
    bob.review(saved.scan, Reading(True, "unaffected"))  # after seeing the rest: what was blinded counts
    assert ada.agreement() == found
    with_model = ada.model_agreement()
    assert (with_model.n, with_model.percent) == (4, 50.0)


def test_agreement_where_it_is_not_defined() -> None:
    none = agreement_of([])
    assert (none.n, none.percent, none.kappa, none.dice, none.area_bias_mm2) == (0, None, None, None, None)
    same = Side("s", "p", "affected", [], None)
    assert agreement_of([(same, same)] * 3).percent == 100 and agreement_of([(same, same)] * 3).kappa is None
    assert kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1.0)
    assert dice([made.circle(10)], [made.circle(10)]) == 1.0
    assert dice([made.circle(5, (20, 20))], [made.circle(5, (60, 60))]) == 0.0


def test_course_and_comparison_of_visits(records: Records) -> None:
    first = save(records, seed=1, radius=15, day=date(2024, 1, 1))
    second = save(records, seed=2, radius=15, day=date(2024, 4, 1))
    save(records, seed=3, radius=15, day=date(2024, 4, 1), nerve="ulnar", site="elbow")
    content = made.png(4)
    records.save("P-1", content, made.scan_of(content), made.prediction())  # no nerve named: in no course
    records.review(second.scan, Reading(False, "affected", contours=(made.circle(25),), corrected=True))
    courses = {course.nerve: course.points for course in records.courses(first.patient)}
    assert list(courses) == ["median", "ulnar"]
    old, new = courses["median"]
    assert (old.date, old.read, old.by) == (date(2024, 1, 1), False, "research 1")
    assert (new.date, new.read, new.by) == (date(2024, 4, 1), True, "local")
    assert new.area == pytest.approx(np.pi * 2.5**2, rel=0.01)
    (change,) = records.compare(first.patient, first.visit, second.visit)
    assert isinstance(change, Change) and change.nerve == "median"
    assert change.difference == pytest.approx(new.area - old.area) and change.beyond
    assert change.percent == pytest.approx(100 * (new.area / old.area - 1))
    other = save(records, "P-2", 9)
    for pair in ((first.visit, other.visit), (first.visit, "x")):
        with pytest.raises(NotFound):
            records.compare(first.patient, *pair)
    with pytest.raises(RecordsError):
        records.compare(first.patient, first.visit, first.visit)


def test_pixels_are_not_compared_across_visits(records: Records) -> None:
    visits = []
    for seed, day in ((1, date(2024, 1, 1)), (2, date(2024, 2, 1))):
        content = made.png(seed)
        about = About("median", "wrist", "left", date=day)
        visits.append(
            records.save("P-1", content, made.scan_of(content, None), made.prediction(), about).visit
        )
    (change,) = records.compare(records.identify("P-1"), *visits)
    assert change.before.unit == "px" and change.difference is change.percent is change.beyond is None


def test_export_holds_everything(archive: Archive, tmp_path: Path) -> None:
    ada = clinician(archive)
    saved = save(ada, "P-1", 1)
    save(ada, "P-1", 2)
    save(ada, "P-2", 3)
    ada.review(saved.scan, Reading(True, "affected", "mine", contours=(made.circle(14),)))
    ada.comment(saved.patient, "remark on P-1")
    assert ada.export(saved.patient, tmp_path / "copy.zip") == 2
    with zipfile.ZipFile(tmp_path / "copy.zip") as file:
        assert file.testzip() is None
        found = json.loads(file.read("patient.json"))
        scans = {file.read(name) for name in file.namelist() if name.startswith("scans/")}
    assert scans == {made.png(1), made.png(2)}
    assert [row["pseudonym"] for row in found["patient"]] == ["P-1"] and "P-2" not in json.dumps(found)
    counts = {"scan": 2, "prediction": 2, "review": 1, "comment": 1, "measurement": 3}
    assert {name: len(found[name]) for name in counts} == counts
    assert found["comment"][0]["text"] == "remark on P-1" and "Research use only" in found["notice"]
    assert {entry["action"] for entry in found["access"]} >= {"save", "review", "comment"}
    (tmp_path / "gone").mkdir()
    with pytest.raises(RecordsError):
        ada.export(saved.patient, tmp_path / "none" / "copy.zip")
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".zip") == ["copy.zip"]
