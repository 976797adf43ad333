"""From a probability map to nerves: threshold, components, sub-pixel outlines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.measure import find_contours

MOST = 6
"""Most nerves reported in one scan."""


@dataclass(frozen=True)
class Selection:
    """Which components of the map count as nerves; chosen on validation scans.

    Attributes:
        threshold: probability from which a pixel is nerve.
        smallest: least area as a share of the ultrasound region.
        relative: least area as a share of the largest component.
        confidence: least mean probability inside.
        relaxed: where nothing passes, the best component is drawn at half of its peak, if that reaches this.
        faint: least probability near a click for an outline to be drawn there.
    """

    threshold: float = 0.5
    smallest: float = 0.0004
    relative: float = 0.15
    confidence: float = 0.6
    relaxed: float = 0.3
    faint: float = 0.05


def components(
    probability: np.ndarray, region_area: float, how: Selection, click: tuple[float, float] | None = None
) -> list[np.ndarray]:
    """Masks of single nerves, uint8 0/1 (H, W), largest first; the pointed nerve comes first.

    Where the clinician points, an outline is drawn even when the map is too faint for the threshold: at
    half of the local maximum.
    """
    found = _labelled(probability >= how.threshold)
    kept: list[np.ndarray] = []
    if found:
        floor = max(how.smallest * region_area, how.relative * found[0].sum())
        kept = [
            mask for mask in found if mask.sum() >= floor and probability[mask > 0].mean() >= how.confidence
        ]
    if not kept and (peak := float(probability.max())) >= how.relaxed:
        best = _labelled(probability >= max(how.relaxed, 0.5 * peak))[:1]
        kept = [mask for mask in best if mask.sum() >= how.smallest * region_area]
    if click is not None:
        pointed = _pointed(probability, found, click, how)
        if pointed is not None:
            rest = [mask for mask in kept if not (mask & pointed).any()]
            kept = [pointed, *rest]
    return kept[:MOST]


def outline(mask: np.ndarray) -> np.ndarray:
    """Longest outline of a 0/1 mask: float32 (N, 2), x then y, px, without the repeated point."""
    x, y, width, height = cv2.boundingRect(mask)
    inside = np.pad(mask[y : y + height, x : x + width].astype(np.float32), 2)
    # A light smoothing rounds the pixel steps of the mask without moving the edge.
    lines = find_contours(cv2.GaussianBlur(inside, (3, 3), 0), 0.5)
    if not lines:
        lines = find_contours(inside, 0.5)
    longest = max(lines, key=len)[:-1]
    return np.column_stack([longest[:, 1] + x - 2, longest[:, 0] + y - 2]).astype(np.float32)


def centroid(mask: np.ndarray) -> tuple[float, float]:
    """(x, y) px of the centre of a 0/1 mask."""
    moments = cv2.moments(mask, binaryImage=True)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def _labelled(binary: np.ndarray) -> list[np.ndarray]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary.astype(np.uint8))
    order = sorted(range(1, count), key=lambda k: -stats[k, cv2.CC_STAT_AREA])[: 4 * MOST]
    return [(labels == k).astype(np.uint8) for k in order]


def _pointed(
    probability: np.ndarray, found: list[np.ndarray], click: tuple[float, float], how: Selection
) -> np.ndarray | None:
    height, width = probability.shape
    column, row = (
        int(np.clip(round(value), 0, side - 1)) for value, side in zip(click, (width, height), strict=True)
    )
    for mask in found:
        if mask[row, column]:
            return mask
    reach = max(2, round(0.02 * max(height, width)))
    top, left = max(0, row - reach), max(0, column - reach)
    near = probability[top : row + reach + 1, left : column + reach + 1]
    peak = float(near.max())
    if peak < how.faint:
        return None
    at_row, at_column = np.unravel_index(int(near.argmax()), near.shape)
    for mask in _labelled(probability >= min(how.threshold, 0.5 * peak)):
        if mask[top + at_row, left + at_column]:
            return mask
    return None
