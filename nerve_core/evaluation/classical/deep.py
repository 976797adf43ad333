"""Features that the verdict network has learned, for classifiers of another kind on top."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from nerve_core.errors import CheckpointError
from nerve_core.inference.exports import digest
from nerve_core.inference.looks import verdict_input
from nerve_core.models.checkpoint import load_checkpoint
from nerve_core.models.verdict import VerdictNet
from nerve_core.models.verdicts import newest


class DeepFeatures:
    """What a checkpoint's verdict network pools over nerve, rim and surroundings, before its last layers.

    Loaded with the first nerve; safe to share between threads.

    Args:
        folder: checkpoint folder.

    Raises:
        CheckpointError: when the weights are not there, or, at their first use, when they are damaged.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "model.safetensors").is_file():
            raise CheckpointError(
                f"The deep features need the weights {folder.name!r}, which are not there; get them first."
            )
        self.folder = folder

    @cached_property
    def network(self) -> VerdictNet:
        """The verdict network (of several the newest), its last layers replaced by nothing."""
        network = newest(load_checkpoint(self.folder)[0].verdict)
        network.head = _Keep()
        return network.eval()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights' file: features of other weights mean something else."""
        return digest(self.folder)

    def __call__(self, pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """float32 (4 · width,) of one nerve: the mean over the crop and its mirror image.

        Args:
            pixels: uint8 (H, W) scan.
            mask: (H, W), nonzero inside the nerve.
        """
        crops, masks = map(torch.from_numpy, verdict_input(pixels, mask))
        with torch.inference_mode():
            return self.network(crops, masks).mean(0).numpy()


class _Keep(nn.Module):
    """Hands the pooled features on, under the axis that the network takes its only logit from."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values[:, None]
