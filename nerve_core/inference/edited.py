"""Outlines corrected by hand, judged by the same path as the model's own.

An outline is a closed polygon (N, 2), x then y, px of the scan, pixel centres at whole numbers. Its area is
that of the polygon as drawn, between the pixels; the verdict network sees the pixels whose centres lie in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from skimage.draw import polygon2mask

from nerve_core.clinical import shape
from nerve_core.errors import NerveCoreError
from nerve_core.inference.contours import MOST
from nerve_core.inference.prediction import NO_NERVE, NOT_ASSESSABLE, Prediction

if TYPE_CHECKING:
    from nerve_core.imaging.scan import Scan
    from nerve_core.inference.predictor import Predictor

SMALLEST = 12.0
"""Least area of an outline, px²: fewer pixels tell nothing of a nerve."""

MOST_POINTS = 4000
"""Most points of one outline; the outline of a nerve that fills a large scan has fewer."""

SHARED = 0.02
"""Largest share of the smaller of two outlines that may lie in both: neighbours touch along a line."""

TAKEN_AWAY = "Every outline was taken away by hand."


class ContourError(NerveCoreError):
    """An outline that cannot be used; the sentence says which, why, and what to do."""


def check_contours(contours: Sequence[np.ndarray], scan: Scan) -> list[np.ndarray]:
    """The outlines as float32 (N, 2), without repeated points.

    Args:
        contours: closed polygons, x then y, px of the scan; at most ``MOST``.
        scan: the frame they were drawn in.

    Raises:
        ContourError: an outline has no three points, or too many; reaches out of the scan; crosses itself;
            is tiny; or lies over another.
    """
    if len(contours) > MOST:
        raise ContourError(f"There are {len(contours)} outlines, more than {MOST}: delete some.")
    checked = [_checked(number, contour, scan) for number, contour in enumerate(contours, 1)]
    masks = [mask_of(contour, scan.pixels.shape) for contour in checked]
    for (one, first), (two, second) in combinations(enumerate(masks, 1), 2):
        common = np.count_nonzero(first & second)
        if common > max(2.0, SHARED * min(first.sum(), second.sum())):
            raise ContourError(f"Outlines {one} and {two} lie over each other: move one, or delete it.")
    return checked


def mask_of(contour: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 0/1 (H, W), 1 where a pixel's centre lies inside the polygon (N, 2), x then y."""
    # The nudge decides for centres on the very edge, so that of two neighbours only one gets them.
    return polygon2mask(size, np.asarray(contour, np.float64)[:, ::-1] + 1e-4).astype(np.uint8)


def judge_contours(
    predictor: Predictor, scan: Scan, contours: Sequence[np.ndarray], before: Prediction
) -> Prediction:
    """The prediction with a person's outlines in place of the model's.

    Args:
        predictor: the weights that judge.
        scan: the frame.
        contours: see :func:`check_contours`; none of them means that no nerve is there.
        before: what the model said; its probability map and its doubts about the picture stay.

    Returns:
        A prediction marked ``edited``. A scan that the model found not assessable stays so.

    Raises:
        ContourError: as :func:`check_contours`.
    """
    from nerve_core.inference.clock import Clock
    from nerve_core.inference.predictor import nerve_of

    clock = Clock()
    checked = check_contours(contours, scan)
    union = np.zeros(scan.pixels.shape, np.uint8)
    nerves = []
    for contour in checked:
        mask = mask_of(contour, scan.pixels.shape) & (union == 0)
        union[mask > 0] = 255
        chance = predictor.p_affected(scan.pixels, mask)
        nerve = nerve_of(scan, mask, before.probability, chance, predictor.abstention)
        size = shape.area(contour)
        x, y = contour.mean(axis=0)  # as the measurements look up the scale
        spacing = scan.spacing_at(float(y), float(x))
        area = None if spacing is None else size * spacing[0] * spacing[1]
        nerves.append(replace(nerve, contour=contour, area_px=size, area_mm2=area))
        clock.mark("verdict")
    nerves.sort(key=lambda nerve: -nerve.p_affected)
    refused = before.verdict == NOT_ASSESSABLE
    verdict, reason = (nerves[0].verdict, None) if nerves else (NO_NERVE, TAKEN_AWAY)
    return Prediction(
        probability=before.probability,
        mask=union,
        nerves=tuple(nerves),
        verdict=NOT_ASSESSABLE if refused else verdict,
        p_affected=nerves[0].p_affected if nerves and not refused else None,
        model=before.model,
        reason=before.reason if refused else reason,
        beyond=before.beyond,
        timings_ms=clock.read(),
        edited=True,
    )


def _checked(number: int, contour: np.ndarray, scan: Scan) -> np.ndarray:
    points = np.asarray(contour, np.float32)
    if points.ndim != 2 or points.shape[1:] != (2,) or not np.isfinite(points).all():
        raise ContourError(f"Outline {number} is not a list of points (x, y): draw it again.")
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    if len(points) < 3:
        raise ContourError(f"Outline {number} has fewer than three points: add some, or delete it.")
    if len(points) > MOST_POINTS:
        raise ContourError(f"Outline {number} has more than {MOST_POINTS} points: draw it more simply.")
    height, width = scan.pixels.shape
    if points.min() < -0.5 or points[:, 0].max() > width - 0.5 or points[:, 1].max() > height - 0.5:
        raise ContourError(f"Outline {number} reaches out of the scan: move its points inside.")
    if crosses_itself(points):
        raise ContourError(f"Outline {number} crosses itself, so it encloses no clear area: undo, or redraw.")
    if shape.area(points) < SMALLEST or not mask_of(points, scan.pixels.shape).any():
        raise ContourError(
            f"Outline {number} is smaller than {SMALLEST:.0f} px², too small to judge: enlarge or delete it."
        )
    return points


def crosses_itself(points: np.ndarray) -> bool:
    """Whether two edges of a closed polygon (N, 2) cut through each other; touching is not crossing."""
    start = np.asarray(points, np.float64)
    end = np.roll(start, -1, axis=0)

    def side(of: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """On which side of the line a-b each point lies: the sign of a cross product."""
        return np.sign((b[0] - a[0]) * (of[:, 1] - a[1]) - (b[1] - a[1]) * (of[:, 0] - a[0]))

    def sides(a: np.ndarray, b: np.ndarray, of: np.ndarray) -> np.ndarray:
        """The same of one point for each of many lines."""
        return np.sign((b[:, 0] - a[:, 0]) * (of[1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (of[0] - a[:, 0]))

    for first in range(len(start) - 2):
        a, b = start[first], end[first]
        c, d = start[first + 2 :], end[first + 2 :]
        cut = (side(c, a, b) * side(d, a, b) < 0) & (sides(c, d, a) * sides(c, d, b) < 0)
        if cut.any():
            return True
    return False
