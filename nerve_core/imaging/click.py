"""The click: a small bump in one input channel where the clinician points."""

from __future__ import annotations

import cv2
import numpy as np

SIGMA = 0.02
"""Standard deviation of the bump as a share of the input's side."""


def click_map(size: int, x: float, y: float) -> np.ndarray:
    """A Gaussian bump of height 1 at (x, y) network px: float32 (size, size)."""
    axis = np.arange(size, dtype=np.float32)
    spread = 2 * (SIGMA * size) ** 2
    return np.exp(-((axis[:, None] - y) ** 2 + (axis[None, :] - x) ** 2) / spread).astype(np.float32)


def thickest_point(mask: np.ndarray) -> tuple[float, float]:
    """(x, y) px of the point of a mask farthest from its edge."""
    inside = np.pad(np.asarray(mask, np.uint8), 1)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    return float(column - 1), float(row - 1)


def random_click(mask: np.ndarray, rng: np.random.Generator) -> tuple[float, float] | None:
    """(x, y) px where a person might click one nerve of a mask: mostly well inside, never outside."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8))
    sizes = [index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= 9]
    if not sizes:
        return None
    chosen = np.pad(labels == sizes[rng.integers(len(sizes))], 1).astype(np.uint8)
    distance = cv2.distanceTransform(chosen, cv2.DIST_L2, 3)
    rows, columns = np.nonzero(distance >= rng.uniform(0.2, 1.0) * distance.max())
    pick = rng.integers(len(rows))
    return float(columns[pick] - 1), float(rows[pick] - 1)
