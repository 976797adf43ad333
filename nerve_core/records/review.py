"""Writing readings: a first one, a second one that was asked for, and one that supersedes another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from nerve_core.access.audit import DONE, AuditRow
from nerve_core.records.errors import RecordsError
from nerve_core.records.items import Request
from nerve_core.records.models import (
    CommentRow,
    PatientRow,
    PredictionRow,
    RequestRow,
    ReviewRow,
    ScanRow,
    VisitRow,
)
from nerve_core.records.saving import save_sizes

if TYPE_CHECKING:
    from nerve_core.clinical.measure import Measurement
    from nerve_core.inference.review import Reading

LONGEST = 4000
"""Most letters of a remark."""


def save_review(
    session: Session,
    scan: ScanRow,
    reading: Reading,
    contours: Sequence[np.ndarray],
    sizes: Sequence[Measurement],
    reviewer: str,
) -> ReviewRow:
    """The row of a reading. It answers an open request, and supersedes the reader's own reading before.

    Whether it was blinded follows from the request and from nothing that the reader says.
    """
    mine = select(RequestRow).where(RequestRow.scan_id == scan.id, RequestRow.colleague == reviewer)
    request = session.scalars(mine).one_or_none()
    blinded = request is not None and request.blinded and request.review_id is None
    before = current_of(session, scan.id, reviewer)
    prediction = None
    if not blinded:
        last = select(PredictionRow.id).where(PredictionRow.scan_id == scan.id)
        prediction = session.scalars(
            last.order_by(PredictionRow.made.desc(), PredictionRow.id).limit(1)
        ).first()
    row = ReviewRow(
        scan_id=scan.id,
        prediction_id=prediction,
        reviewer=reviewer,
        second=request is not None,
        blinded=blinded,
        agrees=None if blinded else reading.agrees,
        reading=reading.reading,
        contours=[np.round(np.asarray(one, np.float64), 2).tolist() for one in contours],
        corrected=reading.corrected,
        comment=reading.comment,
        supersedes=None if before is None else before.id,
    )
    session.add(row)
    session.flush()
    save_sizes(session, scan.id, sizes, review=row.id)
    if request is not None and request.review_id is None:
        request.review_id = row.id
    return row


def current_of(session: Session, scan: str, reviewer: str) -> ReviewRow | None:
    """A person's reading of a scan that no later one of theirs supersedes."""
    later = aliased(ReviewRow)
    return session.scalars(
        select(ReviewRow)
        .where(ReviewRow.scan_id == scan, ReviewRow.reviewer == reviewer)
        .where(~select(later.id).where(later.supersedes == ReviewRow.id).exists())
    ).one_or_none()


def ask(session: Session, scan: ScanRow, asked_by: str, colleague: str, blinded: bool) -> RequestRow:
    """The row of a second reading asked for.

    Raises:
        RecordsError: no colleague is named, they have read the scan already, or were asked before; or they
            were to read it blinded and have opened it already.
    """
    name = colleague.strip()
    if not 0 < len(name) <= 254 or not name.isprintable():
        raise RecordsError("Name the colleague who is to read the scan: their login, as it is shown to them.")
    if current_of(session, scan.id, name) is not None:
        raise RecordsError(f"{name} has read this scan already; ask somebody else.")
    known = select(RequestRow.id).where(RequestRow.scan_id == scan.id, RequestRow.colleague == name)
    if session.scalars(known).first() is not None:
        raise RecordsError(f"{name} was asked to read this scan before.")
    if blinded and has_opened(session, scan.id, name):
        raise RecordsError(
            f"{name} has opened this scan before, so their reading cannot be blinded; ask somebody else, or "
            "ask without blinding."
        )
    row = RequestRow(scan_id=scan.id, asked_by=asked_by, colleague=name, blinded=blinded)
    session.add(row)
    session.flush()
    return row


def has_opened(session: Session, scan: str, name: str) -> bool:
    """Whether the audit log says that a person did anything to a scan."""
    done = (AuditRow.subject == scan, AuditRow.actor == name, AuditRow.outcome == DONE)
    return session.scalars(select(AuditRow.number).where(*done).limit(1)).first() is not None


def requests(session: Session, name: str, only_open: bool) -> tuple[Request, ...]:
    """Second readings a person was asked for or asked for themselves, latest first."""
    query = (
        select(RequestRow, ScanRow, PatientRow.pseudonym, VisitRow.date)
        .join(ScanRow, ScanRow.id == RequestRow.scan_id)
        .join(PatientRow, PatientRow.id == ScanRow.patient_id)
        .join(VisitRow, VisitRow.id == ScanRow.visit_id)
        .where((RequestRow.colleague == name) | (RequestRow.asked_by == name))
        .order_by(RequestRow.made.desc(), RequestRow.id)
    )
    if only_open:
        query = query.where(RequestRow.review_id.is_(None))
    return tuple(
        Request(
            id=row.id,
            scan=scan.id,
            patient=scan.patient_id,
            pseudonym=pseudonym,
            date=day,
            nerve=scan.nerve,
            site=scan.site,
            side=scan.side,
            asked_by=row.asked_by,
            colleague=row.colleague,
            blinded=row.blinded,
            open=row.review_id is None,
            made=row.made,
        )
        for row, scan, pseudonym, day in session.execute(query)
    )


def remark(session: Session, patient: str, scan: str | None, author: str, text: str) -> CommentRow:
    """The row of a remark.

    Raises:
        RecordsError: it is empty or too long.
    """
    said = text.strip()
    if not 0 < len(said) <= LONGEST:
        raise RecordsError(f"A comment has 1 to {LONGEST} letters; write some, or shorten it.")
    row = CommentRow(patient_id=patient, scan_id=scan, author=author, text=said)
    session.add(row)
    session.flush()
    return row
