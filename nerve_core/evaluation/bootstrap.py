"""Confidence intervals by resampling groups.

Frames of one sweep and scans of one patient are near-copies: resampling images would count them as
independent and give intervals that are far too narrow. Whole groups are drawn with replacement instead
(the cluster bootstrap of Field & Welsh 2007), and every statistic is computed from the number of times
each image was drawn, so that all draws are evaluated at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DRAWS = 2000
SEED = 20250101

Interval = list[float] | None
"""[low, high] of the 95 % interval; None with fewer than two groups, where it cannot be estimated."""


def group_draws(groups: Sequence[str], draws: int = DRAWS, seed: int = SEED) -> np.ndarray:
    """How often each image is drawn in each resampling of the groups.

    Args:
        groups: group of each of the N images.
        draws: number of resamplings B.
        seed: of the generator; the same groups in any order of images give the same draws.

    Returns:
        float32 (B, N) of whole numbers ≥ 0; images of one group share their number.
    """
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    chance = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), chance, size=draws)
    return drawn.astype(np.float32)[:, index]


def interval(statistics: np.ndarray, groups: Sequence[str]) -> Interval:
    """95 % percentile interval of statistics (B,), leaving out draws where it is undefined (NaN)."""
    statistics = statistics[np.isfinite(statistics)]
    if len(set(groups)) < 2 or not len(statistics):
        return None
    return [float(value) for value in np.percentile(statistics, [2.5, 97.5])]


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of values (N,) under weights (B, N), as (B,); NaN where all weights of a row are 0."""
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ np.asarray(values, dtype=np.float32)) / total


def weighted_auc(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve under weights (B, N), ties counted half, as (B,).

    Args:
        scores: (N,) any real numbers, larger meaning more likely positive.
        labels: (N,) 0 or 1.
        weights: (B, N) ≥ 0.

    Returns:
        float (B,), NaN where one of the two labels has no weight.
    """
    order = np.argsort(scores, kind="stable")
    scores, labels, weights = np.asarray(scores)[order], np.asarray(labels)[order], weights[:, order]
    starts = np.concatenate([[0], 1 + np.flatnonzero(np.diff(scores))])
    positive = np.add.reduceat(weights * labels, starts, axis=1, dtype=np.float64)
    negative = np.add.reduceat(weights * (1 - labels), starts, axis=1, dtype=np.float64)
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (positive * (below + negative / 2)).sum(axis=1) / pairs


def mean_ci95(
    values: Sequence[float], groups: Sequence[str], draws: int = DRAWS, seed: int = SEED
) -> Interval:
    """95 % interval of the mean over images, by group."""
    if not len(values):
        return None
    return interval(weighted_mean(np.asarray(values), group_draws(groups, draws, seed)), groups)


def auc_ci95(
    scores: Sequence[float],
    labels: Sequence[int],
    groups: Sequence[str],
    draws: int = DRAWS,
    seed: int = SEED,
) -> Interval:
    """95 % interval of the area under the ROC curve, by group."""
    if len(set(labels)) < 2:
        return None
    weights = group_draws(groups, draws, seed)
    return interval(weighted_auc(np.asarray(scores), np.asarray(labels), weights), groups)
