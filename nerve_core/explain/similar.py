"""Similar cases: nerves that look alike to the verdict network, and how near they really are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from nerve_core.errors import DataError
from nerve_core.explain.judge import Judge, look_at
from nerve_core.models.verdict import VerdictNet
from nerve_core.models.verdicts import Jury


@dataclass(frozen=True, eq=False)
class Case:
    """One nerve of a set to search in.

    Attributes:
        title: what to call it.
        label: known label, or empty.
        source: where it comes from, as the page says it.
        pixels: uint8 (H, W) scan.
        mask: uint8 0/1 (H, W), its contour.
        features: float32 (F,), see :func:`features_of`.
    """

    title: str
    label: str
    source: str
    pixels: np.ndarray
    mask: np.ndarray
    features: np.ndarray


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A case and how near it is.

    Attributes:
        case: the case.
        distance: root mean square difference of the features, each in units of its spread over the set.
        nearer_than: share of all pairs of different cases of the set that are further apart, 0 to 1; near 1
            for a true neighbour, 0.5 for a case no nearer than any other.
    """

    case: Case
    distance: float
    nearer_than: float


def features_of(judge: Judge, pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What the verdict is computed from: pooled features of nerve, rim and surroundings, float32 (F,).

    Args:
        judge: the weights.
        pixels: uint8 (H, W) scan.
        mask: (H, W), nonzero in the nerve.

    Raises:
        DataError: a nerve too small, or weights that do not pool features.
    """
    look = look_at(pixels, mask, judge.device)
    with judge.lend() as network:
        members = list(network.members) if isinstance(network, Jury) else [network]
        if not all(isinstance(member, VerdictNet) for member in members):
            raise DataError(
                "These weights do not pool features of a nerve, so no similar scans can be sought."
            )
        pooled: list[torch.Tensor] = []
        handles = [
            member.head.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
            for member in members
        ]
        try:
            with torch.inference_mode():
                network(look.crops, look.masks)
        finally:
            for handle in handles:
                handle.remove()
    return torch.cat([part.mean(0) for part in pooled]).cpu().numpy()


def nearest(features: np.ndarray, cases: Sequence[Case], count: int = 4) -> list[Neighbour]:
    """The nearest cases, nearest first.

    Args:
        features: float32 (F,).
        cases: the set to search in.
        count: how many at most.

    Raises:
        DataError: fewer than three cases, of which no distance can be judged.
    """
    if len(cases) < 3:
        raise DataError(f"A set of {len(cases)} nerves is too small to say which are alike; add more scans.")
    every = np.stack([case.features for case in cases])
    scale = every.std(0) + 1e-3 * float(every.std()) + 1e-9
    every, own = every / scale, features / scale
    distances = np.sqrt(((every - own) ** 2).mean(1))
    pairs = np.sqrt(((every[:, None] - every[None]) ** 2).mean(2))[np.triu_indices(len(cases), 1)]
    return [
        Neighbour(cases[k], float(distances[k]), float((pairs > distances[k]).mean()))
        for k in np.argsort(distances, kind="stable")[:count]
    ]
