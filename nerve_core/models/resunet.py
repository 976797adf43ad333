"""ResUNet++ (Jha 2019), which no library of ours has: a residual U-Net with three kinds of attention.

Differs from the paper in one place: its pyramids are dilated by 1, 2, 4 and 6 instead of 1, 6, 12 and 18,
which on the 16 × 16 features of a 128 px input would look past the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from timm.layers import SqueezeExcite
from torch import nn
from torch.nn import functional as F

DILATIONS = (1, 2, 4, 6)


def norm_conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Batch normalisation, ReLU and a 3 × 3 convolution."""
    return nn.Sequential(
        nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
    )


class ResidualUnit(nn.Module):
    """Two pre-activated convolutions beside a shortcut: (N, inputs, S, S) to (N, outputs, S/stride, …)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convs = nn.Sequential(norm_conv(inputs, outputs, stride), norm_conv(outputs, outputs))
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.convs(features) + self.shortcut(features)


class Stem(nn.Module):
    """The first residual unit, which has nothing to normalise before its first convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), norm_conv(outputs, outputs))
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.convs(features) + self.shortcut(features)


class Pyramid(nn.Module):
    """Parallel dilated convolutions (ASPP), summed."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            )
            for dilation in DILATIONS
        )
        self.out = nn.Conv2d(outputs, outputs, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.out(sum(branch(features) for branch in self.branches))


class Attention(nn.Module):
    """Weighs the decoder's features by what the encoder saw at twice the side: both (N, C, …)."""

    def __init__(self, encoder: int, decoder: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(norm_conv(encoder, decoder), nn.MaxPool2d(2))
        self.decoder = norm_conv(decoder, decoder)
        self.weigh = nn.Sequential(nn.BatchNorm2d(decoder), nn.ReLU(), nn.Conv2d(decoder, 1, 1))

    def forward(self, skip: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        return self.weigh(self.encoder(skip) + self.decoder(features)) * features


class ResUNetPlusPlus(nn.Module):
    """Features (N, widths[0], S, S) of inputs (N, channels, S, S); S a multiple of 8.

    Args:
        channels: of the input.
        widths: of the stem, of the three stages down, and of the bridge.
    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        first, *middle, bridge = widths
        self.stem = Stem(channels, first)
        down = [first, *middle]
        self.squeeze = nn.ModuleList(SqueezeExcite(width) for width in down[:-1])
        self.down = nn.ModuleList(ResidualUnit(a, b, 2) for a, b in pairwise(down))
        self.bridge = Pyramid(down[-1], bridge)
        above = [bridge, *down[:0:-1]]
        skips = down[-2::-1]
        self.attention = nn.ModuleList(
            Attention(skip, width) for skip, width in zip(skips, above[:-1], strict=True)
        )
        self.up = nn.ModuleList(
            ResidualUnit(width + skip, out)
            for width, skip, out in zip(above[:-1], skips, above[1:], strict=True)
        )
        self.out = Pyramid(above[-1], first)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        features = self.stem(inputs)
        skips = []
        for squeeze, stage in zip(self.squeeze, self.down, strict=True):
            skips.append(features)
            features = stage(squeeze(features))
        features = self.bridge(features)
        for skip, attend, stage in zip(skips[::-1], self.attention, self.up, strict=True):
            large = F.interpolate(attend(skip, features), scale_factor=2.0, mode="nearest")
            features = stage(torch.cat([large, skip], 1))
        return self.out(features)
