"""From a received file to its result: judged, written as SEG and SR into a folder, sent on.

A result is kept under the SHA-256 of the file, so a file that comes twice, or again after a restart, gives
one result; so does the same image of a scanner, packed otherwise. A folder of a result is complete or not
there. What cannot be judged is set aside with its reason, and so is a file that twice ended the program.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import Dataset, dcmread

from nerve_core.clinical.dicom_seg import segmentation
from nerve_core.clinical.dicom_source import source_image
from nerve_core.clinical.dicom_sr import report
from nerve_core.errors import NerveCoreError
from nerve_core.files import sync_folder, write_whole
from nerve_core.imaging.read import open_scan
from nerve_core.inference.prediction import NOTICE

if TYPE_CHECKING:
    from nerve_core.imaging.scan import Scan
    from nerve_core.inference.prediction import Prediction
    from nerve_core.inference.predictor import Predictor

Send = Callable[[Sequence[Dataset]], None]
MOST_TRIES = 2
CRASHED = "The program ended twice while it worked on this file."


@dataclass(frozen=True)
class Outcome:
    """What came of one file: ``done``, ``known`` (was done before) or ``aside``, with the reason."""

    digest: str
    word: str
    reason: str = ""


def result_objects(data: bytes, scan: Scan, prediction: Prediction, patient: str = "") -> list[Dataset]:
    """What goes back to the archive: segmentation, where there are nerves, and report.

    Of a picture that was no DICOM, the image made from it comes first, so that there is what to refer to.
    """
    from nerve_core.imaging.dicom import looks_like_dicom

    source = source_image(data, scan, patient)
    segments = segmentation(source, scan, prediction) if prediction.nerves else None
    made = [] if looks_like_dicom(data) else [source]
    made += [segments] if segments is not None else []
    return [*made, report(source, scan, prediction, segments)]


class Results:
    """A folder of results.

    Args:
        folder: made when missing: ``done/DIGEST``, ``aside/DIGEST``, ``trying``, ``pictures``.
        predictor: judges the scans; of a clip, the frame in its middle.
        send: takes the objects of each result; what could not be sent is tried again by :meth:`send_waiting`.
    """

    def __init__(self, folder: Path, predictor: Predictor, send: Send | None = None) -> None:
        self.folder, self.predictor, self.send = folder, predictor, send
        for name in ("done", "aside", "trying", "pictures"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in (folder / "done").glob(".*.part"):
            shutil.rmtree(left, ignore_errors=True)

    def take(self, data: bytes) -> Outcome:
        """Judge a file and keep its result; never raises for what is wrong with the file."""
        digest = hashlib.sha256(data).hexdigest()
        if (self.folder / "done" / digest).exists():
            return Outcome(digest, "known")
        if (self.folder / "aside" / digest / "reason.json").exists():  # written last
            return Outcome(digest, "aside", self.reason(digest))
        trying = self.folder / "trying" / digest
        tries = int(trying.read_text() or 0) if trying.exists() else 0
        if tries >= MOST_TRIES:
            return self._aside(digest, data, CRASHED)
        write_whole(trying, str(tries + 1).encode())
        try:
            file = open_scan(data)
            scan = file.scan(file.n_frames // 2)
            picture = self.folder / "pictures" / _picture_key(data, scan)
            if picture.exists() and (self.folder / "done" / picture.read_text()).exists():
                trying.unlink(missing_ok=True)
                return Outcome(digest, "known")
            prediction = self.predictor.predict(scan)
            write_whole(picture, digest.encode())  # counts once the result is there
            self._keep(digest, result_objects(data, scan, prediction), prediction, scan.frame)
        except OSError:
            trying.unlink(missing_ok=True)
            raise  # the disk is full or gone: not the file's fault
        except NerveCoreError as fault:
            return self._aside(digest, data, str(fault))
        except Exception as fault:
            return self._aside(digest, data, f"The program failed on this file ({type(fault).__name__}).")
        trying.unlink(missing_ok=True)
        self.send_waiting()
        return Outcome(digest, "done")

    def reason(self, digest: str) -> str:
        """Why a file was set aside."""
        return json.loads((self.folder / "aside" / digest / "reason.json").read_text())["reason"]

    def send_waiting(self) -> list[str]:
        """Send every result that is still to be sent; sentences about those that could not be."""
        faults = []
        if self.send is None:
            return faults
        for mark in sorted((self.folder / "done").glob("*/unsent")):
            objects = [dcmread(path) for path in sorted(mark.parent.glob("*.dcm"))]
            try:
                self.send(objects)
            except NerveCoreError as fault:
                faults.append(str(fault))
                continue
            mark.unlink(missing_ok=True)
        return faults

    def _keep(self, digest: str, objects: Sequence[Dataset], prediction: Prediction, frame: int) -> None:
        """Write a result whole: into a folder beside, flushed, then renamed."""
        target = self.folder / "done" / digest
        partial = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=target.parent))
        try:
            for number, one in enumerate(objects):
                path = partial / f"{number}-{one.Modality.lower()}.dcm"
                one.save_as(path, enforce_file_format=True)
                _flush(path)
            said = prediction.to_dict("") | {"frame": frame, "notice": NOTICE}
            write_whole(partial / "result.json", json.dumps(said).encode())
            if self.send is not None:
                write_whole(partial / "unsent", b"")
            sync_folder(partial)
            os.replace(partial, target)
            sync_folder(target.parent)
        except OSError as fault:
            if fault.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # else another worker was first
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _aside(self, digest: str, data: bytes, reason: str) -> Outcome:
        folder = self.folder / "aside" / digest
        folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(folder / "file", data)
        write_whole(folder / "reason.json", json.dumps({"reason": reason}).encode())
        (self.folder / "trying" / digest).unlink(missing_ok=True)
        return Outcome(digest, "aside", reason)


def _picture_key(data: bytes, scan: Scan) -> str:
    """The same for the same image of a scanner, however packed: of its SOP Instance UID and its pixels."""
    from nerve_core.imaging.dicom import looks_like_dicom, parse_dicom

    uid = str(parse_dicom(data).get("SOPInstanceUID", "")) if looks_like_dicom(data) else ""
    made = hashlib.sha256(f"{uid} {scan.pixels.shape} {scan.spacing_mm} {scan.frame}".encode())
    made.update(scan.pixels.tobytes())
    return made.hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
