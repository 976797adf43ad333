"""The tables of the records.

No table holds a name, a date of birth, a hospital number or the name of a file: a patient is a pseudonym that
the site gives, everything else hangs on random identifiers. Rows of readings are never changed: a new reading
supersedes the old one, and both stay. (The audit log's table is in :mod:`nerve_core.access.audit`.)
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from nerve_core.records.base import Base, UtcDateTime, new_id, now

ID = String(36)
HASH = String(64)
WHO = String(254)


FILTERS = ("day", "nerve", "site", "side", "verdict", "patient_id")
"""Columns of a scan that the worklist filters by, besides those it is ordered by."""


class PatientRow(Base):
    """A patient, known here by pseudonym alone."""

    __tablename__ = "patient"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    pseudonym: Mapped[str] = mapped_column(String(64), unique=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class VisitRow(Base):
    """What was scanned of a patient on one day."""

    __tablename__ = "visit"
    __table_args__ = (UniqueConstraint("patient_id", "date"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"))
    date: Mapped[date] = mapped_column(Date, index=True)


class FileRow(Base):
    """A stored file, by the SHA-256 of its content; several scans may be frames of it.

    Attributes:
        doomed: no scan refers to it any more and it is about to leave the disk; a broken-off erasure goes on
            from this mark.
    """

    __tablename__ = "file"

    sha256: Mapped[str] = mapped_column(HASH, primary_key=True)
    size: Mapped[int]
    extension: Mapped[str] = mapped_column(String(8))
    doomed: Mapped[bool] = mapped_column(default=False, index=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class ScanRow(Base):
    """One frame of one file of one patient.

    Attributes:
        source_sha256: of the file as it came, before it was de-identified: the same upload is known again.
        spacing_row, spacing_column: mm per px, None when the scale is unknown.
        day: of the visit, as there.
        verdict, p_affected, area_mm2: of the last prediction; None where there is none.
        urgency, reasons, reviewed, reading: as the worklist orders and shows them, see
            :mod:`nerve_core.records.urgency`; kept here so that 100,000 scans are sorted by an index.
    """

    __tablename__ = "scan"
    __table_args__ = (
        UniqueConstraint("patient_id", "source_sha256", "frame"),
        # Both hold every column the worklist filters by, so that no row is touched that is not shown.
        Index("ix_scan_urgent", "reviewed", text("urgency DESC"), text("saved DESC"), "id", *FILTERS),
        Index("ix_scan_newest", text("saved DESC"), "id", "reviewed", "urgency", *FILTERS),
        Index("ix_scan_nerve_site", "nerve", "site"),
        Index("ix_scan_day", "day"),
        CheckConstraint("frame >= 0 AND height > 0 AND width > 0", name="geometry"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("file.sha256"), index=True)
    source_sha256: Mapped[str] = mapped_column(HASH)
    frame: Mapped[int]
    height: Mapped[int]
    width: Mapped[int]
    nerve: Mapped[str] = mapped_column(String(80), default="")
    site: Mapped[str] = mapped_column(String(80), default="")
    side: Mapped[str] = mapped_column(String(8), default="")
    spacing_row: Mapped[float | None]
    spacing_column: Mapped[float | None]
    saved: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    saved_by: Mapped[str] = mapped_column(WHO)
    day: Mapped[date] = mapped_column(Date)
    verdict: Mapped[str | None] = mapped_column(String(24))
    p_affected: Mapped[float | None]
    area_mm2: Mapped[float | None]
    urgency: Mapped[float] = mapped_column(default=0.0)
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    reviewed: Mapped[bool] = mapped_column(default=False)
    reading: Mapped[str | None] = mapped_column(String(24))


class ConfigRow(Base):
    """The whole config of a set of weights, once, by the SHA-256 of its canonical JSON."""

    __tablename__ = "model_config"

    sha256: Mapped[str] = mapped_column(HASH, primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSON)


class PredictionRow(Base):
    """What one model said of a scan.

    Attributes:
        digest: SHA-256 of everything the model said, so that saving it twice keeps it once.
        nerves: as in ``Prediction.to_dict``: contour, centroid, areas, confidence, p_affected, verdict. The
            mask is not kept: it follows from the contours and the size of the scan.
        click: (x, y) px, where the user pointed.
    """

    __tablename__ = "prediction"
    __table_args__ = (UniqueConstraint("scan_id", "digest"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(HASH)
    model: Mapped[str] = mapped_column(String(120))
    version: Mapped[str] = mapped_column(String(40))
    config_sha256: Mapped[str | None] = mapped_column(ForeignKey("model_config.sha256"))
    verdict: Mapped[str] = mapped_column(String(24))
    p_affected: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(Text)
    beyond: Mapped[str | None] = mapped_column(Text)
    click: Mapped[list[float] | None] = mapped_column(JSON)
    nerves: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    made: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    made_by: Mapped[str] = mapped_column(WHO)


class ReviewRow(Base):
    """One person's reading of a scan; never changed, only superseded by a later one of the same person.

    Attributes:
        second: whether somebody asked for it as a second reading.
        blinded: whether the reader saw neither the model's verdict nor another reading before it was saved.
        agrees: with the model's verdict; None where the reader did not see one.
        contours: the outlines the reader stands by, each (N, 2) x, y px.
        corrected: whether these were changed by hand; else they are the model's.
        supersedes: the reading of the same person that this one replaces.
    """

    __tablename__ = "review"
    __table_args__ = (Index("ix_review_reviewer_scan_id", "reviewer", "scan_id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"), index=True)
    prediction_id: Mapped[str | None] = mapped_column(
        ForeignKey("prediction.id", ondelete="CASCADE"), index=True
    )
    reviewer: Mapped[str] = mapped_column(WHO)
    second: Mapped[bool] = mapped_column(default=False)
    blinded: Mapped[bool] = mapped_column(default=False)
    agrees: Mapped[bool | None]
    reading: Mapped[str] = mapped_column(String(24))
    contours: Mapped[list[list[list[float]]]] = mapped_column(JSON, default=list)
    corrected: Mapped[bool] = mapped_column(default=False)
    comment: Mapped[str] = mapped_column(Text, default="")
    supersedes: Mapped[str | None] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"), unique=True)
    made: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class MeasurementRow(Base):
    """Sizes of one outline, a model's or a reader's, as in ``nerve_core.clinical.measure.Measurement``."""

    __tablename__ = "measurement"
    __table_args__ = (
        UniqueConstraint("prediction_id", "number"),
        UniqueConstraint("review_id", "number"),
        CheckConstraint("(prediction_id IS NULL) <> (review_id IS NULL)", name="one_source"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"), index=True)
    prediction_id: Mapped[str | None] = mapped_column(ForeignKey("prediction.id", ondelete="CASCADE"))
    review_id: Mapped[str | None] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"))
    number: Mapped[int]
    unit: Mapped[str] = mapped_column(String(2))
    area: Mapped[float]
    perimeter: Mapped[float]
    equivalent_diameter: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]
    flattening: Mapped[float | None]
    circularity: Mapped[float]
    depth: Mapped[float]
    echo: Mapped[float]
    hypoechoic: Mapped[dict[str, float]] = mapped_column(JSON)


class RequestRow(Base):
    """A second reading that somebody asked a colleague for.

    Attributes:
        blinded: the colleague sees neither the model's verdict nor any reading until theirs is saved.
        review_id: the reading that answers it; None while it is open.
    """

    __tablename__ = "reading_request"
    __table_args__ = (UniqueConstraint("scan_id", "colleague"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"))
    asked_by: Mapped[str] = mapped_column(WHO)
    colleague: Mapped[str] = mapped_column(WHO, index=True)
    blinded: Mapped[bool]
    review_id: Mapped[str | None] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"), index=True)
    made: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class CommentRow(Base):
    """A remark on a patient, or on one scan of theirs."""

    __tablename__ = "comment"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    scan_id: Mapped[str | None] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"), index=True)
    author: Mapped[str] = mapped_column(WHO)
    text: Mapped[str] = mapped_column(Text)
    made: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class SettingRow(Base):
    """What a site set for its records, as JSON by name; the alerts are under ``alerts``."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class HandoutRow(Base):
    """Data of a patient that left the records, so that whoever has it can be told of an erasure.

    Attributes:
        kind: ``corrections`` for training, ``copy`` for the patient, or a file made of one scan.
    """

    __tablename__ = "handout"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    made: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    made_by: Mapped[str] = mapped_column(WHO)
