"""Calibration of the verdict on validation groups, through the same path that predictions take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from nerve_core.data.manifest import is_simulated, read_manifests
from nerve_core.data.packed import read_mask
from nerve_core.data.pathology import affect, sham
from nerve_core.evaluation.verdicts import calibration_line
from nerve_core.imaging.read import read_scan
from nerve_core.imaging.scan import Scan
from nerve_core.inference.backends import best_backend
from nerve_core.inference.predictor import Predictor

SEED = 4711
"""Of the pathology written into the validation scans; neither training nor the final test uses it."""

MOST = 240
"""Most scans used, spread evenly over the validation rows."""


FOLDS = 5
"""Parts of the validation groups; each is judged by a calibration fitted on the others."""


@dataclass(frozen=True)
class Judged:
    """Nerves of validation scans as the predictor itself found and judged them.

    Attributes:
        logits: float (N,) of the verdict network, not calibrated.
        labels: (N,) 0 or 1.
        groups: of the scans, made unique over the sets.
    """

    logits: np.ndarray
    labels: np.ndarray
    groups: list[str]


def calibrate(folder: Path, manifests: Sequence[str | Path]) -> dict[str, Any]:
    """Fit slope and bias of the verdict's logit (Platt 1999) and store them in the checkpoint's config.

    Args:
        folder: a checkpoint.
        manifests: those it was trained on; the real scans of its validation groups are used.

    Returns:
        ``slope, bias, n, groups`` and ``cross_fitted``: what the probabilities of groups are worth that the
        fit did not see (:func:`cross_fitted`). Slope 1 and bias 0 when too few nerves were found to fit
        anything.
    """
    predictor = Predictor(folder, "cpu", best_backend("cpu"))
    judged = judge(predictor, manifests)
    fitted = {"slope": 1.0, "bias": 0.0, "n": len(judged.labels), "groups": len(set(judged.groups))}
    if _is_enough(judged.labels):
        slope, bias = _line(judged.logits, judged.labels)
        fitted |= {"slope": slope, "bias": bias, "cross_fitted": cross_fitted(judged)}
    path = folder / "config.json"
    config = json.loads(path.read_text()) | {"calibration": fitted}
    partial = path.with_suffix(".json.part")
    partial.write_text(json.dumps(config, indent=1) + "\n")
    partial.replace(path)
    return fitted


def judge(predictor: Predictor, manifests: Sequence[str | Path]) -> Judged:
    """Logits of the nerves of validation scans, each healthy and with a pathology.

    Every scan is judged as it is or as a sham, and with a pathology; the nerve that was worked on is looked
    up among the predicted contours, so that the contour's errors are part of what is calibrated. Scans in
    which it was not found are left out.

    Args:
        predictor: of a checkpoint that says which groups it was validated on.
        manifests: those it was trained on.
    """
    groups = set(predictor.config["split"]["val"])
    rows = [
        row
        for row in read_manifests(manifests)
        if row["mask"] and row["group"] in groups and not is_simulated(row) and row["label"] != "affected"
    ]
    logits: list[float] = []
    labels: list[int] = []
    owners: list[str] = []
    chosen = [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(int))]
    for k, row in enumerate(chosen):
        scan = read_scan(row["image"])
        mask = read_mask(row["mask"], scan.pixels.shape) * np.uint8(255)
        rng = np.random.default_rng([SEED, k])
        image = np.array(scan.pixels)
        changed = affect(image, mask, rng, site=row.get("site", ""))
        healthy = sham(image, mask, rng, site=row.get("site", ""), nerve=changed.nerve)
        for label, version in ((1, changed), (0, healthy)):
            found = predictor.find(Scan(version.image, region=scan.region))
            overlap = [int((nerve & (version.changed > 127)).sum()) for nerve in found]
            if overlap and max(overlap) > 0:
                logits.append(predictor.logit(version.image, found[int(np.argmax(overlap))]))
                labels.append(label)
                owners.append(f"{row['set']}/{row['group']}")
    return Judged(np.array(logits), np.array(labels, int), owners)


def cross_fitted(judged: Judged, folds: int = FOLDS) -> dict[str, float | None] | None:
    """Calibration of groups by a fit that did not see them, every group in turn.

    Returns:
        ``slope`` and ``intercept`` of the calibration line (1 and 0 are perfect), ``brier`` and ``error``,
        the expected calibration error over ten equal steps of the probability, 0 to 1; None where a part
        would hold one label only.
    """
    chances = np.full(len(judged.labels), np.nan)
    parts = min(folds, len(set(judged.groups)))
    if parts < 2:
        return None
    for rest, held in GroupKFold(parts).split(judged.logits, groups=judged.groups):
        if not _is_enough(judged.labels[rest]):
            return None
        slope, bias = _line(judged.logits[rest], judged.labels[rest])
        chances[held] = expit(slope * judged.logits[held] + bias)
    slope, intercept = calibration_line(chances, judged.labels)
    steps = np.minimum((chances * 10).astype(int), 9)
    error = sum(
        abs(float(chances[steps == k].sum() - judged.labels[steps == k].sum())) for k in np.unique(steps)
    ) / len(chances)
    brier = float(np.mean((chances - judged.labels) ** 2))
    return {"slope": slope, "intercept": intercept, "brier": brier, "error": error}


def _is_enough(labels: np.ndarray) -> bool:
    return len(set(labels.tolist())) == 2 and len(labels) >= 40


def _line(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Slope and bias of a logistic regression of the label on the logit."""
    model = LogisticRegression(class_weight="balanced", C=1e6).fit(logits[:, None], labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
