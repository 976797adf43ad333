"""Whether a picture is of the kind the weights have learned from: the contour network's own features say so.

A picture is refused as *foreign* when its features lie with those of photographs, documents, screenshots, CT,
MR and X-rays. An ultrasound picture in which the network must not be believed gets the verdict *no nerve
found*: when its features lie with those of *muscle*, or when they are *unfamiliar*, far from those of all
scans learned from (Mahalanobis distance to the nearest set of scans; Lee 2018). Pointing at a nerve overrules
the last two: the network then looks closer, and was measured to find nerves it has never seen.

The features cost nothing, since the network computes them anyway. What is fitted to them lies beside the
weights in ``scope.safetensors`` (``python -m benchmarks.scope`` writes it) and holds for these weights alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from segmentation_models_pytorch.base import SegmentationModel
from torch import nn

from nerve_core.errors import CheckpointError

FILE = "scope.safetensors"
DEPTHS = 3
"""Deepest stages of the encoder whose means over the picture are the features."""

FOREIGN, MUSCLE, UNFAMILIAR = "foreign", "muscle", "unfamiliar"

SENTENCES = {
    FOREIGN: (
        "This does not look like ultrasound of a nerve but like another kind of picture (a photograph, "
        "document, screenshot, CT, MR, X-ray or heart scan); upload the grey B-mode frame as the machine "
        "exports it."
    ),
    MUSCLE: (
        "This looks like ultrasound of muscle with no nerve in view; turn the probe across the nerve and "
        "follow it from a landmark you know, or point at the nerve if you see one."
    ),
    UNFAMILIAR: (
        "This ultrasound is unlike every nerve scan the model has learned from (another organ, view or "
        "machine), so no nerve is claimed in it; show the nerve in cross-section near the middle of a "
        "shallow picture, or point at the nerve if you see one."
    ),
}
"""What to say of each kind of picture out of scope, with what to do."""


class Observed(nn.Module):
    """A contour network of encoder and decoder that gives its features beside its logits.

    Input: float32 (N, 2, S, S). Output: logits (N, classes, S, S) and features (N, F).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        stages = self.network.encoder(inputs)
        logits = self.network.segmentation_head(self.network.decoder(stages))
        return logits, torch.cat([stage.mean((2, 3)) for stage in stages[-DEPTHS:]], 1)


def observable(network: nn.Module) -> bool:
    """Whether a contour network is one of encoder, decoder and head, whose features can be had."""
    return isinstance(network, SegmentationModel)


@dataclass(frozen=True, eq=False)
class Scope:
    """Two linear tests and a distance, in features standardised by ``mean`` and ``scale``; all float32.

    Attributes:
        mean, scale: (F,).
        foreign, muscle: (F,) weights; with their bias, above 0 for a picture of that kind.
        foreign_bias, muscle_bias: (1,).
        centres: (K, F), the mean of each set of scans learned from.
        axes: (A, F), directions in which those scans spread about their centre, over that spread.
        reach: (1,), the root mean square over the axes from which a picture is unfamiliar.
    """

    mean: np.ndarray
    scale: np.ndarray
    foreign: np.ndarray
    foreign_bias: np.ndarray
    muscle: np.ndarray
    muscle_bias: np.ndarray
    centres: np.ndarray
    axes: np.ndarray
    reach: np.ndarray

    def scores(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """By kind, (N,) scores of features (N, F); above 0 speaks for that kind."""
        placed = (features - self.mean) / self.scale
        spread = np.stack([((placed - centre) @ self.axes.T) ** 2 for centre in self.centres])
        distance = np.sqrt(spread.mean(axis=2).min(axis=0))
        return {
            FOREIGN: placed @ self.foreign + self.foreign_bias,
            MUSCLE: placed @ self.muscle + self.muscle_bias,
            UNFAMILIAR: distance - self.reach,
        }

    def kind_of(self, features: np.ndarray, pointed: bool = False) -> str | None:
        """What a picture is instead of a scan within scope; None for one within.

        Args:
            features: (F,) of the picture as the network first saw it.
            pointed: whether the clinician pointed at a nerve, which only a foreign picture cannot hold.
        """
        scores = self.scores(features[None])
        asked = (FOREIGN,) if pointed else (FOREIGN, MUSCLE, UNFAMILIAR)
        return next((kind for kind in asked if scores[kind][0] > 0), None)

    def save(self, folder: Path, model: str) -> None:
        """Write it beside the weights ``model`` (name and version), whole or not at all."""
        from safetensors.numpy import save_file

        tensors = {each.name: np.ascontiguousarray(getattr(self, each.name)) for each in fields(self)}
        partial = folder / f"{FILE}.part"
        save_file(tensors, partial, metadata={"model": model})
        partial.chmod(0o644)  # safetensors writes for the owner alone
        partial.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path, config: dict[str, Any]) -> Scope | None:
        """What was fitted to these weights; None where there is nothing, or it was fitted to others.

        Raises:
            CheckpointError: for a damaged file.
        """
        from safetensors import SafetensorError, safe_open

        if not (folder / FILE).is_file():
            return None
        try:
            with safe_open(folder / FILE, "np") as file:
                if (file.metadata() or {}).get("model") != f"{config['name']} {config['version']}":
                    return None
                return cls(**{each.name: file.get_tensor(each.name) for each in fields(cls)})
        except (OSError, SafetensorError):
            raise CheckpointError(
                f"{FILE} of the weights {folder.name!r} is damaged; get the checkpoint again."
            ) from None
