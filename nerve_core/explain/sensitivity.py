"""What would change this verdict: outline, frame, crop, processing, mirror image, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from nerve_core.errors import NerveCoreError
from nerve_core.explain.judge import nerve_mask
from nerve_core.imaging.scan import Scan
from nerve_core.inference.contours import components
from nerve_core.inference.prediction import NO_NERVE, Nerve, Prediction, verdict_of
from nerve_core.inference.predictor import Predictor

THRESHOLDS = (0.3, 0.7)
JITTER = 0.04
"""How far the outline is moved, as a share of the nerve's diameter: less than experts differ by."""
TRIM = 0.06
"""What is cut off each side of the ultrasound region, as a share of it."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """One change and what it did.

    Attributes:
        group: ``outline``, ``picture``, ``processing`` or ``frame``.
        change: what was changed, in words.
        p_affected: probability after it; None where no nerve was found.
        verdict: after it.
        shift: probability after minus before; None without a nerve.
        turned: whether the verdict is another one.
    """

    group: str
    change: str
    p_affected: float | None
    verdict: str
    shift: float | None
    turned: bool


def sensitivity(
    predictor: Predictor,
    scan: Scan,
    prediction: Prediction,
    nerve: Nerve,
    click: tuple[float, float] | None = None,
    frames: Mapping[int, Scan] | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Judge one nerve again under small changes, each alone.

    Args:
        predictor: the weights.
        scan: the frame judged.
        prediction: what was said of it.
        nerve: the nerve in question, one of the prediction's.
        click: (x, y) px where the clinician pointed.
        frames: neighbouring frames by their offset (-1 is the one before); the nerve is sought there.
        progress: told after each change.

    Returns:
        One row a change, in the order of the groups.
    """
    mask = nerve_mask(nerve, prediction)
    before = nerve.p_affected
    trials = list(_trials(predictor, scan, prediction, mask, click, frames or {}))
    rows = []
    for done, (group, change, judge) in enumerate(trials, 1):
        try:
            p = judge()
        except NerveCoreError:
            p = None
        verdict = NO_NERVE if p is None else verdict_of(p)
        turned = verdict != verdict_of(before)
        rows.append(Row(group, change, p, verdict, None if p is None else p - before, turned))
        if progress is not None:
            progress(done, len(trials))
    return rows


def said(rows: list[Row]) -> str:
    """The table in one sentence."""
    turned = [row for row in rows if row.turned]
    if not turned:
        moved = max((abs(row.shift) for row in rows if row.shift is not None), default=0.0)
        most = f"its probability moves by {100 * moved:.0f} points of a hundred at most"
        return f"None of {len(rows)} small changes turns this verdict; {most}."
    names = "; ".join(row.change.lower() for row in turned[:3])
    more = f" and {len(turned) - 3} more" if len(turned) > 3 else ""
    return f"{len(turned)} of {len(rows)} small changes turn this verdict ({names}{more}): do not lean on it."


def _trials(
    predictor: Predictor,
    scan: Scan,
    prediction: Prediction,
    mask: np.ndarray,
    click: tuple[float, float] | None,
    frames: Mapping[int, Scan],
) -> Iterator[tuple[str, str, Callable[[], float | None]]]:
    top, left, bottom, right = scan.region or (0, 0, *scan.pixels.shape)

    def drawn(threshold: float) -> Callable[[], float | None]:
        def judge() -> float | None:
            how = replace(predictor.selection, threshold=threshold)
            area = (bottom - top) * (right - left)
            return _judged(predictor, scan.pixels, components(prediction.probability, area, how, click), mask)

        return judge

    def outline(changed: np.ndarray) -> Callable[[], float | None]:
        return lambda: predictor.p_affected(scan.pixels, changed) if changed.any() else None

    def again(other: Scan, where: np.ndarray, **options: object) -> Callable[[], float | None]:
        def judge() -> float | None:
            found = predictor.predict(other, gate=False, **options)
            masks = [nerve_mask(one, found) for one in found.nerves]
            best = _overlapping(masks, where)
            return None if best is None else found.nerves[best].p_affected

        return judge

    for threshold in THRESHOLDS:
        name = "More generous" if threshold < 0.5 else "Stricter"
        yield "outline", f"{name} outline (drawn from {100 * threshold:.0f} % on)", drawn(threshold)
    step = max(1, round(JITTER * 2 * float(np.sqrt(mask.sum() / np.pi))))
    ball = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * step + 1, 2 * step + 1))
    yield "outline", f"Outline {step} px wider all around", outline(cv2.dilate(mask, ball))
    yield "outline", f"Outline {step} px tighter all around", outline(cv2.erode(mask, ball))
    for name, dx, dy in (
        ("right", step, 0),
        ("left", -step, 0),
        ("deeper", 0, step),
        ("shallower", 0, -step),
    ):
        moved = cv2.warpAffine(mask, np.float32([[1, 0, dx], [0, 1, dy]]), mask.shape[::-1])
        yield "outline", f"Outline {step} px {name}", outline(moved)

    mirrored = replace(
        scan, pixels=np.ascontiguousarray(scan.pixels[:, ::-1]), calibrated=(), region=_mirrored(scan)
    )
    turned = None if click is None else (scan.pixels.shape[1] - 1 - click[0], click[1])
    yield "picture", "Mirror image", again(mirrored, mask[:, ::-1], click=turned)
    down, across = round(TRIM * (bottom - top)), round(TRIM * (right - left))
    if bottom - top > 4 * down + 16 and right - left > 4 * across + 16:
        trimmed = scan.with_region((top + down, left + across, bottom - down, right - across))
        yield (
            "picture",
            f"Ultrasound region {100 * TRIM:.0f} % smaller on each side",
            again(trimmed, mask, click=click),
        )
    own = predictor.preprocess
    steps = {
        "Local contrast (CLAHE, clip limit 2)": replace(own, clahe_clip=2.0),
        "Speckle smoothed (median, 3 px)": replace(own, median=3),
        "Whole frame instead of the ultrasound region": replace(own, crop_region=False),
    }
    for name, settings in steps.items():
        if settings != own:
            yield "processing", name, again(scan, mask, click=click, preprocess=settings)
    for offset, frame in sorted(frames.items()):
        if frame.pixels.shape == scan.pixels.shape:
            yield (
                "frame",
                f"Frame {abs(offset)} {'earlier' if offset < 0 else 'later'}",
                again(frame, mask, click=click),
            )


def _judged(
    predictor: Predictor, pixels: np.ndarray, masks: list[np.ndarray], where: np.ndarray
) -> float | None:
    best = _overlapping(masks, where)
    return None if best is None else predictor.p_affected(pixels, masks[best])


def _overlapping(masks: list[np.ndarray], where: np.ndarray) -> int | None:
    """Index of the mask that shares most with ``where``; None where none touches it."""
    shared = [int(np.count_nonzero((mask > 0) & (where > 0))) for mask in masks]
    return int(np.argmax(shared)) if shared and max(shared) else None


def _mirrored(scan: Scan) -> tuple[int, int, int, int]:
    height, width = scan.pixels.shape
    top, left, bottom, right = scan.region or (0, 0, height, width)
    return top, width - right, bottom, width - left
