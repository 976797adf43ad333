"""Expected Dice: how good the contour probably is, from the map and from how far several looks agree.

A ridge regression on five figures of the map, fitted on validation groups, where truth is known (compare
Kohlberger 2012; Robinson 2018). Its numbers lie in the config of the weights under ``expected_dice``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from nerve_core.errors import DataError
from nerve_core.explain.doubt import Doubt, around
from nerve_core.inference.prediction import Prediction

FIGURES = ("confidence", "entropy", "soft_edge", "least_agreement", "disagreement")
"""Mean probability inside; mean entropy in and around; pixels from 0.2 to 0.8 by length of outline; least
Dice of a look with the contour; mean spread of the looks. Size, shape, depth, contrast and number of pieces
were tried too: on validation groups that the fit had not seen they made it worse."""
STRENGTH = 30.0
"""Ridge penalty; chosen on validation groups."""
LEAST = 40
"""Fewest scans to fit on."""


def figures_of(prediction: Prediction, doubt: Doubt) -> np.ndarray | None:
    """float64 (len(FIGURES),) of one prediction; None where no nerve was found."""
    mask = (prediction.mask > 0).astype(np.uint8)
    if not mask.any():
        return None
    chance = prediction.probability
    p = np.clip(chance, 1e-4, 1 - 1e-4)
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    near = around(mask) > 0
    outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    length = sum(cv2.arcLength(outline, True) for outline in outlines)
    return np.array(
        [
            chance[mask > 0].mean(),
            entropy[near].mean(),
            ((p > 0.2) & (p < 0.8) & near).sum() / max(length, 1.0),
            min(overlap(found >= 0.5, mask) for found in doubt.maps),
            doubt.spread[near].mean(),
        ]
    )


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Dice of two masks, 1 where both are empty."""
    total = np.count_nonzero(one) + np.count_nonzero(other)
    return 2 * np.count_nonzero((one > 0) & (other > 0)) / total if total else 1.0


def fit_expected_dice(figures: np.ndarray, dice: np.ndarray, groups: Sequence[str]) -> dict[str, Any]:
    """What goes into the config under ``expected_dice``.

    Args:
        figures: (N, len(FIGURES)) of validation scans.
        dice: (N,) true Dice.
        groups: (N,); every group weighs by the root of its scans, so that none outweighs the others.

    Raises:
        DataError: fewer than :data:`LEAST` scans.
    """
    from sklearn.linear_model import Ridge

    if len(dice) < LEAST:
        raise DataError(
            f"Expected Dice needs at least {LEAST} scans with a found nerve; there are {len(dice)}."
        )
    mean, scale = figures.mean(0), np.maximum(figures.std(0), 1e-6)
    names, index, counts = np.unique(np.asarray(groups, str), return_inverse=True, return_counts=True)
    model = Ridge(alpha=STRENGTH).fit((figures - mean) / scale, dice, sample_weight=counts[index] ** -0.5)
    return {
        "figures": list(FIGURES),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "weights": model.coef_.tolist(),
        "bias": float(model.intercept_),
        "n": len(dice),
        "groups": len(names),
    }


def expected_dice(figures: np.ndarray | None, fitted: Mapping[str, Any]) -> float:
    """Expected Dice, 0 to 1; 0 where no nerve was found.

    Args:
        figures: as of :func:`figures_of`.
        fitted: as of :func:`fit_expected_dice`.

    Raises:
        DataError: the numbers were fitted to other figures.
    """
    if figures is None:
        return 0.0
    if list(fitted["figures"]) != list(FIGURES):
        raise DataError("Expected Dice was fitted by another version; run python -m benchmarks.trust again.")
    placed = (figures - np.array(fitted["mean"])) / np.array(fitted["scale"])
    return float(np.clip(placed @ np.array(fitted["weights"]) + fitted["bias"], 0, 1))
