"""One row of a manifest put through the predictor and compared with its truth, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from nerve_core.data.manifest import PATH_COLUMNS
from nerve_core.data.packed import read_mask, read_masks
from nerve_core.errors import DataError, NerveCoreError, RefusedScan, ScanError
from nerve_core.evaluation.contours import ContourScore, largest_nerve, score_contour
from nerve_core.imaging.click import thickest_point
from nerve_core.imaging.read import ScanFile
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import UNCERTAIN, Prediction

LISTED = {column: f"listed {column}" for column in PATH_COLUMNS}
"""Keys of a row under which the paths stand as the manifest gives them."""

LABELS = {"unaffected": 0, "affected": 1}

Gate = Callable[[Scan], "str | None"]


class Predicts(Protocol):
    """What evaluation needs of a predictor."""

    def predict(
        self, scan: Scan, click: tuple[float, float] | None = None, *, gate: bool = True
    ) -> Prediction: ...


@dataclass(frozen=True)
class Answer:
    """What one prediction said and how good it was.

    Attributes:
        contour: all found nerves against all true ones; None when the row has no mask.
        pointed: with a click, the found nerve under it or nearest to it against the true nerve that was
            clicked; None without a click.
        p_affected: 0 to 1, None when no nerve was found.
        verdict: in words.
        ms: time the prediction took.
    """

    contour: ContourScore | None
    pointed: ContourScore | None
    p_affected: float | None
    verdict: str
    ms: float = 0.0

    @property
    def uncertain(self) -> bool:
        return self.verdict == UNCERTAIN


@dataclass(frozen=True)
class Scored:
    """One row of the manifest, or one frame of its sweep, with its answers.

    Attributes:
        row: the manifest's own columns, and ``frame`` for a frame of a sweep.
        label: 1 affected, 0 unaffected, None when the row has no label.
        has_nerve: whether the true mask shows a nerve, None when the row has no mask.
        size: area of the largest true nerve as a share of the image, None without a true nerve.
        depth: how far down its centre lies, as a share of the ultrasound region's height, None without one.
        brightness: mean grey level of the ultrasound region, 0 to 255; None when the row could not be used.
        refused: why the quality gate would have refused the scan, else None.
        answer: without a click; None when the row could not be used.
        click_answer: with one click where the largest true nerve is thickest; None where that was not
            asked for or there is no true nerve.
        error: why the row could not be used, else None.
    """

    row: Mapping[str, str]
    label: int | None = None
    has_nerve: bool | None = None
    size: float | None = None
    depth: float | None = None
    brightness: float | None = None
    refused: str | None = None
    answer: Answer | None = None
    click_answer: Answer | None = None
    error: str | None = None

    @property
    def group(self) -> str:
        return self.row["group"]

    @property
    def listed(self) -> dict[str, str]:
        """The manifest's own columns as they stand in it, paths included."""
        own = {name: value for name, value in self.row.items() if name not in LISTED.values()}
        return own | {name: self.row[key] for name, key in LISTED.items() if key in self.row}


def label_of(row: Mapping[str, Any]) -> int | None:
    """1 for ``affected``, 0 for ``unaffected``, None for no label.

    Raises:
        DataError: the label is another word.
    """
    text = str(row.get("label") or "").strip().lower()
    if not text:
        return None
    if text not in LABELS:
        raise DataError(
            f"{row.get('image')} has the label {text!r}; use affected, unaffected or leave it empty."
        )
    return LABELS[text]


def score_file(
    row: Mapping[str, str],
    predictor: Predicts,
    open_file: Callable[[str], ScanFile],
    gate: Gate,
    click: bool = False,
) -> list[Scored]:
    """Predict one row with the gate off and compare with its mask; of a sweep, every frame.

    A sweep is a file with several frames whose mask has a page for each, as in ``data.packed.pack``; of
    other files with several frames the first is judged alone.

    Args:
        row: ``image``, ``mask`` (may be empty), ``label`` (may be empty) and ``group``; absolute paths, and
            under ``LISTED`` the paths as the manifest gives them.
        predictor: its ``predict`` is the only path to a result.
        open_file: opens a file of one or several frames.
        gate: says why a scan would be refused, or None.
        click: also predict with one click where the largest true nerve is thickest.

    Returns:
        One entry, or one a frame of a sweep, in order, with the number of the frame, from 0, in the column
        ``frame``; label and group are those of the row. A file, frame, mask or label that cannot be used
        gives ``error`` instead of raising.
    """
    try:
        label_of(row)
        opened = open_file(row["image"])
        pages = _mask_pages(row, opened)
    except NerveCoreError as error:
        return [_failed(row, error, str(error))]
    if len(pages) != opened.n_frames or opened.n_frames == 1:
        return [_score_frame(row, 0, opened, pages, predictor, gate, click)]
    return [
        _score_frame({**row, "frame": str(frame)}, frame, opened, pages, predictor, gate, click)
        for frame in range(opened.n_frames)
    ]


