"""Writing a scan and what a model said of it, once however often it is saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, inspect, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from nerve_core.records.base import now
from nerve_core.records.errors import RecordsError
from nerve_core.records.items import SIDES
from nerve_core.records.models import (
    ConfigRow,
    FileRow,
    MeasurementRow,
    PatientRow,
    PredictionRow,
    ReviewRow,
    ScanRow,
    SettingRow,
    VisitRow,
)
from nerve_core.records.urgency import ALERT, MOST_ALERTS, Alert, alerts_from, urgency_of

if TYPE_CHECKING:
    from nerve_core.clinical.measure import Measurement
    from nerve_core.inference.prediction import Prediction

LONGEST_PSEUDONYM = 64
LONGEST_NAME = 80


@dataclass(frozen=True)
class About:
    """What is known of a scan besides its pixels.

    Attributes:
        nerve, site, side: empty where not said; side is ``left`` or ``right``.
        spacing_mm: (row, column) mm per px, None when unknown.
        date: of the visit; None is today for a new scan.
    """

    nerve: str = ""
    site: str = ""
    side: str = ""
    spacing_mm: tuple[float, float] | None = None
    date: date | None = None

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise RecordsError(f"The side is left or right, or not said, but not {self.side!r}.")
        for what, text in (("nerve", self.nerve), ("site", self.site)):
            if len(text) > LONGEST_NAME or not text.isprintable():
                raise RecordsError(f"The {what} needs a name of at most {LONGEST_NAME} letters on one line.")
        if self.spacing_mm is not None and not all(0 < value < 10 for value in self.spacing_mm):
            raise RecordsError("The scale must lie between 0 and 10 mm a pixel; set it again.")
        if self.date is not None and self.date > now().date() + timedelta(days=1):
            raise RecordsError("The day of the visit lies in the future; choose another.")


@dataclass(frozen=True)
class FileFacts:
    """A file as it is kept, and the hash of what was uploaded."""

    sha256: str
    size: int
    extension: str
    source_sha256: str


def checked_pseudonym(text: str) -> str:
    """A pseudonym without spaces around it.

    Raises:
        RecordsError: it is empty, too long, or not on one line.
    """
    pseudonym = text.strip()
    if not 0 < len(pseudonym) <= LONGEST_PSEUDONYM or not pseudonym.isprintable():
        raise RecordsError(
            f"A patient needs a pseudonym of 1 to {LONGEST_PSEUDONYM} letters on one line; give one, never "
            "a name."
        )
    return pseudonym


def once(session: Session, row: type, values: dict[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; whether it was inserted."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    key = inspect(row).primary_key[0]
    query = dialect.insert(row).values(**values).on_conflict_do_nothing().returning(key)
    return session.execute(query).first() is not None


def patient_of(session: Session, pseudonym: str) -> PatientRow:
    """The patient of this pseudonym, made where there is none."""
    once(session, PatientRow, {"pseudonym": pseudonym})
    return session.scalars(select(PatientRow).where(PatientRow.pseudonym == pseudonym)).one()


def visit_of(session: Session, patient: str, day: date) -> VisitRow:
    """The patient's visit on a day, made where there is none."""
    once(session, VisitRow, {"patient_id": patient, "date": day})
    return session.scalars(select(VisitRow).where(VisitRow.patient_id == patient, VisitRow.date == day)).one()


def keep_file(session: Session, facts: FileFacts) -> None:
    """The row of a file; one that was about to be removed stays. Locks the row against its removal."""
    once(session, FileRow, {name: getattr(facts, name) for name in ("sha256", "size", "extension")})
    session.scalars(
        select(FileRow).where(FileRow.sha256 == facts.sha256).with_for_update()
    ).one().doomed = False


def save_scan(
    session: Session,
    patient: PatientRow,
    file: FileFacts,
    frame: int,
    shape: tuple[int, int],
    about: About,
    who: str,
) -> tuple[ScanRow, bool]:
    """The row of a frame, made where there is none; what is newly known of it is filled in.

    Returns:
        The row, and whether it is new.
    """
    # What was uploaded may also be the stored file itself, taken out of the records and brought back.
    same = or_(ScanRow.source_sha256 == file.source_sha256, ScanRow.sha256 == file.source_sha256)
    known = select(ScanRow).where(ScanRow.patient_id == patient.id, ScanRow.frame == frame, same)
    known = known.order_by(ScanRow.saved, ScanRow.id).limit(1)
    scan = session.scalars(known).one_or_none()
    new = False
    if scan is None or scan.sha256 == file.sha256:
        keep_file(session, file)
    if scan is None:
        day = about.date or now().date()
        visit = visit_of(session, patient.id, day)
        values = {
            "day": day,
            "patient_id": patient.id,
            "visit_id": visit.id,
            "sha256": file.sha256,
            "frame": frame,
        }
        values |= {
            "source_sha256": file.source_sha256,
            "height": shape[0],
            "width": shape[1],
            "saved_by": who,
        }
        new = once(session, ScanRow, values)
        scan = session.scalars(known).one()
    describe(session, scan, about)
    return scan, new


