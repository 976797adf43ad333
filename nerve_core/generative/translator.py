"""The network that restyles a picture: (N, 1, H, W) in [-1, 1] in and out, H and W multiples of 4."""

from __future__ import annotations

import torch
from torch import nn


class Residual(nn.Module):
    """Two 3×3 convolutions on a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0.5 * self.body(x)


class Translator(nn.Module):
    """ResNet generator (Johnson 2016, as CycleGAN and CUT use it) that adds a change to its input.

    It differs from the published one in three ways, for training on a processor and for anatomy that stays:
    the first and last stage work on 2×2 blocks of pixels; there is no normalisation, so that a pixel's new
    value depends on its neighbourhood alone and a patch and a whole picture are treated alike; and the
    network gives a difference to the input, which starts near zero.

    Args:
        width: channels at half resolution; twice as many at a quarter.
        blocks: residual blocks.
    """

    def __init__(self, width: int = 32, blocks: int = 5) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            [
                nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, width, 5, padding=2), nn.ReLU()),
                nn.Sequential(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.ReLU()),
                *(Residual(2 * width) for _ in range(blocks)),
            ]
        )
        self.head = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 16, 3, padding=1),
            nn.PixelShuffle(2),
            nn.Conv2d(4, 1, 3, padding=1),
        )
        nn.init.normal_(self.head[-1].weight, std=0.02)
        nn.init.zeros_(self.head[-1].bias)
        # Three depths are compared by PatchNCE: texture, edges, neighbourhoods.
        self.watched = (0, 1, 2 + blocks // 2)
        self.channels = (width, 2 * width, 2 * width)

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """What the encoder sees at the depths ``watched``, with ``channels`` channels each."""
        return self.encode(x, self.watched[-1])[0]

    def encode(self, x: torch.Tensor, depth: int | None = None) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Features at the watched depths and the last one computed."""
        seen = []
        for index, stage in enumerate(self.stages[: None if depth is None else depth + 1]):
            x = stage(x)
            if index in self.watched:
                seen.append(x)
        return seen, x

    def with_features(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The translation, and the features of the input, in one pass."""
        seen, deep = self.encode(x)
        return x + self.head(deep), seen

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.with_features(x)[0]
