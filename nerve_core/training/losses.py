"""Losses of contours and verdicts, by the names that the training config uses."""

from __future__ import annotations

import torch
from monai.losses import DiceLoss, FocalLoss, TverskyLoss
from torch import nn

from nerve_core.training.config import TrainConfig

SMOOTHING = 0.02
"""Share by which the verdict's labels are drawn away from 0 and 1."""


class ContourLoss(nn.Module):
    """Loss of one class: logits (N, 1, S, S) against 0 or 1, a scalar.

    ``dice+bce``: Dice of each image and cross-entropy of all pixels. ``dice+focal``: the cross-entropy is
    focal (Lin 2017), so that easy background counts less. ``dice+weighted``: nerve pixels count
    ``positive_weight`` times in it. ``tversky``: Dice that counts missed pixels by ``tversky_missed`` and
    false ones by the rest (Salehi 2017).
    """

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        missed = config.tversky_missed
        self.overlap = (
            TverskyLoss(sigmoid=True, alpha=1 - missed, beta=missed, smooth_nr=1.0, smooth_dr=1.0)
            if config.loss == "tversky"
            else DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)
        )
        self.pixels: nn.Module | None = {
            "dice+bce": nn.BCEWithLogitsLoss(),
            "dice+focal": FocalLoss(gamma=config.focal_gamma),
            "dice+weighted": nn.BCEWithLogitsLoss(pos_weight=torch.tensor(config.positive_weight)),
            "tversky": None,
        }[config.loss]

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        loss = self.overlap(logits, target)
        return loss if self.pixels is None else loss + self.pixels(logits, target)


class VerdictLoss(nn.Module):
    """Loss of the verdict: logits (N,) against labels 0 or 1, a scalar.

    ``bce``: cross-entropy. ``weighted``: the rarer class of those drawn counts more, so that both count
    the same altogether. ``focal``: clear cases count less (Lin 2017).
    """

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        share = config.affected_share
        self.pixels: nn.Module = {
            "bce": nn.BCEWithLogitsLoss(),
            "weighted": nn.BCEWithLogitsLoss(pos_weight=torch.tensor((1 - share) / share)),
            "focal": FocalLoss(gamma=config.focal_gamma),
        }[config.verdict_loss]

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.pixels(logits[:, None], (labels * (1 - 2 * SMOOTHING) + SMOOTHING)[:, None])
