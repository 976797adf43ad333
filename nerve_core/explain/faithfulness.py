"""Is a map true? Measured against the pixels a localised change altered, which are known exactly.

All measures are taken in the crop the verdict network sees, inside the nerve and on the altered pixels; what
a map puts elsewhere counts in the pointing game alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.explain.judge import Look
from nerve_core.models.verdict import CROP

NEAR = 0.05
"""How far from the altered pixels a peak may lie, as a share of the nerve's diameter."""

SHARES = (0.05, 0.1, 0.2, 0.35, 0.5)
"""Shares of the nerve and its rim that are given back to the scan as it was."""


@dataclass(frozen=True)
class Faithfulness:
    """Measures of one map.

    Attributes:
        density: mean heat on the altered pixels over mean heat on the rest of the nerve, at most ``MOST``; 1
            where the map knows nothing.
        pointed: whether the highest place lies on the altered pixels or within ``NEAR`` of them.
        undone: how much of the change of the logit is gone, mean over ``SHARES``, when the places with the
            most heat are given back as they were (deletion with the known original); 1 is all of it.
        inserted: how much of it is there when only those places are changed (insertion).
    """

    density: float
    pointed: bool
    undone: float | None = None
    inserted: float | None = None


MOST = 50.0
"""Largest ratio of densities that is told apart: a map that is 0 on the rest of the nerve gets it."""


def density(heat: np.ndarray, altered: np.ndarray, nerve: np.ndarray) -> float | None:
    """Energy density on the altered pixels over that of the rest of the nerve, normalised by area.

    Args:
        heat: (H, W), ≥ 0.
        altered, nerve: bool (H, W).

    Returns:
        0 to ``MOST``; 1 for a map without any heat; None where nothing is left of the nerve.
    """
    rest = nerve & ~altered
    if not altered.any() or not rest.any():
        return None
    inside, outside = float(heat[altered].mean()), float(heat[rest].mean())
    if inside <= 0 and outside <= 0:
        return 1.0
    return min(inside / max(outside, 1e-12), MOST)


def points_at(heat: np.ndarray, altered: np.ndarray, nerve: np.ndarray, near: float = NEAR) -> bool:
    """Pointing game (Zhang 2018): the peak on the altered pixels, or within ``near`` nerve diameters of them.

    The diameter is that of the circle with the nerve's area. A map without any heat points nowhere.
    """
    if not altered.any() or float(heat.max()) <= 0:
        return False
    y, x = np.unravel_index(int(np.argmax(heat)), heat.shape)
    away = cv2.distanceTransform((~altered).astype(np.uint8), cv2.DIST_L2, 5)[y, x]
    return bool(away <= near * 2 * np.sqrt(np.count_nonzero(nerve) / np.pi))


def undoing(
    heat: np.ndarray, look: Look, original: Look, logits: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[float, float]:
    """Deletion and insertion with the known original (Petsiuk 2018), free of the artefacts of blurring.

    Args:
        heat: (CROP, CROP), ≥ 0.
        look: the scan after the change.
        original: the scan before it, cut with the same window.
        logits: crops and masks, float32 (N, 1, CROP, CROP) each, to logits (N,).

    Returns:
        Shares of the change of the logit that are undone and that are brought about, means over ``SHARES``.
    """
    after, before = (_numpy(one) for one in (look, original))
    ring = cv2.dilate((look.nerve | original.nerve).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    # Ties are broken at random, or a flat map would be read from the top.
    order = np.where(ring, heat + 1e-9 * np.random.default_rng(0).random(heat.shape), -1.0)
    ranked = np.sort(order[ring])[::-1]
    chosen = [order >= ranked[max(round(share * ranked.size) - 1, 0)] for share in SHARES]
    weights = [np.float32(cv2.GaussianBlur(np.float32(each), (0, 0), 1.0)) for each in chosen]
    crops = [after[0], before[0]]
    masks = [after[1], before[1]]
    for start, end in ((after, before), (before, after)):
        crops += [start[0] + weight * (end[0] - start[0]) for weight in weights]
        masks += [start[1] + weight * (end[1] - start[1]) for weight in weights]
    found = logits(np.stack(crops)[:, None], np.stack(masks)[:, None])
    whole = float(found[0] - found[1])
    if abs(whole) < 1e-6:
        return 0.0, 0.0
    count = len(SHARES)
    undone = float(np.mean((found[0] - found[2 : 2 + count]) / whole))
    return undone, float(np.mean((found[2 + count :] - found[1]) / whole))


def in_crop(values: np.ndarray, look: Look) -> np.ndarray:
    """A bool (H, W) map of the scan in the pixels of a crop: bool (CROP, CROP)."""
    x, y, side = look.window
    scale = CROP / side
    matrix = np.array([[scale, 0, (CROP - 1) / 2 - scale * x], [0, scale, (CROP - 1) / 2 - scale * y]])
    return (
        cv2.warpAffine(np.uint8(values) * np.uint8(255), matrix, (CROP, CROP), flags=cv2.INTER_LINEAR) > 127
    )


def _numpy(look: Look) -> tuple[np.ndarray, np.ndarray]:
    return look.crops[0, 0].cpu().numpy(), look.masks[0, 0].cpu().numpy()
