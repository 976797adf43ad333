"""From rows to what is handed out, with everything hidden that a blinded reader may not see yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from nerve_core.records.errors import NotFound
from nerve_core.records.items import (
    Comment,
    Patient,
    Review,
    SavedPrediction,
    SavedScan,
    Sizes,
    Visit,
)
from nerve_core.records.models import (
    CommentRow,
    MeasurementRow,
    PatientRow,
    PredictionRow,
    RequestRow,
    ReviewRow,
    ScanRow,
    VisitRow,
)

NO_PATIENT = "There is no such patient in the records."
NO_SCAN = "There is no such scan in the records."


def blinded_to(name: str) -> Any:
    """Select the scans that a person has still to read blinded: what was said of them is kept from them."""
    return select(RequestRow.scan_id).where(
        RequestRow.colleague == name, RequestRow.blinded, RequestRow.review_id.is_(None)
    )


def is_blinded(session: Session, scan: str, name: str) -> bool:
    """Whether a person has still to read this scan blinded."""
    return session.scalars(blinded_to(name).where(RequestRow.scan_id == scan)).first() is not None


def patient_row(session: Session, patient: str) -> PatientRow:
    """A patient by identifier.

    Raises:
        NotFound: there is none.
    """
    row = session.get(PatientRow, patient)
    if row is None:
        raise NotFound(NO_PATIENT)
    return row


def scan_row(session: Session, scan: str, patient: str | None = None) -> ScanRow:
    """A scan by identifier.

    Args:
        patient: whose it must be; a scan of another patient is as good as none.

    Raises:
        NotFound: there is none, or it is another patient's.
    """
    row = session.get(ScanRow, scan)
    if row is None or patient not in (None, row.patient_id):
        raise NotFound(NO_SCAN)
    return row


def load_scans(session: Session, rows: Sequence[ScanRow], reader: str) -> list[SavedScan]:
    """Scans with all that was said of them, in the order given, by a handful of queries for any number."""
    ids = [row.id for row in rows]
    hidden = set(session.scalars(blinded_to(reader).where(RequestRow.scan_id.in_(ids))))
    shown = [one for one in ids if one not in hidden]
    pseudonyms: dict[str, str] = dict(
        session.execute(
            select(PatientRow.id, PatientRow.pseudonym).where(
                PatientRow.id.in_({row.patient_id for row in rows})
            )
        ).all()
    )
    days: dict[str, Any] = dict(
        session.execute(
            select(VisitRow.id, VisitRow.date).where(VisitRow.id.in_({row.visit_id for row in rows}))
        ).all()
    )
    sizes = _by(MeasurementRow, session, shown, MeasurementRow.number)
    predictions = _by(PredictionRow, session, shown, PredictionRow.made.desc())
    reviews = _by(ReviewRow, session, shown, ReviewRow.made.desc())
    comments = _by(CommentRow, session, shown, CommentRow.made)
    found = []
    for row in rows:
        superseded = {one.supersedes for one in reviews[row.id]}
        seen: dict[str, Any] = {"hidden": True}
        if row.id not in hidden:
            seen = {
                "urgency": row.urgency,
                "reasons": tuple(row.reasons),
                "reviewed": row.reviewed,
                "predictions": tuple(
                    _prediction(one, [size for size in sizes[row.id] if size.prediction_id == one.id])
                    for one in predictions[row.id]
                ),
                "reviews": tuple(
                    _review(
                        one,
                        [size for size in sizes[row.id] if size.review_id == one.id],
                        one.id not in superseded,
                    )
                    for one in reviews[row.id]
                ),
                "comments": tuple(map(comment_of, comments[row.id])),
            }
        found.append(
            SavedScan(
                id=row.id,
                patient=row.patient_id,
                pseudonym=pseudonyms[row.patient_id],
                visit=row.visit_id,
                date=days[row.visit_id],
                sha256=row.sha256,
                frame=row.frame,
                shape=(row.height, row.width),
                nerve=row.nerve,
                site=row.site,
                side=row.side,
                spacing_mm=spacing_of(row),
                saved=row.saved,
                saved_by=row.saved_by,
                **seen,
            )
        )
    return found


def load_patient(session: Session, patient: str, reader: str) -> Patient:
    """A patient with visits, scans and all that was said of them.

    Raises:
        NotFound: there is none.
    """
    row = patient_row(session, patient)
    visits = session.scalars(
        select(VisitRow).where(VisitRow.patient_id == patient).order_by(VisitRow.date.desc())
    ).all()
    rows = session.scalars(select(ScanRow).where(ScanRow.patient_id == patient).order_by(ScanRow.saved)).all()
    scans: dict[str, list[SavedScan]] = defaultdict(list)
    for scan in load_scans(session, rows, reader):
        scans[scan.visit].append(scan)
    remarks: list[CommentRow] = []
    if not any(scan.hidden for found in scans.values() for scan in found):  # they may tell what was found
        remarks = _remarks(session, patient)
    return Patient(
        id=row.id,
        pseudonym=row.pseudonym,
        created=row.created,
        visits=tuple(Visit(visit.id, visit.date, tuple(scans[visit.id])) for visit in visits),
        comments=tuple(map(comment_of, remarks)),
    )


def _remarks(session: Session, patient: str) -> list[CommentRow]:
    """Remarks on the patient, not on one of the scans."""
    own = select(CommentRow).where(CommentRow.patient_id == patient, CommentRow.scan_id.is_(None))
    return list(session.scalars(own.order_by(CommentRow.made)))


def spacing_of(row: ScanRow) -> tuple[float, float] | None:
    """(row, column) mm per px, None when the scale is unknown."""
    if row.spacing_row is None or row.spacing_column is None:
        return None
    return row.spacing_row, row.spacing_column


def comment_of(row: CommentRow) -> Comment:
    """A remark as it is handed out."""
    return Comment(row.id, row.scan_id, row.author, row.text, row.made)


def _by(table: Any, session: Session, scans: Iterable[str], order: Any) -> dict[str, list[Any]]:
    """Rows of a table by scan."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in session.scalars(select(table).where(table.scan_id.in_(scans)).order_by(order, table.id)):
        found[row.scan_id].append(row)
    return found


SIZES = tuple(Sizes.__dataclass_fields__)


def _sizes(rows: Iterable[MeasurementRow]) -> tuple[Sizes, ...]:
    return tuple(Sizes(**{name: getattr(row, name) for name in SIZES}) for row in rows)


def _prediction(row: PredictionRow, sizes: Iterable[MeasurementRow]) -> SavedPrediction:
    return SavedPrediction(
        id=row.id,
        model=row.model,
        version=row.version,
        config_sha256=row.config_sha256,
        verdict=row.verdict,
        p_affected=row.p_affected,
        reason=row.reason,
        beyond=row.beyond,
        click=None if row.click is None else (row.click[0], row.click[1]),
        nerves=tuple(row.nerves),
        sizes=_sizes(sizes),
        made=row.made,
        made_by=row.made_by,
    )


def _review(row: ReviewRow, sizes: Iterable[MeasurementRow], current: bool) -> Review:
    return Review(
        id=row.id,
        scan=row.scan_id,
        prediction=row.prediction_id,
        reviewer=row.reviewer,
        agrees=row.agrees,
        reading=row.reading,
        contours=tuple(tuple((point[0], point[1]) for point in contour) for contour in row.contours),
        corrected=row.corrected,
        comment=row.comment,
        blinded=row.blinded,
        second=row.second,
        current=current,
        sizes=_sizes(sizes),
        made=row.made,
    )
