"""Fit the learned gate of :mod:`nerve_core.inference.scope` to features of scans and of other pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from nerve_core.errors import DataError
from nerve_core.inference.scope import FOREIGN, MUSCLE, UNFAMILIAR, Scope

AXES = 80
"""Most directions kept of the spread of scans; chosen while figures of all groups were in view."""
STRENGTH = 0.01
"""Inverse regularisation of the two linear tests; chosen while figures of all groups were in view."""
PASSED = {FOREIGN: 0.99, MUSCLE: 0.98, UNFAMILIAR: 0.95}
"""Share of the validation scans of every set that each test must let pass."""


def fit_scope(
    scans: np.ndarray,
    sets: np.ndarray,
    held: np.ndarray,
    held_sets: np.ndarray,
    foreign: np.ndarray,
    muscle: np.ndarray,
) -> Scope:
    """The gate of one set of weights.

    Args:
        scans: features (N, F) of training scans of nerves.
        sets: (N,) name of the set of each.
        held: features (M, F) of validation scans, which set the thresholds.
        held_sets: (M,) name of the set of each.
        foreign: features of pictures that are no ultrasound.
        muscle: features of ultrasound of muscle.

    Raises:
        DataError: one of the tables is empty.
    """
    for what, table in (
        ("scans", scans),
        ("validation scans", held),
        ("pictures", foreign),
        ("muscle", muscle),
    ):
        if not len(table):
            raise DataError(f"The gate needs features of {what}, and there are none; name more manifests.")
    mean, scale = scans.mean(0), np.maximum(scans.std(0), 1e-6)
    placed = (scans - mean) / scale
    names = np.unique(sets)
    centres = np.stack([placed[sets == name].mean(0) for name in names])
    about = np.concatenate(
        [placed[sets == name] - centre for name, centre in zip(names, centres, strict=True)]
    )
    spread = PCA(min(AXES, *about.shape), svd_solver="full").fit(about)
    axes = spread.components_ / np.sqrt(spread.explained_variance_)[:, None]
    gate = Scope(
        *(
            np.atleast_1d(part).astype(np.float32)
            for part in (
                mean, scale, *_linear(placed, (foreign - mean) / scale),
                *_linear(placed, (muscle - mean) / scale), centres, axes, 0.0,
            )
        )
    )  # fmt: skip
    reached = {
        kind: max(
            float(np.quantile(scores[held_sets == name], PASSED[kind])) for name in np.unique(held_sets)
        )
        for kind, scores in gate.scores(held).items()
    }
    return replace(
        gate,
        foreign_bias=gate.foreign_bias - np.float32(max(0.0, reached[FOREIGN])),
        muscle_bias=gate.muscle_bias - np.float32(max(0.0, reached[MUSCLE])),
        reach=np.array([reached[UNFAMILIAR]], np.float32),
    )


def _linear(scans: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a logistic regression that tells others (above 0) from scans."""
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
    model.fit(np.concatenate([scans, others]), np.repeat([0, 1], [len(scans), len(others)]))
    return model.coef_[0], model.intercept_
