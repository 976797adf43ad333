"""What readers drew and concluded, as a set to train from: images, masks and a manifest without identities.

The pixels outside the ultrasound picture are black, names of files and patients are gone, days too. A group
is a hash of the patient's random identifier: always the same for one patient, so that no later split puts one
person on two sides, and of no use without the records.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from nerve_core.data.manifest import LABELS
from nerve_core.imaging.read import open_scan
from nerve_core.inference.prediction import NOT_ASSESSABLE
from nerve_core.records.errors import RecordsError
from nerve_core.records.models import ReviewRow, ScanRow
from nerve_core.records.place import PART
from nerve_core.records.reading import blinded_to, spacing_of

if TYPE_CHECKING:
    from nerve_core.records.archive import Archive

COLUMNS = ("image", "mask", "label", "group", "nerve", "site", "spacing_mm", "corrected", "source", "licence")
SOURCE, LICENCE = "corrections", "own patients, not shared"


@dataclass(frozen=True)
class Corrections:
    """A set that was written.

    Attributes:
        folder: where it lies; train from it by ``python -m nerve_core train --manifest FOLDER``.
        images, patients: how many.
        corrected: how many outlines were changed by hand; the others are the model's, approved by a reader.
    """

    folder: Path
    images: int
    patients: int
    corrected: int


def group_of(patient: str) -> str:
    """The group of a patient in every set of corrections."""
    return "patient-" + hashlib.sha256(f"nerve_core corrections {patient}".encode()).hexdigest()[:16]


def latest(session: Session, reader: str) -> list[tuple[ScanRow, ReviewRow]]:
    """Scans with the last reading that is nobody's second one and has outlines, in the order of
    the groups.

    Left out: scans that were not assessable, those without outlines, and those the reader has still to read
    blinded.
    """
    later = aliased(ReviewRow)
    found: dict[str, tuple[ScanRow, ReviewRow]] = {}
    for scan, review in session.execute(
        select(ScanRow, ReviewRow)
        .join(ReviewRow, ReviewRow.scan_id == ScanRow.id)
        .where(~ReviewRow.second, ReviewRow.reading != NOT_ASSESSABLE)
        .where(~select(later.id).where(later.supersedes == ReviewRow.id).exists())
        .where(ScanRow.id.not_in(blinded_to(reader)))
        .order_by(ReviewRow.made, ReviewRow.id)
    ):
        if review.contours:
            found[scan.id] = (scan, review)
        else:
            found.pop(scan.id, None)
    return sorted(found.values(), key=lambda pair: (group_of(pair[0].patient_id), pair[0].id))


@contextmanager
def prepared(archive: Archive, out: Path, reader: str) -> Iterator[tuple[Corrections, list[str], Path]]:
    """The set beside its place, to be renamed to ``out`` once that is logged; gone after the block.

    Args:
        out: folder to make; it must not be there, or be empty.
        reader: who asks.

    Yields:
        What was written, identifiers of the patients in it, and where it lies.

    Raises:
        RecordsError: there are no readings with outlines, or the folder is taken.
        FileAltered: a scan's file cannot be had.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RecordsError(f"The folder {out.name} is there already and not empty; name a new one.")
    with archive.reading() as session:
        pairs = latest(session, reader)
    if not pairs:
        raise RecordsError("No reading with an outline is saved yet, so there are no corrections to write.")
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=".", suffix=PART, dir=out.parent))
    try:
        for name in ("images", "masks"):
            (staged / name).mkdir()
        rows = list(_written(staged, archive, pairs))
        with (staged / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
        patients = sorted({scan.patient_id for scan, _ in pairs})
        done = Corrections(out, len(rows), len(patients), sum(row["corrected"] == "1" for row in rows))
        yield done, patients, staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _written(
    staged: Path, archive: Archive, pairs: Sequence[tuple[ScanRow, ReviewRow]]
) -> Iterator[dict[str, str]]:
    from nerve_core.inference.edited import mask_of

    for number, (scan, review) in enumerate(pairs, start=1):
        frame = open_scan(archive.files.read(scan.sha256)).scan(scan.frame)
        top, left, bottom, right = frame.region
        pixels = np.zeros_like(frame.pixels)
        pixels[top:bottom, left:right] = frame.pixels[top:bottom, left:right]
        mask = np.zeros(pixels.shape, np.uint8)
        for contour in review.contours:
            mask |= mask_of(np.asarray(contour, np.float64), pixels.shape)
        image, drawn = f"images/{number:06d}.png", f"masks/{number:06d}.png"
        for name, picture in ((image, pixels), (drawn, mask * np.uint8(255))):
            (staged / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        spacing = spacing_of(scan)
        yield {
            "image": image,
            "mask": drawn,
            "label": review.reading if review.reading in LABELS else "",
            "group": group_of(scan.patient_id),
            "nerve": scan.nerve,
            "site": scan.site,
            "spacing_mm": "" if spacing is None else f"{spacing[0]:.6g} {spacing[1]:.6g}",
            "corrected": str(int(review.corrected)),
            "source": SOURCE,
            "licence": LICENCE,
        }
