"""How the area of a patient's nerves went over the visits, and what changed between two of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from nerve_core.clinical.measure import REPEATABLE_MM2
from nerve_core.records.errors import NotFound, RecordsError
from nerve_core.records.items import Course, Patient, Point, SavedScan, Visit


@dataclass(frozen=True)
class Change:
    """One nerve at one site on one side at two visits.

    Attributes:
        before, after: the last scan of it at each visit.
        difference: after minus before, mm²; None where a scale is unknown.
        percent: of the area before; None where a scale is unknown.
        beyond: whether the difference is larger than what two readers of one scan differ by
            (``REPEATABLE_MM2``); None where a scale is unknown.
    """

    nerve: str
    site: str
    side: str
    before: Point
    after: Point
    difference: float | None
    percent: float | None
    beyond: bool | None


def point_of(scan: SavedScan) -> Point | None:
    """The area of a scan's nerve: by the reader's outline where there is one, else by the model's."""
    review = scan.review
    if review is not None and review.sizes:
        first = review.sizes[0]
        return Point(scan.id, scan.date, first.area, first.unit, review.reviewer, read=True)
    said = scan.prediction
    if said is not None and said.sizes:
        first = said.sizes[0]
        return Point(scan.id, scan.date, first.area, first.unit, f"{said.model} {said.version}", read=False)
    return None


def courses(patient: Patient) -> tuple[Course, ...]:
    """The course of every nerve, site and side named on a scan, without scans hidden from the reader."""
    found: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for visit in reversed(patient.visits):
        for scan in visit.scans:
            point = None if scan.hidden or not scan.nerve else point_of(scan)
            if point is not None:
                found[scan.nerve, scan.site, scan.side].append(point)
    return tuple(Course(*which, tuple(points)) for which, points in sorted(found.items()))


def compare(patient: Patient, before: str, after: str) -> tuple[Change, ...]:
    """What was scanned at both of two visits, and how its area changed.

    Args:
        patient: with their visits.
        before, after: identifiers of the visits.

    Raises:
        NotFound: a visit is not one of this patient.
        RecordsError: both are the same.
    """
    if before == after:
        raise RecordsError("Choose two different visits to compare.")
    visits = {visit.id: visit for visit in patient.visits}
    if before not in visits or after not in visits:
        raise NotFound("There is no such visit of this patient in the records.")
    old, new = (_last(visits[one]) for one in (before, after))
    return tuple(change(*which, old[which], new[which]) for which in sorted(old.keys() & new.keys()))


def change(nerve: str, site: str, side: str, before: Point, after: Point) -> Change:
    """The change between two points."""
    difference = percent = beyond = None
    if before.unit == after.unit == "mm":
        difference = after.area - before.area
        percent = 100 * difference / before.area
        beyond = abs(difference) > REPEATABLE_MM2
    return Change(nerve, site, side, before, after, difference, percent, beyond)


def _last(visit: Visit) -> dict[tuple[str, str, str], Point]:
    found: dict[tuple[str, str, str], Point] = {}
    scans: Iterable[SavedScan] = visit.scans
    for scan in scans:
        point = None if scan.hidden or not scan.nerve else point_of(scan)
        if point is not None:
            found[scan.nerve, scan.site, scan.side] = point
    return found
