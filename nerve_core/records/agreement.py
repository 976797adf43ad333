"""How far two readings of the same scans agree: in words by Cohen's kappa, in outlines by Dice and area."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from nerve_core.inference.prediction import NO_NERVE
from nerve_core.inference.review import READINGS
from nerve_core.records.models import MeasurementRow, PredictionRow, ReviewRow
from nerve_core.records.reading import blinded_to

WORDS = (*READINGS, NO_NERVE)
"""Everything a reader or the model may say."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of pairs of readings; every figure with how many pairs it rests on.

    Attributes:
        n: pairs of readings.
        patients: how many patients they are of.
        percent: share of equal readings, per cent; None without pairs.
        kappa: Cohen's kappa (1960), unweighted; None where it is not defined (no pairs, or one word alone).
        n_contours: pairs in which both have outlines.
        dice: median Dice coefficient of these, 0 to 1.
        n_areas: pairs in which both outlines were measured in mm².
        area_bias_mm2: mean of second minus first.
        area_limits_mm2: 95 % limits of agreement of that difference (Bland and Altman 1986); None below 3
            pairs.
    """

    n: int
    patients: int
    percent: float | None
    kappa: float | None
    n_contours: int
    dice: float | None
    n_areas: int
    area_bias_mm2: float | None
    area_limits_mm2: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a pair: what was said of a scan, the outlines, and their area in mm² where it is known."""

    scan: str
    patient: str
    word: str
    contours: Sequence[np.ndarray]
    area_mm2: float | None


def agreement_of(pairs: Sequence[tuple[Side, Side]]) -> Agreement:
    """Figures of pairs, the first reading first."""
    words = [(one.word, two.word) for one, two in pairs]
    dices = [dice(one.contours, two.contours) for one, two in pairs if one.contours and two.contours]
    shifts = np.array(
        [
            two.area_mm2 - one.area_mm2
            for one, two in pairs
            if one.area_mm2 is not None and two.area_mm2 is not None
        ]
    )
    bias = float(shifts.mean()) if len(shifts) else None
    limits = None
    if len(shifts) >= 3:
        half = 1.96 * float(shifts.std(ddof=1))
        limits = (float(shifts.mean()) - half, float(shifts.mean()) + half)
    return Agreement(
        n=len(pairs),
        patients=len({one.patient for one, _ in pairs}),
        percent=100 * sum(a == b for a, b in words) / len(words) if words else None,
        kappa=kappa(words),
        n_contours=len(dices),
        dice=float(np.median(dices)) if dices else None,
        n_areas=len(shifts),
        area_bias_mm2=bias,
        area_limits_mm2=limits,
    )


def kappa(words: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of pairs of words; None where chance alone would agree always, or without pairs."""
    if not words or len({word for pair in words for word in pair}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score

    value = float(cohen_kappa_score(*zip(*words, strict=True)))
    return None if isnan(value) else value


def dice(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Dice coefficient of the pixels whose centres lie in the contours, each (N, 2) x, y px; 0 to 1."""
    from nerve_core.inference.edited import mask_of

    points = np.concatenate([np.asarray(one, np.float64) for one in (*first, *second)])
    corner = np.floor(points.min(axis=0)) - 1
    width, height = (np.ceil(points.max(axis=0)) - corner + 2).astype(int)

    def mask(contours: Iterable[np.ndarray]) -> np.ndarray:
        found = np.zeros((height, width), bool)
        for one in contours:
            found |= mask_of(np.asarray(one, np.float64) - corner, (height, width)) > 0
        return found

    one, two = mask(first), mask(second)
    both = int(one.sum()) + int(two.sum())
    return 2 * int((one & two).sum()) / both if both else 0.0


def reader_pairs(session: Session, reader: str, blinded_only: bool) -> list[tuple[Side, Side]]:
    """First and second readings of each scan that has both; a blinded reading counts as it was given."""
    reviews = _reviews(session, reader)
    pairs = []
    for found in reviews.values():
        superseded = {one.supersedes for one in found}
        firsts = [one for one in found if not one.second and one.id not in superseded]
        for first in firsts[:1]:
            for name in sorted({one.reviewer for one in found if one.second}):
                own = [one for one in found if one.second and one.reviewer == name]
                blind = [one for one in own if one.blinded]
                if blinded_only and not blind:
                    continue
                pairs.append((first, blind[0] if blind else own[-1]))
    return _sided(session, pairs)


def model_pairs(session: Session, reader: str) -> list[tuple[Side, Side]]:
    """What the model said last and the first reader's reading, of each scan that has both."""
    pairs: list[tuple[PredictionRow | ReviewRow, ReviewRow]] = []
    reviews = _reviews(session, reader)
    said = {
        row.scan_id: row
        for row in session.scalars(select(PredictionRow).order_by(PredictionRow.made, PredictionRow.id))
        if row.scan_id in reviews
    }
    for scan, found in reviews.items():
        superseded = {one.supersedes for one in found}
        firsts = [one for one in found if not one.second and one.id not in superseded]
        if firsts and scan in said:
            pairs.append((said[scan], firsts[0]))
    return _sided(session, pairs)


def _reviews(session: Session, reader: str) -> dict[str, list[ReviewRow]]:
    """Readings by scan in the order they were made, without scans the reader has still to read blinded."""
    found: dict[str, list[ReviewRow]] = defaultdict(list)
    hidden = set(session.scalars(blinded_to(reader)))
    for row in session.scalars(select(ReviewRow).order_by(ReviewRow.made, ReviewRow.id)):
        if row.scan_id not in hidden:
            found[row.scan_id].append(row)
    return found


def _sided(
    session: Session, pairs: Sequence[tuple[PredictionRow | ReviewRow, ReviewRow]]
) -> list[tuple[Side, Side]]:
    from nerve_core.records.models import ScanRow

    patients = dict(session.execute(select(ScanRow.id, ScanRow.patient_id)).all()) if pairs else {}
    areas: dict[str, float] = defaultdict(float)
    for row in session.scalars(select(MeasurementRow).where(MeasurementRow.unit == "mm")) if pairs else ():
        areas[row.prediction_id or row.review_id or ""] += row.area

    def side(row: PredictionRow | ReviewRow) -> Side:
        if isinstance(row, ReviewRow):
            word, contours = row.reading, row.contours
        else:
            word, contours = row.verdict, [nerve["contour"] for nerve in row.nerves]
        outlines = [np.asarray(one, np.float64).reshape(-1, 2) for one in contours]
        return Side(row.scan_id, patients[row.scan_id], word, outlines, areas.get(row.id))

    return [(side(one), side(two)) for one, two in pairs]
