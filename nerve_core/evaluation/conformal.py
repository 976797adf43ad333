"""Conformal thresholds for the verdict, calibrated by group.

Nerves of one patient are not exchangeable with each other, groups are. Each group therefore weighs the same,
and the threshold is a quantile of the weighted scores with one more group at infinity (hierarchical conformal
prediction: Lee, Barber & Willett 2023; Dunn, Wasserman & Ramdas 2023). With one nerve a group this is plain
split-conformal prediction (Vovk 2005). Labels are treated apart (Mondrian), so that the promise holds for
affected and for unaffected nerves alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nerve_core.errors import DataError
from nerve_core.evaluation.verdicts import rate
from nerve_core.inference.abstention import Abstention
from nerve_core.inference.prediction import AFFECTED, UNAFFECTED, UNCERTAIN

LEVELS = (0.8, 0.82, 0.84, 0.86, 0.88, 0.9, 0.92, 0.94, 0.95, 0.96, 0.98)
"""Levels for which thresholds are stored."""
MOST_ABSTAINED = 0.15
"""Share of validation nerves that may stay uncertain at the level put in force."""


def threshold(scores: np.ndarray, groups: Sequence[str], level: float) -> float:
    """The score up to which a label is kept: infinite where there are too few groups to promise ``level``.

    Args:
        scores: (N,) nonconformity of nerves with this label, larger where the label fits worse.
        groups: (N,) group of each.
        level: the promised coverage, between 0 and 1.
    """
    names, index, counts = np.unique(np.asarray(groups, str), return_inverse=True, return_counts=True)
    weight = 1.0 / (counts[index] * (len(names) + 1))
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order])
    enough = np.flatnonzero(reached >= level - 1e-9)
    return float(scores[order[enough[0]]]) if len(enough) else float("inf")


def fit_conformal(
    p_affected: np.ndarray, labels: np.ndarray, groups: Sequence[str], levels: Sequence[float] = LEVELS
) -> dict[str, Any]:
    """What goes into a checkpoint's config under ``conformal``.

    The level in force is the highest at which no more than :data:`MOST_ABSTAINED` of these nerves stay
    uncertain; the lowest of all when none is.

    Args:
        p_affected: (N,) of validation nerves, 0 to 1.
        labels: (N,) 0 or 1.
        groups: (N,).
        levels: to choose from.

    Raises:
        DataError: one of the labels is missing.
    """
    p_affected, labels, groups = np.asarray(p_affected), np.asarray(labels), np.asarray(groups)
    if len(set(labels.tolist())) < 2:
        raise DataError("Conformal thresholds need nerves of both labels; give scans with pathology.")
    rows = []
    for level in levels:
        sick, well = labels == 1, labels == 0
        against_affected = threshold(1 - p_affected[sick], groups[sick], level)
        against_unaffected = threshold(p_affected[well], groups[well], level)
        rows.append(
            {
                "level": level,
                "affected_from": max(0.0, 1 - against_affected),
                "unaffected_to": min(1.0, against_unaffected),
            }
        )
    found = {"level": levels[0], "levels": rows, "n": len(labels), "groups": len(set(groups.tolist()))}
    for level in levels:
        rule = Abstention.from_config({"conformal": found | {"level": level}})
        words = [rule.verdict(p) for p in p_affected]
        if np.mean([word == UNCERTAIN for word in words]) <= MOST_ABSTAINED:
            found["level"] = level
    return found


def conformal_figures(
    rule: Abstention, level: float, p_affected: np.ndarray, labels: np.ndarray, groups: Sequence[str]
) -> dict[str, Any]:
    """Promise and measurement at one level, with intervals by group.

    Returns:
        ``promised, coverage`` (the set holds the true label; of all, and by label), ``abstained`` (verdict
        uncertain), ``errors_answered`` and ``errors_all`` (0.5 or more called affected), each a rate.
    """
    names = [AFFECTED if label else UNAFFECTED for label in labels]
    groups = np.asarray(groups, str)
    sets = [rule.labels(p, level) for p in p_affected]
    held = np.array([name in one for name, one in zip(names, sets, strict=True)], float)
    answered = np.array([rule.verdict(p, level) != UNCERTAIN for p in p_affected])
    wrong = ((np.asarray(p_affected) >= 0.5) != np.asarray(labels)).astype(float)
    labels = np.asarray(labels)
    return {
        "promised": level,
        "coverage": rate(held, groups.tolist()),
        "coverage_affected": rate(held[labels == 1], groups[labels == 1].tolist()),
        "coverage_unaffected": rate(held[labels == 0], groups[labels == 0].tolist()),
        "abstained": rate(1.0 - answered, groups.tolist()),
        "errors_answered": rate(wrong[answered], groups[answered].tolist()),
        "errors_all": rate(wrong, groups.tolist()),
    }
