"""Finding patients and scans: the worklist with its filters, and the search by pseudonym."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from nerve_core.records.errors import RecordsError
from nerve_core.records.items import Found, Page, WorkItem
from nerve_core.records.models import PatientRow, ReviewRow, ScanRow, VisitRow
from nerve_core.records.reading import blinded_to
from nerve_core.records.urgency import ALERT

MOST = 500
"""Most items a page."""

UNREAD_FIRST, NEWEST_FIRST = "urgency", "newest"
ORDERS = (UNREAD_FIRST, NEWEST_FIRST)
"""Unread before read and the most urgent first, or the last saved first."""

FEW = 1000
"""So many more scans than are shown are picked at once; with fewer, they need not be counted apart."""

SHORT_DAYS = 100
"""Range of days that holds but a small share of all scans."""

INDICES = {UNREAD_FIRST: "ix_scan_urgent", NEWEST_FIRST: "ix_scan_newest"}
"""Index that has the scans in each order, and every column they are filtered by."""


@dataclass(frozen=True)
class Filter:
    """Which scans to list; what is left out does not narrow.

    Attributes:
        text: part of the pseudonym, in capitals or not.
        since, until: days of the visit, both included.
        nerve, site, side: as recorded.
        verdict: of the last prediction.
        reviewed: read, unread, or None for both.
        reviewer: somebody who read it.
        alert: only scans for which an alert of the site sounds.
        patient: identifier of one patient.
    """

    text: str = ""
    since: date | None = None
    until: date | None = None
    nerve: str = ""
    site: str = ""
    side: str = ""
    verdict: str = ""
    reviewed: bool | None = None
    reviewer: str = ""
    alert: bool = False
    patient: str = ""


@dataclass(frozen=True)
class Choices:
    """What there is to filter by, in alphabetical order."""

    nerves: tuple[str, ...]
    sites: tuple[str, ...]
    reviewers: tuple[str, ...]


def worklist(
    session: Session, reader: str, chosen: Filter, order: str, number: int, size: int
) -> Page[WorkItem]:
    """One page of the scans that pass a filter.

    Scans the reader has still to read blinded are left out: their place alone would tell.
    """
    if order not in ORDERS:
        raise RecordsError(f"The worklist can be ordered by {' or '.join(ORDERS)}, not by {order!r}.")
    check_page(number, size)
    conditions = _conditions(chosen)
    blinded = list(session.scalars(blinded_to(reader)))
    if blinded:
        conditions.append(ScanRow.id.not_in(blinded))
    by = [ScanRow.saved.desc(), ScanRow.id]
    if order == UNREAD_FIRST:
        by = [ScanRow.reviewed, ScanRow.urgency.desc(), *by]

    def asked(*columns: Any) -> Select[Any]:
        query = select(*columns).select_from(ScanRow).where(*conditions)
        index = _index(chosen, order)
        return query.with_hint(ScanRow, f"INDEXED BY {index}", "sqlite") if index else query

    # Where few pass, one walk gives them all, and how many there are.
    begin, most = (number - 1) * size, number * size + FEW
    ids = session.scalars(asked(ScanRow.id).order_by(*by).limit(most)).all()
    total = len(ids) if len(ids) < most else session.scalar(asked(func.count())) or 0
    return Page(tuple(_items(session, ids[begin : begin + size])), total, number, size)


def _index(chosen: Filter, order: str) -> str:
    """The index SQLite is to take; without statistics it would pick many scans, then sort them.

    Few scans are picked and sorted; else one walk along the index in the order shown.
    """
    if chosen.patient or chosen.reviewer:
        return ""
    if chosen.since and chosen.until and (chosen.until - chosen.since).days <= SHORT_DAYS:
        return "ix_scan_day"
    return INDICES[order]


def search(session: Session, text: str, number: int, size: int) -> Page[Found]:
    """Patients whose pseudonym holds a text, in alphabetical order."""
    check_page(number, size)
    wanted = _holds(text) if text.strip() else None
    count, rows = select(func.count()).select_from(PatientRow), select(PatientRow)
    if wanted is not None:
        count, rows = count.where(wanted), rows.where(wanted)
    total = session.scalar(count) or 0
    found = session.scalars(rows.order_by(PatientRow.pseudonym).offset((number - 1) * size).limit(size)).all()
    ids = [row.id for row in found]
    visits = {
        row[0]: row[1:]
        for row in session.execute(
            select(VisitRow.patient_id, func.count(), func.min(VisitRow.date), func.max(VisitRow.date))
            .where(VisitRow.patient_id.in_(ids))
            .group_by(VisitRow.patient_id)
        )
    }
    scans: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for patient, read, n in session.execute(
        select(ScanRow.patient_id, ScanRow.reviewed, func.count())
        .where(ScanRow.patient_id.in_(ids))
        .group_by(ScanRow.patient_id, ScanRow.reviewed)
    ):
        scans[patient][0] += n
        scans[patient][1] += 0 if read else n
    items = []
    for row in found:
        n_visits, first, last = visits.get(row.id, (0, None, None))
        items.append(Found(row.id, row.pseudonym, n_visits, *scans[row.id], first, last))
    return Page(tuple(items), total, number, size)


def choices(session: Session) -> Choices:
    """Nerves, sites and reviewers that occur."""

    places = session.execute(select(ScanRow.nerve, ScanRow.site).distinct()).all()
    reviewers = session.scalars(select(ReviewRow.reviewer).distinct())
    nerves, sites = ({row[k] for row in places} - {""} for k in (0, 1))
    return Choices(tuple(sorted(nerves)), tuple(sorted(sites)), tuple(sorted(reviewers)))


def check_page(number: int, size: int) -> None:
    """Refuse a page that cannot be.

    Raises:
        RecordsError: the number is below 1, or the size not between 1 and ``MOST``.
    """
    if number < 1 or not 1 <= size <= MOST:
        raise RecordsError(f"Pages count from 1 and hold 1 to {MOST} items; choose others.")


def _holds(text: str) -> ColumnElement[bool]:
    return PatientRow.pseudonym.icontains(text.strip(), autoescape=True)


def _conditions(chosen: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.text.strip():
        found.append(ScanRow.patient_id.in_(select(PatientRow.id).where(_holds(chosen.text))))
    if chosen.patient:
        found.append(ScanRow.patient_id == chosen.patient)
    for name in ("nerve", "site", "side", "verdict"):
        if value := getattr(chosen, name):
            found.append(getattr(ScanRow, name) == value)
    if chosen.since:
        found.append(ScanRow.day >= chosen.since)
    if chosen.until:
        found.append(ScanRow.day <= chosen.until)
    if chosen.reviewed is not None:
        found.append(ScanRow.reviewed.is_(chosen.reviewed))
    if chosen.reviewer:
        theirs = select(ReviewRow.scan_id).where(ReviewRow.reviewer == chosen.reviewer)
        found.append(ScanRow.id.in_(theirs))
    if chosen.alert:
        found.append(ScanRow.urgency >= ALERT)
    return found


def _items(session: Session, ids: Iterable[str]) -> list[WorkItem]:
    """The scans in the order of their identifiers."""
    ids = list(ids)
    readers: dict[str, list[str]] = defaultdict(list)
    for scan, name in session.execute(
        select(ReviewRow.scan_id, ReviewRow.reviewer)
        .where(ReviewRow.scan_id.in_(ids))
        .order_by(ReviewRow.made)
    ):
        if name not in readers[scan]:
            readers[scan].append(name)
    rows = session.execute(
        select(ScanRow, PatientRow.pseudonym)
        .join(PatientRow, PatientRow.id == ScanRow.patient_id)
        .where(ScanRow.id.in_(ids))
    )
    found = {}
    for row, pseudonym in rows:
        found[row.id] = WorkItem(
            scan=row.id,
            patient=row.patient_id,
            pseudonym=pseudonym,
            date=row.day,
            nerve=row.nerve,
            site=row.site,
            side=row.side,
            verdict=row.verdict,
            p_affected=row.p_affected,
            area_mm2=row.area_mm2,
            urgency=row.urgency,
            reasons=tuple(row.reasons),
            reviewed=row.reviewed,
            reading=row.reading,
            readers=tuple(readers[row.id]),
            saved=row.saved,
        )
    return [found[one] for one in ids]