def describe(session: Session, scan: ScanRow, about: About) -> None:
    """Take over what is said of a scan; what is not said stays."""
    for name in ("nerve", "site", "side"):
        if value := getattr(about, name).strip():
            setattr(scan, name, value)
    if about.spacing_mm is not None:
        scan.spacing_row, scan.spacing_column = map(float, about.spacing_mm)
    if about.date is not None:
        before = scan.visit_id
        scan.visit_id, scan.day = visit_of(session, scan.patient_id, about.date).id, about.date
        session.flush()
        others = select(func.count()).select_from(ScanRow).where(ScanRow.visit_id == before)
        if before != scan.visit_id and not session.scalar(others):
            session.delete(session.get_one(VisitRow, before))


def save_prediction(
    session: Session,
    scan: ScanRow,
    prediction: Prediction,
    sizes: Sequence[Measurement],
    config: dict[str, Any] | None,
    click: tuple[float, float] | None,
    who: str,
) -> PredictionRow:
    """The row of a prediction, made unless the same was saved before, with its measurements."""
    model, _, version = prediction.model.rpartition(" ")
    config_sha256 = None
    if config is not None:
        text = canonical(config)
        config_sha256 = hashlib.sha256(text).hexdigest()
        once(session, ConfigRow, {"sha256": config_sha256, "config": json.loads(text)})
    said = {
        "model": model or version,
        "version": version if model else "",
        "config_sha256": config_sha256,
        "verdict": prediction.verdict,
        "p_affected": None if prediction.p_affected is None else float(prediction.p_affected),
        "reason": prediction.reason,
        "beyond": prediction.beyond,
        "click": None if click is None else [float(value) for value in click],
        "nerves": [_plain(nerve) for nerve in prediction.to_dict("")["nerves"]],
    }
    digest = hashlib.sha256(canonical({**said, "sizes": [one.to_dict() for one in sizes]})).hexdigest()
    new = once(session, PredictionRow, {"scan_id": scan.id, "digest": digest, "made_by": who, **said})
    known = select(PredictionRow).where(PredictionRow.scan_id == scan.id, PredictionRow.digest == digest)
    row = session.scalars(known).one()
    if new:
        save_sizes(session, scan.id, sizes, prediction=row.id)
    scan.verdict, scan.p_affected = row.verdict, row.p_affected
    first = sizes[0] if sizes else None
    scan.area_mm2 = first.area if first is not None and first.unit == "mm" else None
    return row


def _plain(nerve: dict[str, Any]) -> dict[str, Any]:
    """A nerve of ``Prediction.to_dict`` with its contour in hundredths of a px, written so."""
    contour = [[round(float(value), 2) for value in point] for point in nerve["contour"]]
    return {**nerve, "contour": contour}


def save_sizes(
    session: Session,
    scan: str,
    sizes: Sequence[Measurement],
    prediction: str | None = None,
    review: str | None = None,
) -> None:
    """Rows of measurements, of a prediction or of a reading."""
    for number, one in enumerate(sizes):
        values = asdict(one) | {"hypoechoic": dict(one.hypoechoic)}
        values["flattening"] = one.flattening if isfinite(one.flattening) else None
        session.add(
            MeasurementRow(scan_id=scan, prediction_id=prediction, review_id=review, number=number, **values)
        )


def checked_alerts(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """The alerts, unless they are too many.

    Raises:
        RecordsError: there are more than ``MOST_ALERTS``.
    """
    if len(alerts) > MOST_ALERTS:
        raise RecordsError(f"There may be at most {MOST_ALERTS} alerts; leave some out.")
    return alerts


def alerts_of(session: Session) -> tuple[Alert, ...]:
    """The alerts the site set."""
    row = session.get(SettingRow, "alerts")
    return alerts_from(row.value if row is not None else ())


def refresh(session: Session, scan: ScanRow, alerts: Sequence[Alert]) -> None:
    """Bring up to date what the worklist orders and shows."""
    session.flush()
    scan.urgency, scan.reasons = urgency_of(
        scan.nerve, scan.site, scan.verdict, scan.p_affected, scan.area_mm2, alerts
    )
    last = (
        select(ReviewRow.reading)
        .where(ReviewRow.scan_id == scan.id)
        .order_by(ReviewRow.second, ReviewRow.made.desc(), ReviewRow.id)
    )
    scan.reading = session.scalars(last.limit(1)).first()
    scan.reviewed = scan.reading is not None


def refresh_all(session: Session, alerts: Sequence[Alert]) -> int:
    """Bring the urgency of every scan up to date; for how many an alert sounds."""
    columns = (ScanRow.nerve, ScanRow.site, ScanRow.verdict, ScanRow.p_affected, ScanRow.area_mm2)
    sounding, changed = 0, []
    for key, before, reasons, *about in session.execute(
        select(ScanRow.id, ScanRow.urgency, ScanRow.reasons, *columns)
    ):
        urgency, why = urgency_of(*about, alerts=alerts)
        sounding += urgency >= ALERT
        if urgency != before or why != reasons:
            changed.append({"id": key, "urgency": urgency, "reasons": why})
    if changed:
        session.execute(update(ScanRow), changed)
    return sounding


def elsewhere(session: Session, scan: ScanRow) -> bool:
    """Whether the same file is also saved for another patient."""
    other = ((ScanRow.sha256 == scan.sha256) | (ScanRow.source_sha256 == scan.source_sha256)) & (
        ScanRow.patient_id != scan.patient_id
    )
    return session.scalars(select(ScanRow.id).where(other).limit(1)).first() is not None


def canonical(value: Any) -> bytes:
    """JSON in which equal values are equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
