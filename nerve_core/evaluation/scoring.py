"""One row of a manifest put through the predictor and compared with its truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from nerve_core.data.manifest import PATH_COLUMNS
from nerve_core.data.packed import read_mask
from nerve_core.errors import DataError, NerveCoreError, RefusedScan
from nerve_core.evaluation.contours import ContourScore, largest_nerve, score_contour
from nerve_core.imaging.click import thickest_point
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
    """

    contour: ContourScore | None
    pointed: ContourScore | None
    p_affected: float | None
    verdict: str

    @property
    def uncertain(self) -> bool:
        return self.verdict == UNCERTAIN


@dataclass(frozen=True)
class Scored:
    """One row of the manifest with its answers.

    Attributes:
        row: the manifest's own columns.
        label: 1 affected, 0 unaffected, None when the row has no label.
        has_nerve: whether the true mask shows a nerve, None when the row has no mask.
        size: area of the largest true nerve as a share of the image, None without a true nerve.
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


def score_row(
    row: Mapping[str, str],
    predictor: Predicts,
    read: Callable[[str], Scan],
    gate: Gate,
    click: bool = False,
) -> Scored:
    """Predict one row with the gate off and compare with its mask.

    Args:
        row: ``image``, ``mask`` (may be empty), ``label`` (may be empty) and ``group``; absolute paths, and
            under ``LISTED`` the paths as the manifest gives them.
        predictor: its ``predict`` is the only path to a result.
        read: makes a scan of a file.
        gate: says why a scan would be refused, or None.
        click: also predict with one click where the largest true nerve is thickest.

    Returns:
        The answers; a file, mask or label that cannot be used gives ``error`` instead of raising.
    """
    try:
        label = label_of(row)
        scan = read(row["image"])
        true = read_mask(row["mask"], scan.pixels.shape) if row.get("mask") else None
        answer = answer_of(predictor.predict(scan, gate=False), true)
        refused = gate(scan)
        if true is None or not true.any():
            has_nerve = None if true is None else False
            return Scored(row, label=label, has_nerve=has_nerve, refused=refused, answer=answer)
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
            refused=refused,
            answer=answer,
            click_answer=clicked,
        )
    except RefusedScan as refusal:
        return Scored(row, refused=str(refusal), error=str(refusal))
    except NerveCoreError as error:
        return Scored(row, error=str(error))


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
    )


def nerve_at(mask: np.ndarray, point: tuple[float, float]) -> np.ndarray:
    """Boolean mask (H, W) of the connected part of a mask that holds the point (x, y) or is nearest to it."""
    _, labels = cv2.connectedComponents((mask > 0).astype(np.uint8), connectivity=8)
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return labels > 0
    nearest = int(np.argmin((columns - point[0]) ** 2 + (rows - point[1]) ** 2))
    return labels == labels[rows[nearest], columns[nearest]]
