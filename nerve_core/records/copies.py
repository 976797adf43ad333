"""Everything the records hold of one patient, as a ZIP for people and programs (GDPR, article 15)."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from nerve_core.access import audit
from nerve_core.inference.prediction import NOTICE
from nerve_core.records.base import Base, now
from nerve_core.records.errors import RecordsError
from nerve_core.records.models import (
    CommentRow,
    ConfigRow,
    FileRow,
    HandoutRow,
    MeasurementRow,
    PatientRow,
    PredictionRow,
    RequestRow,
    ReviewRow,
    ScanRow,
    VisitRow,
)
from nerve_core.records.place import PART
from nerve_core.records.reading import blinded_to, patient_row

if TYPE_CHECKING:
    from nerve_core.records.archive import Archive

README = f"""Everything that is recorded of one patient.

patient.json  the patient's pseudonym, visits, scans, what models said of them, sizes, readings, comments,
              who looked at or changed the records, and when data of the patient left them
scans/        the files of the scans, each once, named by the SHA-256 of its content

{NOTICE}
"""

OF_SCANS = (PredictionRow, MeasurementRow, ReviewRow, RequestRow)


@contextmanager
def prepared(archive: Archive, patient: str, target: Path, reader: str) -> Iterator[tuple[int, Path]]:
    """The ZIP beside its place, to be renamed to ``target`` once that is logged; gone after the block.

    Args:
        target: of the ZIP; its folder must be there.
        reader: who asks; somebody who is still to read one of the scans blinded may not have it.

    Yields:
        How many files of scans are in it, and where it lies.

    Raises:
        NotFound: there is no such patient.
        RecordsError: the reader has still to read a scan blinded.
        FileAltered: a file of a scan cannot be had.
    """
    with archive.reading() as session:
        everything = rows_of(session, patient)
        hidden = set(session.scalars(blinded_to(reader))) & {row["id"] for row in everything["scan"]}
    if hidden:
        raise RecordsError(
            "You have still to read a scan of this patient blinded; save your reading first, or ask "
            "somebody else for the copy."
        )
    with tempfile.NamedTemporaryFile(prefix=".", suffix=PART, dir=target.parent, delete=False) as part:
        staged = Path(part.name)
    try:
        with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("README.txt", README)
            file.writestr("patient.json", json.dumps(everything, indent=1, default=_plain) + "\n")
            for row in everything["file"]:
                name = f"scans/{row['sha256']}{row['extension']}"
                file.writestr(name, archive.files.read(row["sha256"]), zipfile.ZIP_STORED)
        yield len(everything["file"]), staged
    finally:
        staged.unlink(missing_ok=True)


def rows_of(session: Session, patient: str) -> dict[str, Any]:
    """Every row that is about a patient, by table, and every act on them in the audit log.

    Raises:
        NotFound: there is no such patient.
    """
    scans = select(ScanRow.id).where(ScanRow.patient_id == patient)
    configs = select(PredictionRow.config_sha256).where(PredictionRow.scan_id.in_(scans))
    shas = select(ScanRow.sha256).where(ScanRow.patient_id == patient)
    found: dict[str, Any] = {
        "notice": NOTICE,
        "written": now(),
        PatientRow.__tablename__: [_as_dict(patient_row(session, patient))],
    }
    chosen: list[tuple[type[Base], Any]] = [
        *((table, table.patient_id == patient) for table in (VisitRow, ScanRow, CommentRow, HandoutRow)),
        *((table, table.scan_id.in_(scans)) for table in OF_SCANS),
        (ConfigRow, ConfigRow.sha256.in_(configs)),
        (FileRow, FileRow.sha256.in_(shas)),
    ]
    for table, condition in chosen:
        found[table.__tablename__] = [
            _as_dict(row) for row in session.scalars(select(table).where(condition))
        ]
    subjects = [patient, *session.scalars(scans)]
    found["access"] = audit.about(session, subjects)
    return found


def _as_dict(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in inspect(row).mapper.column_attrs}


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
