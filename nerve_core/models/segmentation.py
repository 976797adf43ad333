"""Contour networks: (N, 2, S, S) image and click in, (N, classes, S, S) logits out, the nerve's first.

S is a multiple of 32. What there is to choose from is listed in :mod:`nerve_core.models.zoo`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from nerve_core.models.architecture import CHANNELS, HEAD, Architecture
from nerve_core.models.zoo import ZOO

__all__ = [
    "ARCHITECTURES",
    "CHANNELS",
    "HEAD",
    "OUTPUTS",
    "build",
    "count_classes",
    "fit_classes",
    "nerve_only",
]

OUTPUTS = ("nerve", "vessel")
"""What the logits' channels are of; a network of one class finds the nerve alone."""

ARCHITECTURES: dict[str, Architecture] = ZOO


def build(name: str, pretrained: bool = True, classes: int = 1) -> nn.Module:
    """A network of the registry.

    Args:
        name: key of ``ARCHITECTURES``.
        pretrained: start from packaged ImageNet weights, where the entry has any; nothing is downloaded.
        classes: 1 (nerve) or 2 (nerve and vessel).

    Raises:
        ValueError: for an unknown name, or a number of classes there is no meaning for.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"Unknown architecture {name!r}; known are {', '.join(sorted(ARCHITECTURES))}.")
    if not 1 <= classes <= len(OUTPUTS):
        raise ValueError(f"A contour network has 1 to {len(OUTPUTS)} classes, not {classes}.")
    return ARCHITECTURES[name].build(pretrained, classes=classes)


def count_classes(weights: Mapping[str, torch.Tensor], prefix: str = "") -> int:
    """How many classes the weights of a contour network tell apart."""
    return len(weights[f"{prefix}{HEAD}.weight"])


def nerve_only(weights: Mapping[str, torch.Tensor], prefix: str = "") -> dict[str, torch.Tensor]:
    """The same weights with the head of the first class alone; those without such a head stay as they are."""
    head = (f"{prefix}{HEAD}.weight", f"{prefix}{HEAD}.bias")
    return {name: tensor[:1] if name in head else tensor for name, tensor in weights.items()}


def fit_classes(weights: Mapping[str, torch.Tensor], model: nn.Module) -> dict[str, torch.Tensor]:
    """Weights whose head has as many classes as the model's: further ones go, missing ones stay the model's.

    Args:
        weights: state dict of a network of the same architecture.
        model: the network that shall take them.
    """
    own, fitted = model.state_dict(), dict(weights)
    for name in (f"{HEAD}.weight", f"{HEAD}.bias"):
        kept = own[name].clone()
        count = min(len(kept), len(weights[name]))
        kept[:count] = weights[name][:count]
        fitted[name] = kept
    return fitted
