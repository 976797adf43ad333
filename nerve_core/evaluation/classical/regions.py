"""Regions that a method proposes: taken apart, filled, and described by a few numbers."""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.evaluation.classical.view import View

MOST = 40
"""Most regions taken from one binary picture, largest first."""

FEATURES = (
    "log area",
    "roundness",
    "solidity",
    "log elongation",
    "lies flat",
    "x",
    "y",
    "level",
    "spread",
    "contrast",
    "absolute contrast",
    "step at the edge",
    "absolute step",
    "spread against surroundings",
    "location",
    "at the border",
)
"""What :func:`describe` gives, in its order."""

CLICK_FEATURES = ("click from the centre", "click inside", "click from the edge")
"""What :func:`describe` adds where there is a click."""


def parts(binary: np.ndarray, smallest: float) -> list[np.ndarray]:
    """Connected parts of a 0/1 picture, their holes filled, at least ``smallest`` px, largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(binary, np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    order = sorted(range(1, count), key=lambda k: (-areas[k], k))
    return [filled(labels == k) for k in order[:MOST] if areas[k] >= smallest]


def filled(mask: np.ndarray) -> np.ndarray:
    """The mask without holes, uint8 0/1."""
    lines, _ = cv2.findContours(np.asarray(mask, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(whole, lines, -1, 1, cv2.FILLED)
    return whole


def part_at(binary: np.ndarray, x: float, y: float) -> np.ndarray | None:
    """The connected part of a 0/1 picture at (x, y) or nearest to it; None when the picture is empty."""
    _, labels = cv2.connectedComponents(np.asarray(binary, np.uint8), connectivity=4)
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return None
    nearest = int(np.argmin((columns - x) ** 2 + (rows - y) ** 2))
    return (labels == labels[rows[nearest], columns[nearest]]).astype(np.uint8)


def describe(view: View, mask: np.ndarray, location: np.ndarray) -> np.ndarray:
    """``FEATURES``, with a click also ``CLICK_FEATURES``, of one region: float64 (16,) or (19,).

    Args:
        view: the picture.
        mask: uint8 0/1 (H, W), not empty.
        location: float32 (H, W), how often training nerves cover a pixel.
    """
    height, width = mask.shape
    area = float(np.count_nonzero(mask))
    radius = np.sqrt(area / np.pi)
    x, y, w, h = cv2.boundingRect(mask)
    reach = max(3, round(0.5 * radius)) + 1
    box = np.s_[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach]
    inside = np.ascontiguousarray(mask[box])
    outward = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    inward = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    level, calm = view.level[box], view.calm[box]
    nerve, around = inside > 0, (outward > 0) & (outward <= reach - 1)
    outer, inner = (outward > 0) & (outward <= 3), nerve & (inward <= 3)
    contrast = _mean(calm, nerve) - _mean(calm, around)
    step = _mean(calm, outer) - _mean(calm, inner)
    spread = float(level[nerve].std())
    surroundings = float(level[around].std()) if around.any() else spread
    (centre_x, centre_y), longer, shorter, flat = ellipse_of(inside)
    centre_x, centre_y = centre_x + box[1].start, centre_y + box[0].start
    line = max(cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)
    length = max(cv2.arcLength(line, True), 1.0)
    hull = max(cv2.contourArea(cv2.convexHull(line)), area)
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    found = [
        np.log(area / mask.size),
        min(4 * np.pi * area / length**2, 1.3),
        area / hull,
        np.log(longer / shorter),
        flat,
        centre_x / width,
        centre_y / height,
        _mean(calm, nerve),
        spread,
        contrast,
        abs(contrast),
        step,
        abs(step),
        np.log((spread + 0.05) / (surroundings + 0.05)),
        float(np.log(location[mask > 0].mean() + 1e-3)),
        float(np.count_nonzero(edge)) / length,
    ]
    if view.click is not None:
        column, row = view.click
        within = bool(mask[round(row), round(column)])
        depth = 0.0
        if within:
            depth = float(inward[round(row) - box[0].start, round(column) - box[1].start]) / radius
        found += [float(np.hypot(column - centre_x, row - centre_y) / radius), float(within), depth]
    return np.array(found)


def ellipse_of(mask: np.ndarray) -> tuple[tuple[float, float], float, float, float]:
    """Centre (x, y), longer and shorter half axis in px, and how much the ellipse lies flat (−1 to 1)."""
    moments = cv2.moments(mask, binaryImage=True)
    area = moments["m00"]
    xx, yy, xy = (
        moments[name] / area + extra for name, extra in (("mu20", 1 / 12), ("mu02", 1 / 12), ("mu11", 0))
    )
    root = np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    major, minor = (xx + yy) / 2 + root, max((xx + yy) / 2 - root, 1e-3)
    centre = (moments["m10"] / area, moments["m01"] / area)
    return centre, 2 * float(np.sqrt(major)), 2 * float(np.sqrt(minor)), float((xx - yy) / (xx + yy))


def _mean(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].mean()) if where.any() else 0.0
