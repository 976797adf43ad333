"""The verdict: does this nerve look affected? Evidence is pooled from the nerve and its rim."""

from __future__ import annotations

import cv2
import numpy as np
import timm
import torch
from torch import nn
from torch.nn import functional as F

from nerve_core.models.pretrained import ENCODER, load_lite0

CROP = 128
"""Side of a nerve's crop, px."""

CONTEXT = 1.9
"""Side of the crop over the longer side of the nerve: the rim and the tissue around must be seen."""


class VerdictNet(nn.Module):
    """Judges one nerve from a crop around it and its contour.

    Features of three scales are brought to a quarter of the crop's side and averaged, each separately,
    over the nerve, over its rim and over the tissue around, together with their spread in the nerve; a
    small perceptron turns them into one logit.

    Input: crops float32 (N, 1, CROP, CROP), z-scored; masks float32 (N, 1, CROP, CROP), 0 to 1.
    Output: logits float32 (N,), positive for affected.
    """

    def __init__(self, pretrained: bool = True, width: int = 64, dropout: float = 0.3) -> None:
        super().__init__()
        self.encoder = timm.create_model(ENCODER, features_only=True, in_chans=2, out_indices=(1, 2, 3))
        if pretrained:
            load_lite0(self.encoder)
        self.reduce = nn.ModuleList(
            nn.Conv2d(channels, width, 1) for channels in self.encoder.feature_info.channels()
        )
        self.mix = nn.Sequential(
            nn.Conv2d(3 * width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(4 * width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, crops: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        features = self.encoder(torch.cat([crops, masks - 0.5], 1))
        target = features[0].shape[-2:]
        levels = [
            F.interpolate(layer(feature), size=target, mode="bilinear", align_corners=False)
            for layer, feature in zip(self.reduce, features, strict=True)
        ]
        mixed = self.mix(torch.cat(levels, 1))
        return self.head(torch.cat(pool_by_region(mixed, masks), 1))[:, 0]


def pool_by_region(features: torch.Tensor, masks: torch.Tensor) -> list[torch.Tensor]:
    """Mean over nerve, rim and surroundings, and standard deviation over the nerve: four (N, C) tensors."""
    nerve = F.avg_pool2d(masks, masks.shape[-1] // features.shape[-1])
    grown = F.max_pool2d(nerve, 5, stride=1, padding=2)
    shrunk = -F.max_pool2d(-nerve, 3, stride=1, padding=1)
    wide = F.max_pool2d(grown, 7, stride=1, padding=3)

    def mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return (values * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-3)

    inside = mean(features, nerve)
    spread = mean((features - inside[..., None, None]) ** 2, nerve)
    return [inside, mean(features, grown - shrunk), mean(features, wide - grown), (spread + 1e-4).sqrt()]


def crop_window(mask: np.ndarray, context: float = CONTEXT) -> tuple[float, float, float]:
    """(centre x, centre y, side) in px of the square crop around one nerve's mask."""
    x, y, width, height = cv2.boundingRect(np.asarray(mask, np.uint8))
    return x + (width - 1) / 2, y + (height - 1) / 2, max(16.0, context * max(width, height))


def cut(
    image: np.ndarray,
    mask: np.ndarray,
    window: tuple[float, float, float],
    turn: float = 0.0,
    flip: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Resample a square window to ``CROP`` px: uint8 image and float32 mask (0 to 1).

    Args:
        image: uint8 (H, W); beyond its border the last pixels repeat.
        mask: (H, W), nonzero inside the nerve.
        window: (centre x, centre y, side) in px.
        turn: rotation in radians.
        flip: mirror left and right.
    """
    x, y, side = window
    scale = CROP / side
    if scale < 0.7:
        # As in training and use: average before a strong reduction, or the speckle aliases.
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        ratio = (image.shape[1] / mask.shape[1], image.shape[0] / mask.shape[0])
        mask = cv2.resize(
            np.asarray(mask, np.uint8), image.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT
        )
        x, y, scale_x, scale_y = (
            (x + 0.5) * ratio[0] - 0.5,
            (y + 0.5) * ratio[1] - 0.5,
            scale / ratio[0],
            scale / ratio[1],
        )
    else:
        scale_x = scale_y = scale
    cos, sin, sign = np.cos(turn), np.sin(turn), -1.0 if flip else 1.0
    linear = np.array([[sign * cos * scale_x, -sin * scale_y], [sign * sin * scale_x, cos * scale_y]])
    matrix = np.column_stack([linear, (CROP - 1) / 2 - linear @ (x, y)])
    crop = cv2.warpAffine(
        image, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    inside = np.asarray(mask > 0, np.uint8) * np.uint8(255)
    soft = cv2.warpAffine(inside, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR)
    return crop, soft.astype(np.float32) / 255


def normalise_crop(crop: np.ndarray) -> np.ndarray:
    """Z-score a uint8 crop: float32."""
    mean, std = cv2.meanStdDev(crop)
    return (crop - np.float32(mean.item())) / np.float32(max(std.item(), 2.0))
