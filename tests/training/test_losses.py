"""Losses against their definitions."""

from dataclasses import replace

import pytest
import torch

from nerve_core.training.config import LOSSES, VERDICT_LOSSES, TrainConfig
from nerve_core.training.losses import ContourLoss, VerdictLoss

LOGITS = torch.tensor([[[[2.0, -1.0], [0.5, -3.0]]]])
TARGET = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])


def entropy(weight: float = 1.0) -> torch.Tensor:
    p = LOGITS.sigmoid()
    return -(weight * TARGET * p.log() + (1 - TARGET) * (1 - p).log())


def test_dice_and_cross_entropy() -> None:
    p = LOGITS.sigmoid()
    dice = 1 - (2 * (p * TARGET).sum() + 1) / (p.sum() + TARGET.sum() + 1)
    found = ContourLoss(TrainConfig())(LOGITS, TARGET)
    assert found == pytest.approx(float(dice + entropy().mean()), abs=1e-5)
    weighted = ContourLoss(TrainConfig(loss="dice+weighted", positive_weight=4.0))(LOGITS, TARGET)
    assert weighted == pytest.approx(float(dice + entropy(4.0).mean()), abs=1e-5)
    p_true = torch.where(TARGET > 0, p, 1 - p)
    focal = ContourLoss(TrainConfig(loss="dice+focal", focal_gamma=2.0))(LOGITS, TARGET)
    assert focal == pytest.approx(float(dice + ((1 - p_true) ** 2 * entropy()).mean()), abs=1e-5)


def test_tversky_weighs_what_is_missed() -> None:
    p = LOGITS.sigmoid()
    both, false, missed = (p * TARGET).sum(), (p * (1 - TARGET)).sum(), ((1 - p) * TARGET).sum()
    wanted = 1 - (both + 1) / (both + 0.2 * false + 0.8 * missed + 1)
    found = ContourLoss(TrainConfig(loss="tversky", tversky_missed=0.8))(LOGITS, TARGET)
    assert found == pytest.approx(float(wanted), abs=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_every_contour_loss_falls_as_the_contour_gets_better(name: str) -> None:
    loss = ContourLoss(TrainConfig(loss=name))
    worse, better = (loss(scale * (2 * TARGET - 1), TARGET) for scale in (-1.0, 4.0))
    assert better < worse


@pytest.mark.parametrize("name", VERDICT_LOSSES)
def test_every_verdict_loss_falls_as_the_verdict_gets_better(name: str) -> None:
    loss, labels = VerdictLoss(TrainConfig(verdict_loss=name)), torch.tensor([1.0, 0.0])
    assert loss(torch.tensor([2.0, -2.0]), labels) < loss(torch.tensor([-2.0, 2.0]), labels)


def test_the_rarer_class_counts_as_much_as_the_other() -> None:
    config = replace(TrainConfig(), verdict_loss="weighted", affected_share=0.2)
    loss, logits = VerdictLoss(config), torch.zeros(5, requires_grad=True)
    loss(logits, torch.tensor([1.0, 0, 0, 0, 0])).backward()
    # At p = 0.5 the pull of one affected equals that of the four others, apart from the smoothed labels.
    assert -logits.grad[0] == pytest.approx(float(logits.grad[1:].sum()), rel=0.12)
