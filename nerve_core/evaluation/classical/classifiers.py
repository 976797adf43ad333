"""SVM, Random Forest and k-NN on superpixels: a probability map, from which regions are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from nerve_core.errors import DataError
from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.regions import parts
from nerve_core.evaluation.classical.superpixels import Superpixels, superpixels
from nerve_core.evaluation.classical.view import View, opened, smooth

NERVE, OTHER = 40, 60
"""Most superpixels taken of one scan, inside and outside its nerves."""

MOST = {"svm": 8000, "knn": 20000, "forest": 30000}
"""Most superpixels learned from; the time of the first two grows with them at every prediction."""


@dataclass(frozen=True)
class Superpixel:
    """How regions are taken from a classifier's map.

    Attributes:
        sigma: Gaussian filter of the map, px.
        level: probability from which a pixel is nerve, as a share of the map's peak.
        opening: radius of the opening that cuts bridges, share of the picture's side.
    """

    sigma: float = 4.0
    level: float = 0.6
    opening: float = 0.015


@dataclass(frozen=True, eq=False)
class PixelModels:
    """A fitted classifier for scans without a click and one for scans with.

    Attributes:
        auto, click: pipelines that judge superpixel features.
    """

    auto: Pipeline
    click: Pipeline

    def evidence(self, view: View, prior: Prior) -> np.ndarray:
        """Probability of nerve by superpixel, float32 (H, W)."""
        model = self.auto if view.click is None else self.click
        found = superpixels(view, prior)
        return found.paint(chance(model, found.features))


def svm() -> ClassifierMixin:
    """Support vectors with a radial kernel (Cortes & Vapnik 1995)."""
    return SVC(C=2.0, gamma="scale", class_weight="balanced", cache_size=300)


def forest() -> ClassifierMixin:
    """Random Forest (Breiman 2001)."""
    return RandomForestClassifier(
        80, max_depth=14, min_samples_leaf=6, class_weight="balanced_subsample", random_state=0
    )


def knn() -> ClassifierMixin:
    """Nearest neighbours (Cover & Hart 1967), by brute force, which is quicker in so many dimensions."""
    return KNeighborsClassifier(35, weights="distance", algorithm="brute")


def chance(model: Pipeline, features: np.ndarray) -> np.ndarray:
    """Probability of nerve for each row of features, float64 (N,).

    Of an SVC it is the logistic function of twice its margin: fitting its own probabilities costs five more
    fits, and only the order of the values and their share of the peak count here.
    """
    if hasattr(model, "decision_function"):
        return 0.5 * (1 + np.tanh(model.decision_function(features)))
    return model.predict_proba(features)[:, 1]


def fit_models(
    make: Callable[[], ClassifierMixin],
    views: Iterable[tuple[View, np.ndarray]],
    clicked: Iterable[tuple[View, np.ndarray]],
    prior: Prior,
    most: int,
    seed: int = 0,
) -> PixelModels:
    """Fit both classifiers on training scans.

    Args:
        make: gives an unfitted classifier.
        views: pictures without a click, and their true masks (H, W).
        clicked: the same with a click; the mask is of the nerve clicked.
        prior: learned from training groups.
        most: most superpixels to learn from.
        seed: of the draw.

    Raises:
        DataError: there is no nerve, or nothing but nerve, in all of them.
    """
    fitted = []
    for number, group in enumerate((views, clicked)):
        features, labels = _sample(group, prior, np.random.default_rng([seed, number]), most)
        fitted.append(make_pipeline(StandardScaler(), make()).fit(features, labels))
    return PixelModels(*fitted)


def _sample(
    views: Iterable[tuple[View, np.ndarray]], prior: Prior, rng: np.random.Generator, most: int
) -> tuple[np.ndarray, np.ndarray]:
    features: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    for view, mask in views:
        found: Superpixels = superpixels(view, prior)
        share = found.share(mask)
        # Those cut by the contour are of neither kind, but for small nerves, which have no others.
        inside = np.flatnonzero(share >= min(0.5, float(share.max())) if share.max() > 0.2 else share > 1)
        outside = np.flatnonzero(share < 0.1)
        # Beside a click nearly everything is far away; half of the others are taken near the nerve.
        near = outside[np.argsort(_distance(found, inside, outside))[: OTHER * 2]] if len(inside) else outside
        picked = np.concatenate(
            [_some(inside, NERVE, rng), _some(near, OTHER // 2, rng), _some(outside, OTHER // 2, rng)]
        )
        features.append(found.features[picked])
        labels.append(np.isin(picked, inside).astype(int))
    joined = np.concatenate(labels) if labels else np.zeros(0, int)
    if len(set(joined.tolist())) < 2:
        raise DataError("The training scans show no nerve to learn from; give scans with contours.")
    table = np.concatenate(features)
    keep = np.sort(rng.permutation(len(joined))[:most])
    return table[keep], joined[keep]


def _distance(found: Superpixels, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Distance px² of each outer superpixel from the middle of the inner ones."""
    rows, columns = np.mgrid[: found.labels.shape[0], : found.labels.shape[1]]
    count = len(found.features)
    size = np.maximum(np.bincount(found.labels.ravel(), minlength=count), 1)
    centre = np.column_stack(
        [np.bincount(found.labels.ravel(), axis.ravel(), count) / size for axis in (rows, columns)]
    )
    return ((centre[outside] - centre[inside].mean(0)) ** 2).sum(1)


def _some(indices: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(indices)[:most])


def superpixel_regions(view: View, prior: Prior, how: Superpixel, evidence: np.ndarray) -> list[np.ndarray]:
    """Regions of a classifier's map near its peak."""
    calm = smooth(evidence, how.sigma)
    binary = (calm >= how.level * float(calm.max())).astype(np.uint8)
    return parts(opened(binary, view, how.opening), prior.least(view))
