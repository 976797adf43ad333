"""Which labels of an annotation are nerves, and contours drawn as masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from nerve_core.errors import DataError

NERVES = (
    "nerve", "plexus", "median", "ulnar", "radial", "femoral", "sciatic", "tibial", "peroneal", "fibular",
    "sural", "saphenous", "musculocutaneous", "axillary",
)  # fmt: skip
"""Words that tell that a label means a nerve."""
NO_NERVES = ("artery", "vein", "vessel", "muscle", "bone", "tendon", "ligament", "background")


def nerve_labels(found: Iterable[str], wanted: Sequence[str]) -> set[str]:
    """The labels that mean nerve: those wanted, else those that say so, else the only one there is.

    Raises:
        DataError: it cannot be told.
    """
    found = set(found)
    listed = ", ".join(sorted(found)[:12])
    if wanted:
        if not found & set(wanted):
            raise DataError(f"No contour is labelled {', '.join(wanted)}; the labels are {listed}.")
        return found & set(wanted)
    told = {
        label
        for label in found
        if any(word in label.lower() for word in NERVES)
        and not any(word in label.lower() for word in NO_NERVES)
    }
    if told:
        return told
    if len(found) == 1:
        return found
    if not found:
        raise DataError("The annotations hold no contour; annotate the scans first.")
    raise DataError(f"Which of the labels is nerve cannot be told; name it with --nerve-label: {listed}.")


def filled(shape: tuple[int, int], polygons: Iterable[Sequence[Sequence[float]]]) -> np.ndarray:
    """Boolean mask (H, W) of polygons, each a list of (x, y) px.

    Raises:
        ValueError: a polygon has fewer than three points or is not made of numbers.
    """
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        points = np.asarray(polygon, float)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
            raise ValueError("a polygon needs at least three points (x, y)")
        cv2.fillPoly(mask, [np.rint(np.clip(points, -1e5, 1e5)).astype(np.int32)], 1)
    return mask.astype(bool)
