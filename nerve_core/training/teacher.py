"""Mean teacher (Tarvainen 2017): the averaged network shows the learning one what to see."""

from __future__ import annotations

import math

import torch
from lightning.pytorch.callbacks import EMAWeightAveraging
from torch import nn
from torch.nn import functional as F


class Teacher(EMAWeightAveraging):
    """Moving average of the weights, which is validated and shipped and, while training, can be asked."""

    def chances(self, inputs: torch.Tensor) -> torch.Tensor:
        """Probability of the nerve by the averaged network, (N, 1, S, S), without gradient."""
        network: nn.Module = self._average_model.module.model.eval()
        with torch.no_grad():
            return network(inputs.contiguous(memory_format=torch.channels_last))[:, :1].float().sigmoid()


def consistency_loss(
    logits: torch.Tensor, chances: torch.Tensor, valid: torch.Tensor, confidence: float
) -> torch.Tensor:
    """How far the learner's contours of a strong view are from the teacher's sure pixels of the weak one.

    Cross-entropy over all sure pixels and, in images where the teacher is sure of some nerve, Dice over them.

    Args:
        logits: of the learner, (N, 1, S, S).
        chances: probability by the teacher, the same shape.
        valid: bool, the same shape; False where there is no scan.
        confidence: a pixel is sure where ``max(p, 1 - p)`` is at least this.

    Returns:
        A scalar; 0 when nothing is sure.
    """
    sure = (torch.maximum(chances, 1 - chances) >= confidence) & valid
    if not sure.any():
        return logits.sum() * 0
    weight, target = sure.float(), (chances > 0.5).float()
    entropy = F.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum") / weight.sum()
    shown = (target * weight).sum((1, 2, 3)) > 0
    if not shown.any():
        return entropy
    found, wanted = (part[shown] for part in (logits.sigmoid() * weight, target * weight))
    both = (found * wanted).sum((1, 2, 3))
    dice = (2 * both + 1) / (found.sum((1, 2, 3)) + wanted.sum((1, 2, 3)) + 1)
    return entropy + (1 - dice).mean()


def ramp(step: int, steps: int) -> float:
    """Rises from nearly 0 to 1 over so many steps: exp(-5 (1 - t)²); 1 at once when there are none."""
    if steps <= 0:
        return 1.0
    return math.exp(-5 * (1 - min(1.0, step / steps)) ** 2)
