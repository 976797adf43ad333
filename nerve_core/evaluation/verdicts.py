"""How often the verdict is right, on images whose label is known.

Conventions
- An image is called affected when its p_affected, the largest over its nerves, is at least 0.5.
- An image in which no nerve was found has no p_affected. It counts as an error whatever its label: as the
  wrong call, and for AUC and Brier score as the worst probability (0 when affected, 1 when unaffected).
- The calibration line is fitted to the images that do have a probability; a miss is not a probability.
- Figures with abstention leave out the images whose verdict is ``uncertain``, and those alone: an image
  without a nerve stays an error.
- Intervals are 95 %, by resampling groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nerve_core.evaluation.bootstrap import (
    auc_ci95,
    group_draws,
    interval,
    mean_ci95,
    weighted_mean,
)

FIGURES = (
    "accuracy",
    "accuracy_ci95",
    "precision",
    "recall",
    "recall_ci95",
    "specificity",
    "specificity_ci95",
    "f1",
    "auc",
    "auc_ci95",
    "brier",
    "brier_ci95",
    "calibration_slope",
    "calibration_intercept",
    "with_abstention",
)
THRESHOLD = 0.5
CLIP = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logit is taken."""


def worst_case(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probabilities (N,) with each NaN (no nerve found) replaced by the most wrong one for its label."""
    return np.where(np.isnan(p), 1.0 - labels, p)


def is_right(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Boolean (N,): whether the call at the threshold agrees with the label; NaN never does."""
    return (worst_case(p, labels) >= THRESHOLD) == (labels == 1)


def calibration_line(p: np.ndarray, labels: np.ndarray) -> tuple[float | None, float | None]:
    """Slope and intercept of a logistic regression of label on logit p (Cox 1958).

    A slope of 1 with intercept 0 is perfect; below 1 the probabilities are too extreme.

    Args:
        p: (N,) probabilities; NaN are left out.
        labels: (N,) 0 or 1.

    Returns:
        (slope, intercept), both None where no finite line fits: one label only, all probabilities equal,
        or labels that the probabilities separate completely.
    """
    known = ~np.isnan(p)
    p, labels = np.clip(p[known], CLIP, 1 - CLIP), labels[known]
    if len(set(labels)) < 2 or np.ptp(p) == 0:
        return None, None
    healthy, affected = p[labels == 0], p[labels == 1]
    if healthy.max() <= affected.min() or affected.max() <= healthy.min():
        return None, None
    from sklearn.linear_model import LogisticRegression

    logit = np.log(p / (1 - p))
    line = LogisticRegression(C=np.inf, max_iter=1000).fit(logit[:, None], labels)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def auc(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Area under the ROC curve of scores (N,) for labels (N,) 0 or 1; None with one label only."""
    if len(set(labels)) < 2:
        return None
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def rate(values: np.ndarray, groups: Sequence[str]) -> dict[str, Any]:
    """A share with its interval: ``value, ci95, n`` and ``groups``; value is None when n is 0."""
    return {
        "value": float(np.mean(values)) if len(values) else None,
        "ci95": mean_ci95(values, groups),
        "n": len(values),
        "groups": len(set(groups)),
    }


def verdict_figures(
    labels: Sequence[int],
    p_affected: Sequence[float | None],
    groups: Sequence[str],
    uncertain: Sequence[bool],
) -> dict[str, Any]:
    """Every verdict figure of a labelled set.

    Args:
        labels: 1 affected, 0 unaffected, one an image.
        p_affected: 0 to 1, None where no nerve was found.
        groups: group of each image.
        uncertain: whether the verdict in words was ``uncertain``.

    Returns:
        ``accuracy, precision, recall, specificity, f1, auc, brier, calibration_slope,
        calibration_intercept, n_labelled, n_affected, n_no_nerve``, an interval ``…_ci95`` beside accuracy,
        recall, specificity, auc and brier, and ``with_abstention`` (``coverage, accuracy, recall,
        specificity, n``). Every figure is None when only one of the two labels occurs.
    """
    truth = np.asarray(labels, dtype=int)
    p = np.asarray([np.nan if value is None else value for value in p_affected], dtype=float)
    figures: dict[str, Any] = dict.fromkeys(FIGURES)
    figures |= {
        "n_labelled": len(truth),
        "n_affected": int(truth.sum()),
        "n_no_nerve": int(np.isnan(p).sum()),
    }
    if len(set(labels)) < 2:
        return figures

    from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, precision_score, recall_score

    ranked = worst_case(p, truth)
    called = (ranked >= THRESHOLD).astype(int)
    right = is_right(p, truth).astype(float)
    draws = group_draws(groups)
    slope, intercept = calibration_line(p, truth)

    def spread(values: np.ndarray, of: np.ndarray) -> list[float] | None:
        return interval(weighted_mean(values[of], draws[:, of]), groups)

    everyone = np.ones(len(truth), bool)
    figures |= {
        "accuracy": float(accuracy_score(truth, called)),
        "accuracy_ci95": spread(right, everyone),
        "precision": float(precision_score(truth, called, zero_division=0)),
        "recall": float(recall_score(truth, called)),
        "recall_ci95": spread(right, truth == 1),
        "specificity": float(recall_score(truth, called, pos_label=0)),
        "specificity_ci95": spread(right, truth == 0),
        "f1": float(f1_score(truth, called, zero_division=0)),
        "auc": auc(ranked, truth),
        "auc_ci95": auc_ci95(ranked, truth, groups),
        "brier": float(brier_score_loss(truth, ranked)),
        "brier_ci95": spread((ranked - truth) ** 2, everyone),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "with_abstention": abstaining(truth, right, ~np.asarray(uncertain, dtype=bool)),
    }
    return figures


def abstaining(truth: np.ndarray, right: np.ndarray, decided: np.ndarray) -> dict[str, Any]:
    """Figures over the images (N,) that were decided; a share of nothing is None."""

    def share(of: np.ndarray) -> float | None:
        return float(right[of].mean()) if of.any() else None

    return {
        "coverage": float(decided.mean()),
        "accuracy": share(decided),
        "recall": share(decided & (truth == 1)),
        "specificity": share(decided & (truth == 0)),
        "n": int(decided.sum()),
    }
