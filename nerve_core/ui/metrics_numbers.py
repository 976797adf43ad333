"""What a threshold does to the verdict: counts, figures with intervals by group, curves and calibration.

The conventions are those of :mod:`nerve_core.evaluation.verdicts`: an image in which no nerve was found is
an error whatever its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nerve_core.evaluation.bootstrap import Interval, auc_ci95, group_draws, interval, mean_ci95, weighted_auc
from nerve_core.evaluation.tables import ALL
from nerve_core.evaluation.verdicts import worst_case
from nerve_core.ui.metrics_results import column

BINS = 10
"""Equal steps of the probability in the calibration chart."""


@dataclass(frozen=True, eq=False)
class Cases:
    """Judged images.

    Attributes:
        p: float64 (N,), probability of affected; NaN where no nerve was found.
        labels: int (N,), 1 affected, 0 unaffected.
        groups: str (N,).
        sham: bool (N,), controls that went through the machinery of the pathology.
    """

    p: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    sham: np.ndarray

    @property
    def ranked(self) -> np.ndarray:
        """The probabilities, each missing one replaced by the most wrong."""
        return worst_case(self.p, self.labels)

    @property
    def both(self) -> bool:
        """Whether both labels occur, without which there is nothing to tell apart."""
        return 0 < self.labels.sum() < len(self.labels)


@dataclass(frozen=True)
class Point:
    """What happens at one threshold.

    Attributes:
        threshold: an image is called affected from this probability on.
        counts: images by (truth, call); truth ``affected`` or ``unaffected``, call one of these or
            ``no nerve``.
        figures: ``accuracy, precision, recall, specificity, f1``, None where undefined, and a 95 % interval
            by group under ``…_ci95``.
    """

    threshold: float
    counts: Mapping[tuple[str, str], int]
    figures: Mapping[str, float | Interval]


@dataclass(frozen=True)
class Bin:
    """One step of the calibration chart.

    Attributes:
        predicted: mean probability of its images.
        observed: share of them that is affected, with its 95 % interval by group.
        n, groups: images and groups in it.
    """

    predicted: float
    observed: float
    ci95: Interval
    n: int
    groups: int


def cases_of(frame: pd.DataFrame, severity: float, shams: bool) -> Cases:
    """The images of ``ResultsStore.frame("verdict")`` that count.

    Args:
        frame: of one method.
        severity: milder cases are left out.
        shams: whether shams count among the healthy.
    """
    labels, sham = column(frame, "label"), column(frame, "sham") == 1
    # Severities are stored in single precision, and 0.3 there is above or below 0.3 here.
    kept = (labels == 0) | ((labels == 1) & (column(frame, "severity") >= severity - 1e-6))
    kept &= shams | ~sham
    rows = frame[kept]
    return Cases(
        column(rows, "p_affected").to_numpy(float),
        labels[kept].to_numpy(int),
        rows["group"].to_numpy(str),
        sham[kept].to_numpy(bool),
    )


def at_threshold(cases: Cases, threshold: float) -> Point:
    """Counts and figures when images are called affected from ``threshold`` (0 to 1) on."""
    found, called, truth = ~np.isnan(cases.p), cases.ranked >= threshold, cases.labels == 1
    counts = {}
    for name, of in (("affected", truth), ("unaffected", ~truth)):
        counts[name, "affected"] = int((of & found & called).sum())
        counts[name, "unaffected"] = int((of & found & ~called).sum())
        counts[name, "no nerve"] = int((of & ~found).sum())
    each = np.stack([truth & called, ~truth & called, truth & ~called, ~truth & ~called], axis=1)
    names, index = np.unique(cases.groups, return_inverse=True)
    by_group = np.zeros((len(names), 4))
    np.add.at(by_group, index, each)
    value = _figures(by_group.sum(axis=0, keepdims=True))
    drawn = _figures(group_draws(names) @ by_group) if len(names) else {}
    figures: dict[str, float | Interval] = {}
    for name, share in value.items():
        known = bool(np.isfinite(share[0]))
        figures[name] = float(share[0]) if known else None
        figures[f"{name}_ci95"] = interval(drawn[name], names) if known else None
    return Point(threshold, counts, figures)


def _figures(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Figures of (B, 4) true alarms, false alarms, misses and true all-clears, as (B,) each."""
    hit, alarm, miss, clear = counts.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "accuracy": (hit + clear) / counts.sum(axis=1),
            "precision": hit / (hit + alarm),
            "recall": hit / (hit + miss),
            "specificity": clear / (clear + alarm),
            "f1": 2 * hit / (2 * hit + alarm + miss),
        }


def ranking(cases: Cases) -> tuple[float | None, Interval]:
    """Area under the ROC curve and its 95 % interval by group; None with one label only."""
    if not cases.both:
        return None, None
    ranked, once = cases.ranked, np.ones((1, len(cases.labels)))
    # Not by scikit-learn, whose import alone would keep the first visitor waiting.
    value = float(weighted_auc(ranked, cases.labels, once)[0])
    return value, auc_ci95(ranked, cases.labels, cases.groups)


def roc(cases: Cases) -> tuple[np.ndarray, np.ndarray]:
    """False alarms among the healthy and hits among the affected, 0 to 1, as the threshold falls."""
    from sklearn.metrics import roc_curve

    alarms, hits, _ = roc_curve(cases.labels, cases.ranked)
    return alarms, hits


def precision_recall(cases: Cases) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision, 0 to 1, as the threshold rises; only those that some threshold gives."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(cases.labels, cases.ranked)
    return recall[:-1], precision[:-1]  # the last point is made up: nothing called, precision 1


def reliability(cases: Cases, bins: int = BINS) -> list[Bin]:
    """How often images of about the same probability are affected; those without a probability are left out.

    The reliability diagram of Murphy & Winkler (1977), with a cluster bootstrap for each step.
    """
    known = ~np.isnan(cases.p)
    p, labels, groups = cases.p[known], cases.labels[known], cases.groups[known]
    step = np.clip((p * bins).astype(int), 0, bins - 1)
    found = []
    for number in range(bins):
        of = step == number
        if of.any():
            inside = groups[of].tolist()
            ci95 = mean_ci95(labels[of], inside)
            found.append(
                Bin(float(p[of].mean()), float(labels[of].mean()), ci95, len(inside), len(set(inside)))
            )
    return found


def mean_of_sets(frame: pd.DataFrame, metric: str) -> dict[str, object] | None:
    """Mean over the sets of the mean over their images, so that every set weighs alike.

    Returns:
        ``set, n, groups``, the metric and its ``…_ci95`` by group; None where nothing is measured.
    """
    rows = frame[column(frame, metric).notna()]
    if not len(rows):
        return None
    share = len(rows) / rows["set"].nunique() / rows.groupby("set")[metric].transform("size")
    values = (rows[metric] * share).to_numpy(float)
    groups = rows["group"].tolist()
    return {
        "set": ALL,
        "n": len(rows),
        "groups": len(set(groups)),
        metric: float(values.mean()),
        f"{metric}_ci95": mean_ci95(values, groups),
    }
