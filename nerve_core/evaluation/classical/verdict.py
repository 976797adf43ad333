"""Verdict methods: does this nerve look affected, by classical classifiers on features of nerve and rim."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from nerve_core.errors import DataError
from nerve_core.evaluation.classical.deep import DeepFeatures
from nerve_core.evaluation.classical.features import nerve_features, size_feature
from nerve_core.evaluation.classical.nerves import NerveTable
from nerve_core.imaging.scan import Scan

CLEAR = 0.5
"""Severity from which a case counts when settings are compared, as for the network."""


@dataclass(frozen=True)
class VerdictMethod:
    """One entry of the registry.

    Attributes:
        title: for tables.
        paper: author and year.
        features: ``texture``, ``deep`` or ``size``.
        make: gives an unfitted classifier of the settings.
        grid: values tried of each setting.
    """

    title: str
    paper: str
    features: str
    make: Callable[..., ClassifierMixin]
    grid: Mapping[str, tuple[Any, ...]]


def _svm(C: float, gamma: str | float) -> ClassifierMixin:
    return SVC(C=C, gamma=gamma, class_weight="balanced", cache_size=300)


def _forest(min_samples_leaf: int, max_features: str | float) -> ClassifierMixin:
    return RandomForestClassifier(
        120,
        min_samples_leaf=min_samples_leaf,
        max_features=max_features,
        class_weight="balanced_subsample",
        random_state=0,
    )


def _knn(n_neighbors: int, weights: str) -> ClassifierMixin:
    return KNeighborsClassifier(n_neighbors, weights=weights, algorithm="brute")


def _logistic(C: float) -> ClassifierMixin:
    return LogisticRegression(C=C, class_weight="balanced", max_iter=2000)


_CLASSIFIERS = {
    "svm": ("SVM", "Cortes & Vapnik 1995", _svm, {"C": (0.3, 1.0, 3.0, 10.0), "gamma": ("scale", 0.002)}),
    "forest": (
        "Random Forest",
        "Breiman 2001",
        _forest,
        {"min_samples_leaf": (2, 6), "max_features": ("sqrt", 0.3)},
    ),
    "knn": (
        "k nearest neighbours",
        "Cover & Hart 1967",
        _knn,
        {"n_neighbors": (7, 15, 31, 61), "weights": ("uniform", "distance")},
    ),
    "logistic": (
        "Logistic regression",
        "Cox 1958",
        _logistic,
        {"C": (0.001, 0.01, 0.1, 1.0)},
    ),
}
_FEATURES = {
    "texture": "LBP, co-occurrence, wavelets and shape",
    "deep": "features of the verdict network",
}

VERDICT_METHODS: dict[str, VerdictMethod] = {
    "size": VerdictMethod(
        "Observer that knows only the nerve's size",
        "floor for the others",
        "size",
        _logistic,
        {"C": (1.0,)},
    ),
    **{
        f"{name}_{features}": VerdictMethod(f"{title} on {words}", paper, features, make, grid)
        for features, words in _FEATURES.items()
        for name, (title, paper, make, grid) in _CLASSIFIERS.items()
    },
}


def verdict_method_of(name: str) -> VerdictMethod:
    """The entry of a verdict method.

    Raises:
        DataError: when there is none of that name.
    """
    if name not in VERDICT_METHODS:
        raise DataError(
            f"There is no classical verdict method {name!r}; choose one of: {', '.join(VERDICT_METHODS)}."
        )
    return VERDICT_METHODS[name]


@dataclass(frozen=True, eq=False)
class Verdict:
    """A fitted and calibrated verdict method.

    Attributes:
        name: key in ``VERDICT_METHODS``.
        params: settings of its classifier.
        model: fitted pipeline.
        slope, bias: of the calibration (Platt 1999).
        deep: gives the deep features, for those that use them.
    """

    name: str
    params: dict[str, Any]
    model: Pipeline
    slope: float
    bias: float
    deep: DeepFeatures | None = None

    def __post_init__(self) -> None:
        if verdict_method_of(self.name).features == "deep" and self.deep is None:
            raise DataError(f"The verdict method {self.name!r} needs the weights whose features it uses.")

    def p_affected(self, scan: Scan, mask: np.ndarray) -> float:
        """Calibrated probability that a nerve looks affected, 0 to 1.

        Args:
            scan: in which it lies.
            mask: (H, W), nonzero inside the nerve.

        Raises:
            DataError: the mask is empty or has another shape than the scan.
        """
        if mask.shape != scan.pixels.shape or not mask.any():
            raise DataError("The mask of the nerve is empty or has another size than its scan.")
        binary = np.asarray(mask > 0, np.uint8)
        top, left, bottom, right = scan.region
        area = float((bottom - top) * (right - left))
        kind = verdict_method_of(self.name).features
        if kind == "size":
            features = size_feature(binary, area)
        elif kind == "deep":
            features = self.deep(scan.pixels, binary)
        else:
            features = nerve_features(scan.pixels, binary, area)
        return float(self.chances(features[None])[0])

    def chances(self, features: np.ndarray) -> np.ndarray:
        """Calibrated probability for each row of features (N, F), float64 (N,)."""
        return _logistic_of(self.slope * score(self.model, features) + self.bias)


def score(model: Pipeline, features: np.ndarray) -> np.ndarray:
    """What is calibrated: the margin, or the log-odds where a classifier gives but a probability, (N,)."""
    if hasattr(model, "decision_function"):
        return model.decision_function(features)
    share = np.clip(model.predict_proba(features)[:, 1], 0.005, 0.995)
    return np.log(share / (1 - share))


@dataclass(frozen=True)
class VerdictFigures:
    """How a verdict method does on the validation nerves.

    Attributes:
        auc: of cases of severity ``CLEAR`` and above against originals and shams.
        auc_all: of all severities.
        brier: of probabilities calibrated on other groups than their own.
        n: nerves.
        tried: settings compared.
    """

    auc: float
    auc_all: float
    brier: float
    n: int
    tried: int


def fit_verdict(
    name: str, train: NerveTable, val: NerveTable, deep: DeepFeatures | None = None
) -> tuple[Verdict, VerdictFigures]:
    """Fit on training nerves; choose settings by AUC and calibrate on validation nerves.

    Args:
        name: key of ``VERDICT_METHODS``.
        train, val: tables of the two sides of the split.
        deep: as in :class:`Verdict`.

    Raises:
        DataError: an unknown method, a table without both classes, or one group on both sides.
    """
    entry = verdict_method_of(name)
    if any(len(set(table.label.tolist())) < 2 for table in (train, val)):
        raise DataError("Training and validation nerves must each hold affected and unaffected ones.")
    if set(train.group.tolist()) & set(val.group.tolist()):
        raise DataError("A group stands on both sides of the split; make the rows with training_rows.")
    features, held = getattr(train, entry.features), getattr(val, entry.features)
    counted = (val.label == 0) | (val.severity >= CLEAR)
    best: tuple[float, dict[str, Any], Pipeline] | None = None
    combinations = [
        dict(zip(entry.grid, chosen, strict=True)) for chosen in itertools.product(*entry.grid.values())
    ]
    # With fewer nerves than neighbours there is nothing to ask.
    combinations = [params for params in combinations if params.get("n_neighbors", 1) <= len(train.label)]
    if not combinations:
        raise DataError(f"{entry.title} needs more training nerves than {len(train.label)}.")
    for params in combinations:
        model = make_pipeline(StandardScaler(), entry.make(**params)).fit(features, train.label)
        value = float(roc_auc_score(val.label[counted], score(model, held)[counted]))
        if best is None or value > best[0]:
            best = (value, params, model)
    value, params, model = best
    scores = score(model, held)
    slope, bias = platt(scores, val.label)
    return Verdict(name, params, model, slope, bias, deep), VerdictFigures(
        auc=value,
        auc_all=float(roc_auc_score(val.label, scores)),
        brier=crossfitted_brier(scores, val.label, val.group),
        n=len(scores),
        tried=len(combinations),
    )


def platt(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Slope and bias of the logistic function from scores to probabilities, both classes alike in weight."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(scores[:, None], labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def crossfitted_brier(scores: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    """Brier score of probabilities calibrated on other groups; NaN with too few groups to hold any out."""
    folds = min(5, len(set(groups.tolist())))
    if folds < 2:
        return float("nan")
    found = np.full(len(scores), np.nan)
    for fitted, held in GroupKFold(folds).split(scores, labels, groups):
        if len(set(labels[fitted].tolist())) == 2:
            slope, bias = platt(scores[fitted], labels[fitted])
            found[held] = _logistic_of(slope * scores[held] + bias)
    known = ~np.isnan(found)
    return float(brier_score_loss(labels[known], found[known])) if known.any() else float("nan")


def _logistic_of(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * values))
