"""What an entry of the registry of contour networks is, and the one shape that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from segmentation_models_pytorch.base import SegmentationHead
from torch import nn

from nerve_core.models.pretrained import load_packaged

CHANNELS = 2
"""Normalised image, click map."""

HEAD = "segmentation_head.0"
"""The last convolution, one row of weights a class, under the same name in every network."""


@dataclass(frozen=True)
class Architecture:
    """A contour network anyone can choose by name.

    Attributes:
        network: makes it from random weights; takes ``classes`` (1: nerve, 2: nerve and vessel), or nothing
            where it is over sweeps.
        title: what it is, in a few words.
        paper: who described it, and when.
        packaged: timm's name of the encoder whose ImageNet weights come with a Python package; empty where
            none do, and then the network always starts from random weights.
    """

    network: Callable[..., nn.Module]
    title: str
    paper: str
    packaged: str = ""

    @property
    def pretrained(self) -> bool:
        """Whether it can start from ImageNet weights without any download."""
        return bool(self.packaged)

    def build(self, pretrained: bool = True, **options: int) -> nn.Module:
        """The network; from ImageNet weights when they are asked for and packaged."""
        model = self.network(**options)
        if pretrained and self.packaged:
            load_packaged(model.encoder.model, self.packaged)
        return model


class Headed(nn.Module):
    """A network whose last layer is taken off, with a 1 × 1 convolution to the classes in its place.

    So every architecture keeps its head under :data:`HEAD`, whatever library it comes from.

    Args:
        body: (N, 2, S, S) to features (N, ``width``, S / ``shrink``, S / ``shrink``).
        width: channels of the features.
        classes: channels of the logits.
        shrink: how much smaller the features are; the logits are enlarged bilinearly.
    """

    def __init__(self, body: nn.Module, width: int, classes: int, shrink: int = 1) -> None:
        super().__init__()
        self.body = body
        self.segmentation_head = SegmentationHead(width, classes, kernel_size=1, upsampling=shrink)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.segmentation_head(self.body(inputs))
