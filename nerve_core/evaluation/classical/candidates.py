"""Which of the proposed regions is a nerve: a prior learned from the contours of the training groups.

Thresholds and edges find many regions, most of them fascia, muscle and vessels. The prior knows how large,
how round and how deep training nerves are and how they stand out, and gives each region the overlap with a
true nerve that it expects. All methods choose with the same prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from nerve_core.errors import CheckpointError
from nerve_core.evaluation.classical.regions import CLICK_FEATURES, FEATURES, describe, part_at
from nerve_core.evaluation.classical.view import View, disc

GRID = 32
"""Cells a side of the map of places."""

REACHES = (1.2, 1.8)
"""A region that leaks away from a click is also tried cut to discs of so many typical radii around it."""

SECOND = 0.55
"""Expected overlap from which further regions beside the best one count as nerves."""


@dataclass(frozen=True, eq=False)
class Ranker:
    """Expected overlap (Dice) of a region with a true nerve, by a logistic model of second order.

    Attributes:
        mean, scale: float64 (F,), by which features are standardised.
        weights: float64 (F + F·(F+1)/2,).
        bias: constant term.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: float

    def score(self, features: np.ndarray) -> np.ndarray:
        """0 to 1 for each row of features (N, F)."""
        value = second_order((features - self.mean) / self.scale) @ self.weights + self.bias
        return 0.5 * (1 + np.tanh(0.5 * value))


@dataclass(frozen=True, eq=False)
class Prior:
    """What the contours of the training groups say about nerves.

    Attributes:
        location: float32 (``GRID``, ``GRID``), share of training scans with nerve there.
        smallest, typical, largest: area as a share of the picture (1st percentile, median, 99th).
        elongation: median of longer over shorter axis.
        ranker: of regions without a click.
        click_ranker: of regions with one.
    """

    location: np.ndarray
    smallest: float
    typical: float
    largest: float
    elongation: float
    ranker: Ranker
    click_ranker: Ranker

    def radius(self, view: View) -> float:
        """Radius of a disc as large as the typical nerve, px of the view."""
        return float(np.sqrt(self.typical / np.pi)) * view.unit

    def least(self, view: View) -> float:
        """Area below which nothing is taken for a nerve, px of the view."""
        return max(12.0, 0.5 * self.smallest * view.grey.size)

    def places(self, view: View) -> np.ndarray:
        """``location`` at the size of the view, float32 (H, W)."""
        return cv2.resize(self.location, view.grey.shape[::-1], interpolation=cv2.INTER_LINEAR)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "location": self.location.round(5).tolist(),
            **{name: getattr(self, name) for name in ("smallest", "typical", "largest", "elongation")},
            **{
                name: {key: np.asarray(value).tolist() for key, value in vars(getattr(self, name)).items()}
                for name in ("ranker", "click_ranker")
            },
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Prior:
        """The prior from :meth:`to_dict`.

        Raises:
            CheckpointError: when something is missing or has another shape.
        """
        try:
            location = np.array(values["location"], np.float32)
            rankers = {}
            for name, count in (
                ("ranker", len(FEATURES)),
                ("click_ranker", len(FEATURES) + len(CLICK_FEATURES)),
            ):
                own = values[name]
                mean, scale, weights = (
                    np.array(own[key], np.float64) for key in ("mean", "scale", "weights")
                )
                if not mean.shape == scale.shape == (count,) or weights.shape != (count * (count + 3) // 2,):
                    raise ValueError(name)
                rankers[name] = Ranker(mean, scale, weights, float(own["bias"]))
            if location.shape != (GRID, GRID):
                raise ValueError("location")
            sizes = {name: float(values[name]) for name in ("smallest", "typical", "largest", "elongation")}
        except (KeyError, TypeError, ValueError):
            raise CheckpointError(
                "The prior of the classical methods is damaged; fit them again with "
                "python -m benchmarks.classical."
            ) from None
        return cls(location, **sizes, **rankers)


def second_order(features: np.ndarray) -> np.ndarray:
    """Features (N, F), clipped to ±4, followed by all their products: (N, F + F·(F+1)/2)."""
    values = np.clip(features, -4, 4)
    first, second = np.triu_indices(values.shape[1])
    return np.concatenate([values, values[:, first] * values[:, second]], 1)


def choose(
    view: View, regions: Sequence[np.ndarray], prior: Prior, evidence: np.ndarray | None = None
) -> list[tuple[np.ndarray, float]]:
    """The regions taken for nerves, each with its expected overlap, best first.

    Without a click the best region, and others beside it that are expected to be good; with a click the one
    region that fits it best.

    Args:
        view: the picture, with or without a click.
        regions: uint8 0/1 (H, W).
        prior: learned from training groups.
        evidence: float32 (H, W), a method's own probability of nerve; a region's mean of it counts too.
    """
    if view.click is not None:
        regions = _near(view, regions, prior)
    least, most = prior.least(view), 2 * prior.largest * view.grey.size
    kept = [region for region in regions if least <= np.count_nonzero(region) <= most]
    if not kept:
        return []
    scores = scored(view, kept, prior)
    if evidence is not None:
        scores = scores * [float(evidence[region > 0].mean()) for region in kept]
    order = np.argsort(-scores, kind="stable")
    best = order[0]
    chosen = [(kept[best], float(scores[best]))]
    if view.click is None:
        taken = kept[best] > 0
        for k in order[1:]:
            if scores[k] < SECOND:
                break
            if not (taken & (kept[k] > 0)).any():
                chosen.append((kept[k], float(scores[k])))
                taken |= kept[k] > 0
    return chosen


def scored(view: View, regions: Sequence[np.ndarray], prior: Prior) -> np.ndarray:
    """Expected overlap of each region with a true nerve, float64 (N,)."""
    places = prior.places(view)
    ranker = prior.ranker if view.click is None else prior.click_ranker
    return ranker.score(np.array([describe(view, region, places) for region in regions]))


def _near(view: View, regions: Sequence[np.ndarray], prior: Prior) -> list[np.ndarray]:
    """Regions within a typical radius of the click, whole and cut to discs around it."""
    x, y = view.click
    radius = prior.radius(view)
    close = disc(view.grey.shape, x, y, max(3.0, 0.7 * radius))
    found = []
    for region in regions:
        if not (region & close).any():
            continue
        found.append(region)
        for reach in REACHES:
            around = disc(view.grey.shape, x, y, reach * radius)
            if (region & (1 - around)).any():
                found.append(part_at(region & around, x, y))
    return found
