"""The verdict on simulated pathology: by severity, by kind, and on the sham controls.

Applies to manifests with the columns ``kind, severity, sham`` that ``data pathology`` writes. The headline
is for severity ≥ 0.5, a clear case; below it the figures by severity show where sensitivity is lost. Beside
every AUC stands that of an observer who sees nothing but the size of the largest true nerve in the image:
what remains above it is not explained by swelling alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from nerve_core.evaluation.bootstrap import auc_ci95
from nerve_core.evaluation.scoring import Answer, Scored
from nerve_core.evaluation.verdicts import auc, is_right, rate, worst_case

COLUMNS = ("kind", "severity", "sham")
CLEAR = 0.5
"""Severity from which a case counts as clear and enters the headline."""

BINS = ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 1.0))
"""Severity ranges; the lower end belongs to the bin, the upper to the next one, 1 to the last."""


def pathology_figures(scored: Sequence[Scored], click: bool = False) -> dict[str, Any] | None:
    """``headline, by_kind, by_severity, original_specificity, sham_specificity`` of a pathology set.

    Args:
        scored: scored rows; those without label or answer are left out.
        click: judge the answers with a click instead of those without.

    Returns:
        None when the manifest has no pathology columns or lacks one of the labels. Every rate is
        ``{value, ci95, n, groups}``; ``headline`` has ``severity_from, auc, size_observer_auc, sensitivity,
        specificity_originals, specificity_shams``.
    """
    rows: list[tuple[Scored, Answer]] = []
    for one in scored:
        answer = one.click_answer if click else one.answer
        if answer is not None and one.label is not None and all(name in one.row for name in COLUMNS):
            rows.append((one, answer))
    labels = np.array([one.label for one, _ in rows], dtype=int)
    if len(set(labels.tolist())) < 2:
        return None
    return _figures(rows, labels)


def _figures(rows: Sequence[tuple[Scored, Answer]], labels: np.ndarray) -> dict[str, Any]:
    p = np.array([np.nan if answer.p_affected is None else answer.p_affected for _, answer in rows])
    ranked = worst_case(p, labels)
    right = is_right(p, labels).astype(float)
    groups = np.array([one.group for one, _ in rows])
    size = np.array([np.nan if one.size is None else one.size for one, _ in rows])
    severity = np.array([_number(one.row["severity"]) for one, _ in rows])
    sham = np.array([_number(one.row["sham"]) == 1 for one, _ in rows])
    kinds = [kinds_of(one.row["kind"]) for one, _ in rows]
    affected, healthy = labels == 1, labels == 0

    def share(of: np.ndarray) -> dict[str, Any]:
        return rate(right[of], groups[of].tolist())

    def against_healthy(of: np.ndarray) -> dict[str, Any]:
        both = of | healthy
        seen = both & ~np.isnan(size)
        return {
            "auc": {
                "value": auc(ranked[both], labels[both]),
                "ci95": auc_ci95(ranked[both], labels[both], groups[both].tolist()),
                "n": int(both.sum()),
                "groups": len(set(groups[both].tolist())),
            },
            "size_observer_auc": auc(size[seen], labels[seen]),
            "sensitivity": share(of),
        }

    clear = affected & (severity >= CLEAR)
    by_severity = []
    for low, high in BINS:
        inside = affected & (severity >= low) & ((severity < high) | (high == BINS[-1][1]))
        if inside.any():
            by_severity.append({"from": low, "to": high, **against_healthy(inside)})
    names = sorted({name for kind, sick in zip(kinds, affected, strict=True) if sick for name in kind})
    by_kind = {}
    for name in names:
        has = affected & np.array([name in kind for kind in kinds])
        by_kind[name] = {
            **against_healthy(has & (severity >= CLEAR)),
            "sensitivity_all_severities": share(has),
        }
    originals, shams = share(healthy & ~sham), share(healthy & sham)
    return {
        "headline": {
            "severity_from": CLEAR,
            **against_healthy(clear),
            "specificity_originals": originals,
            "specificity_shams": shams,
        },
        "by_severity": by_severity,
        "by_kind": by_kind,
        "original_specificity": originals,
        "sham_specificity": shams,
    }


def kinds_of(text: str) -> list[str]:
    """The kinds named in one cell, which may hold several joined by ``+``, ``,``, ``;`` or ``|``."""
    return [part.strip() for part in re.split(r"[+,;|]", text) if part.strip()]


def _number(text: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")