def _mask_pages(row: Mapping[str, str], opened: ScanFile) -> list[np.ndarray]:
    """Pages of the row's mask where the file has several frames, of the shape of the first readable one."""
    if not row.get("mask") or opened.n_frames == 1:
        return []
    for frame in range(opened.n_frames):
        try:
            shape = opened.scan(frame).pixels.shape
        except ScanError:
            continue
        return read_masks(row["mask"], shape)
    return []


def _score_frame(
    row: Mapping[str, str],
    frame: int,
    opened: ScanFile,
    pages: Sequence[np.ndarray],
    predictor: Predicts,
    gate: Gate,
    click: bool,
) -> Scored:
    try:
        scan = opened.scan(frame)
        if pages:
            true = _fitting(pages[frame], row, scan)
        else:
            true = read_mask(row["mask"], scan.pixels.shape) if row.get("mask") else None
        return _score_scan(row, scan, true, predictor, gate, click)
    except NerveCoreError as error:
        return _failed(row, error, f"Frame {frame}: {error}" if pages else str(error))


def _fitting(page: np.ndarray, row: Mapping[str, str], scan: Scan) -> np.ndarray:
    """The page, when it has the frame's size; frames of a TIFF may differ among themselves."""
    if page.shape != scan.pixels.shape:
        raise DataError(
            f"The mask {Path(row['mask']).name} and this frame differ in size; give both the same."
        )
    return page


def _failed(row: Mapping[str, str], error: NerveCoreError, said: str) -> Scored:
    """The entry of what could not be used."""
    return Scored(row, refused=said if isinstance(error, RefusedScan) else None, error=said)


def _score_scan(
    row: Mapping[str, str], scan: Scan, true: np.ndarray | None, predictor: Predicts, gate: Gate, click: bool
) -> Scored:
    """Compare the predictions of one scan with its true mask (H, W), None where nobody drew one."""
    label = label_of(row)
    prediction = predictor.predict(scan, gate=False)
    answer = answer_of(prediction, true)
    refused = gate(scan) or prediction.beyond
    top, left, bottom, right = scan.region
    brightness = float(scan.pixels[top:bottom, left:right].mean())
    if true is None or not true.any():
        has_nerve = None if true is None else False
        return Scored(
            row, label=label, has_nerve=has_nerve, brightness=brightness, refused=refused, answer=answer
        )
    target = largest_nerve(true)
    clicked = None
    if click:
        point = thickest_point(target)
        clicked = answer_of(predictor.predict(scan, click=point, gate=False), true, target, point)
    return Scored(
        row,
        label=label,
        has_nerve=True,
        size=float(target.mean()),
        depth=float((np.nonzero(target)[0].mean() + 0.5 - top) / (bottom - top)),
        brightness=brightness,
        refused=refused,
        answer=answer,
        click_answer=clicked,
    )


def answer_of(
    prediction: Prediction,
    true: np.ndarray | None,
    target: np.ndarray | None = None,
    point: tuple[float, float] | None = None,
) -> Answer:
    """Compare a prediction with the true mask (H, W), and with the clicked nerve ``target`` (H, W)."""
    pointed = None
    if target is not None and point is not None:
        pointed = score_contour(nerve_at(prediction.mask, point), target)
    return Answer(
        contour=None if true is None else score_contour(prediction.mask, true),
        pointed=pointed,
        p_affected=prediction.p_affected,
        verdict=prediction.verdict,
        ms=prediction.timings_ms.get("total", 0.0),
    )


def nerve_at(mask: np.ndarray, point: tuple[float, float]) -> np.ndarray:
    """Boolean mask (H, W) of the connected part of a mask that holds the point (x, y) or is nearest to it."""
    _, labels = cv2.connectedComponents((mask > 0).astype(np.uint8), connectivity=8)
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return labels > 0
    nearest = int(np.argmin((columns - point[0]) ** 2 + (rows - point[1]) ** 2))
    return labels == labels[rows[nearest], columns[nearest]]
