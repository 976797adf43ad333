"""Every verdict network that is compared: (N, 1, CROP, CROP) crops and masks in, (N,) logits out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from nerve_core.models.verdict import CROP, VerdictNet


class PlainCNN(nn.Module):
    """Three blocks of convolution, ReLU and pooling, and two dense layers: the thesis' classifier.

    It sees the crop and, as a second channel, the contour, but is not told to look at the nerve: nothing is
    pooled from it. Batch normalisation is the one thing added, so that it trains at the same pace.

    Input and output as of :class:`nerve_core.models.verdict.VerdictNet`.

    Args:
        widths: channels of the three blocks.
        dense: width of the layer before the logit.
        dropout: share of it that is left out in training.
    """

    def __init__(
        self, widths: tuple[int, int, int] = (32, 64, 128), dense: int = 128, dropout: float = 0.5
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((2, *widths[:-1]), widths, strict=True):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
                nn.MaxPool2d(2),
            ]  # fmt: skip
        self.blocks = nn.Sequential(*layers)
        side = CROP // 2 ** len(widths)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(widths[-1] * side**2, dense), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(dense, 1),
        )  # fmt: skip

    def forward(self, crops: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(torch.cat([crops, masks - 0.5], 1)))[:, 0]


class Jury(nn.Module):
    """Several verdict networks, trained apart, whose logits are averaged (Lakshminarayanan 2017).

    Args:
        count: members.
        pretrained: start each from ImageNet weights.
    """

    def __init__(self, count: int, pretrained: bool = True) -> None:
        super().__init__()
        self.members = nn.ModuleList(VerdictNet(pretrained) for _ in range(count))

    def forward(self, crops: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return torch.stack([member(crops, masks) for member in self.members]).mean(0)


def newest(network: nn.Module) -> nn.Module:
    """The last member of a jury; any other network itself."""
    return network.members[-1] if isinstance(network, Jury) else network


@dataclass(frozen=True)
class VerdictArchitecture:
    """A verdict network anyone can choose by name.

    Attributes:
        network: makes it; takes ``pretrained``.
        title: what it is, in a few words.
        paper: who described it; empty for our own.
        pretrained: whether it can start from ImageNet weights.
    """

    network: Callable[[bool], nn.Module]
    title: str
    paper: str = ""
    pretrained: bool = False


DEFAULT = "nerve_pooled"
"""What a checkpoint holds whose config names no other under ``verdict_architecture``."""

VERDICTS: dict[str, VerdictArchitecture] = {
    DEFAULT: VerdictArchitecture(
        VerdictNet, "Features pooled from the nerve, its rim and its surroundings", pretrained=True
    ),
    "nerve_pooled_scratch": VerdictArchitecture(
        lambda pretrained: VerdictNet(pretrained=False), "The same from random weights"
    ),
    "nerve_pooled_pair": VerdictArchitecture(
        partial(Jury, 2), "Two of the first, trained apart, averaged", "Lakshminarayanan 2017", True
    ),
    "nerve_pooled_trio": VerdictArchitecture(
        partial(Jury, 3), "Three of the first, trained apart, averaged", "Lakshminarayanan 2017", True
    ),
    "plain_cnn": VerdictArchitecture(
        lambda pretrained: PlainCNN(), "Three convolution blocks and two dense layers", "LeCun 1998"
    ),
}


JURIES = {2: "nerve_pooled_pair", 3: "nerve_pooled_trio"}
"""Which network holds so many of the first."""


def build_verdict(name: str = DEFAULT, pretrained: bool = True) -> nn.Module:
    """A network of the registry.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in VERDICTS:
        raise ValueError(f"Unknown verdict network {name!r}; known are {', '.join(sorted(VERDICTS))}.")
    return VERDICTS[name].network(pretrained)
