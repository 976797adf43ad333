"""What a picture looks like to a network that never saw an ultrasound scan: the stated feature extractor."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import timm
import torch
from torch import nn

from nerve_core.generative.patches import scaled, to_signed
from nerve_core.models.pretrained import ENCODER, load_lite0

EXTRACTOR = "EfficientNet-Lite0, ImageNet weights of the packaged file, 1280 pooled features"
INPUT = 128
"""Side of the network's input, px."""
LEAST_SPREAD = 2.0
"""Grey levels of standard deviation below which a piece shows nothing (black below the tissue)."""


class Lite0Features(nn.Module):
    """(N, 1, S, S) float32 in [-1, 1] to (N, 1280) float32; weights frozen, no download."""

    def __init__(self) -> None:
        super().__init__()
        self.network = timm.create_model(ENCODER, pretrained=False, in_chans=1, num_classes=0)
        load_lite0(self.network)
        self.requires_grad_(False).eval()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.network(pictures)


def pieces(images: Sequence[np.ndarray], side: int, each: int, seed: int = 0) -> torch.Tensor:
    """Random squares of half of ``side``, enlarged to the network's input: float32 (M, 1, INPUT, INPUT).

    Squares rather than whole frames, since the frames of a set share a shape, and a score should see the
    look of the tissue rather than the shape of the frame. Squares that show nothing are drawn again a few
    times and then left out.

    Args:
        images: uint8 (H, W) each.
        side: long side to which all are brought first, px.
        each: squares of each image.
    """
    size, rng, found = side // 2, np.random.default_rng(seed), []
    for image in images:
        picture = scaled(image, side, size)
        for _ in range(each):
            for _ in range(5):
                top, left = (int(rng.integers(full - size + 1)) for full in picture.shape)
                piece = picture[top : top + size, left : left + size]
                if piece.std() >= LEAST_SPREAD:
                    found.append(to_signed(scaled(np.ascontiguousarray(piece), INPUT)))
                    break
    return torch.stack(found) if found else torch.zeros(0, 1, INPUT, INPUT)


def whole(images: Sequence[np.ndarray]) -> torch.Tensor:
    """Whole frames stretched to the network's input: float32 (N, 1, INPUT, INPUT)."""
    return torch.stack(
        [to_signed(cv2.resize(image, (INPUT, INPUT), interpolation=cv2.INTER_AREA)) for image in images]
    )


@torch.no_grad()
def features(extractor: nn.Module, pictures: torch.Tensor, batch: int = 32) -> torch.Tensor:
    """The extractor's answer to many pictures, float32 (N, D)."""
    return torch.cat([extractor(part).float() for part in pictures.split(batch)])
