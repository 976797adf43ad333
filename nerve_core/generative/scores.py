"""How near generated scans come to real ones that nobody trained on, and whether they replay any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchmetrics
from torchmetrics.image.kid import KernelInceptionDistance

from nerve_core.config import ROOT
from nerve_core.data.check_duplicates import NONE, Fingerprints, near_duplicates
from nerve_core.data.manifest import read_manifest
from nerve_core.data.packed import Packed, pack
from nerve_core.errors import DataError
from nerve_core.generative.anatomy import edge_correlations
from nerve_core.generative.features import EXTRACTOR, INPUT, Lite0Features, features, pieces
from nerve_core.generative.memory import memory
from nerve_core.generative.patches import scaled

SUBSET = 50
SUBSETS = 100


@dataclass(frozen=True)
class Reals:
    """Real scans by their side of the split; ``unseen`` are held back and have no near-copy trained on."""

    train: Packed
    held_back: Packed
    unseen: Packed


def split_reals(packed: Packed) -> Reals:
    """Sort packed real scans, whose rows say their ``split``.

    Raises:
        DataError: too few are held back to score against.
    """
    prints = Fingerprints(len(packed))
    for index, image in enumerate(packed.images):
        prints.add(index, image)
    cluster = near_duplicates(prints)
    trained = np.array([row["split"] == "train" for row in packed.rows])
    copied = np.isin(cluster, list(set(cluster[trained].tolist()) - {NONE}))
    reals = Reals(packed.select(trained), packed.select(~trained), packed.select(~trained & ~copied))
    if min(len(reals.train), len(reals.unseen)) < 4:
        raise DataError("Too few real scans are held back to score against; give more or larger sets.")
    return reals


def score(
    reals: Reals, generated: Packed, phantoms: Packed | None, side: int, each: int = 2
) -> dict[str, object]:
    """Kernel inception distances (Bińkowski 2018) to held-back real scans, and the memorisation check.

    The distances are of a stated extractor and comparable only among themselves: those of phantoms and of
    real training scans, measured in the same way, say what a figure means.

    Args:
        phantoms: what was translated, when it was: then edges before and after are compared too.
        side: long side at which all are compared, px; no larger than that of the generated ones.
        each: pieces of each picture.
    """
    extractor = Lite0Features()
    named = {"generated": generated.images, "real_train": reals.train.images}
    if phantoms is not None:
        named["phantoms"] = phantoms.images
    against = features(extractor, pieces(reals.held_back.images, side, each))
    kid = {
        name: distance(against, features(extractor, pieces(images, side, each, seed=1)))
        for name, images in named.items()
    }
    small = [[scaled(image, side) for image in part] for part in
             (reals.train.images, reals.unseen.images, generated.images)]  # fmt: skip
    result: dict[str, object] = {
        "extractor": f"{EXTRACTOR}; {INPUT} px pieces of half the long side of {side} px",
        "measure": f"torchmetrics {torchmetrics.__version__} KernelInceptionDistance, {SUBSETS} subsets",
        "images": {name: len(images) for name, images in named.items()}
        | {"held_back": len(reals.held_back), "held_back_without_near_copy": len(reals.unseen)},
        "kid": kid,
        "memorisation": [one.to_dict() for one in memory(*small, extractor)],
    }
    if phantoms is not None and (pairs := paired(phantoms, generated)):
        edges = edge_correlations(*zip(*pairs, strict=True))
        result["edge_correlation"] = {"mean": float(edges.mean()), "least": float(edges.min())}
    return result


def distance(real: torch.Tensor, other: torch.Tensor) -> dict[str, float]:
    """Mean and standard deviation of the kernel distance over random subsets of features (N, D).

    The seed is fixed, so the same features give the same figures.
    """
    metric = KernelInceptionDistance(
        torch.nn.Identity(), subsets=SUBSETS, subset_size=min(SUBSET, len(real), len(other))
    )
    metric.update(real, real=True)
    metric.update(other, real=False)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mean, spread = metric.compute()
    return {"mean": float(mean), "std": float(spread)}


def paired(before: Packed, after: Packed) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures before, and those after whose ``source`` names them."""
    known = {Path(row["image"]).name: image for row, image in zip(before.rows, before.images, strict=True)}
    return [
        (known[name], image)
        for row, image in zip(after.rows, after.images, strict=True)
        if (name := Path(row.get("source", "")).name) in known
    ]


def packed_from(manifests: Sequence[str | Path]) -> Packed:
    """The contoured rows of some manifests, decoded."""
    return pack([row for path in manifests for row in read_manifest(path)], ROOT / ".cache")
