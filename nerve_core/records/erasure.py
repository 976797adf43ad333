"""Erasing a patient for good: rows, files nobody else's scan is in, everything derived from them.

In two steps, so that a kill between them loses nothing and leaves nothing: the rows go in one transaction
that also marks the files as doomed; then each doomed file leaves the disk. What was broken off goes on when
the records are opened next.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from nerve_core.records.models import (
    CommentRow,
    FileRow,
    HandoutRow,
    PatientRow,
    PredictionRow,
    ReviewRow,
    ScanRow,
)
from nerve_core.records.reading import patient_row

if TYPE_CHECKING:
    from nerve_core.records.archive import Archive

WHAT_REMAINS = (
    "Backups made before still hold this patient until they are overwritten: erase them there too, or let "
    "them expire, and erase again after restoring one. Weights trained on corrections cannot be made to "
    "forget; train them again without this patient's group. The audit log keeps that a record with a random "
    "identifier was erased, by whom and when."
)
"""Shown with every erasure."""

SCRUB_S = 5.0
"""Longest wait, s, for readers to let go of the write-ahead log."""


@dataclass(frozen=True)
class Erased:
    """What an erasure took away.

    Attributes:
        scans, predictions, reviews, comments: rows.
        files: that left the disk.
        files_kept: that another patient's scan is also in.
        files_left: that could not be removed yet; tried again when the records are opened next.
        handouts: days on which data of this patient left the records, and as what: whoever has it must be
            told.
        log_emptied: whether the database's side file was emptied too; if not, it is at its next opening.
        notice: what remains elsewhere, and what to do about it.
    """

    scans: int
    predictions: int
    reviews: int
    comments: int
    files: int
    files_kept: int
    files_left: int
    handouts: tuple[tuple[str, str], ...]
    log_emptied: bool
    notice: str = WHAT_REMAINS


def erase_rows(session: Session, patient: str) -> dict[str, object]:
    """Delete every row of a patient and doom the files that nobody else's scan is in.

    Returns:
        Fields of :class:`Erased` that are known then.

    Raises:
        NotFound: there is no such patient.
    """
    patient_row(session, patient)
    own = select(ScanRow.id).where(ScanRow.patient_id == patient)
    # Locked against a save of the same file by somebody else until this is done.
    files = session.scalars(
        select(FileRow)
        .where(FileRow.sha256.in_(select(ScanRow.sha256).where(ScanRow.patient_id == patient)))
        .order_by(FileRow.sha256)
        .with_for_update()
    ).all()

    def count(table: type[PredictionRow] | type[ReviewRow]) -> int:
        return session.scalar(select(func.count()).select_from(table).where(table.scan_id.in_(own))) or 0

    remarks = select(func.count()).select_from(CommentRow).where(CommentRow.patient_id == patient)
    handouts = session.execute(
        select(HandoutRow.made, HandoutRow.kind)
        .where(HandoutRow.patient_id == patient)
        .order_by(HandoutRow.made)
    )
    found: dict[str, object] = {
        "scans": len(session.scalars(own).all()),
        "predictions": count(PredictionRow),
        "reviews": count(ReviewRow),
        "comments": session.scalar(remarks) or 0,
        "handouts": tuple((made.date().isoformat(), kind) for made, kind in handouts),
    }
    session.execute(delete(PatientRow).where(PatientRow.id == patient))
    still = set(
        session.scalars(select(ScanRow.sha256).where(ScanRow.sha256.in_([file.sha256 for file in files])))
    )
    doomed = [file.sha256 for file in files if file.sha256 not in still]
    session.execute(update(FileRow).where(FileRow.sha256.in_(doomed)).values(doomed=True))
    return found | {"files_kept": len(still)}


def remove_doomed(archive: Archive) -> tuple[int, int]:
    """Take doomed files from the disk, each in a transaction of its own.

    Returns:
        How many were removed, and how many could not be.

    Raises:
        RecordsError: the database cannot be used.
    """
    with archive.reading() as session:
        doomed = session.scalars(select(FileRow.sha256).where(FileRow.doomed)).all()
    removed = left = 0
    for sha256 in doomed:
        with archive.writing() as session:
            row = session.scalars(
                select(FileRow).where(FileRow.sha256 == sha256, FileRow.doomed).with_for_update()
            ).one_or_none()
            if row is None:
                continue
            if session.scalars(select(ScanRow.id).where(ScanRow.sha256 == sha256).limit(1)).first():
                row.doomed = False
                continue
            try:
                archive.files.remove(sha256)
            except OSError:
                left += 1
                continue
            session.delete(row)
            removed += 1
    return removed, left


def scrub(archive: Archive) -> bool:
    """Empty what the database keeps beside its tables; whether that was possible now.

    SQLite writes zeros over deleted rows (``secure_delete``); its write-ahead log is cut to nothing here.
    PostgreSQL frees the space for new rows.
    """
    with archive.connection() as connection:
        if not archive.is_sqlite:
            connection.execute(text("VACUUM"))
            return True
        until = time.monotonic() + SCRUB_S
        while True:
            busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
            if not busy:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
