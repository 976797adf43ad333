"""The mean teacher counts sure pixels alone, and without weight the training is the supervised one."""

from __future__ import annotations

from dataclasses import replace

import lightning as L
import pytest
import torch
from torch.utils.data import DataLoader

from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.contours import ContourModule
from nerve_core.training.teacher import Teacher, consistency_loss, ramp

CONFIG = TrainConfig(size=64, final_size=64, pretrained=False, contour=Stage(epochs=1, samples=4, batch=2))


def maps(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(1, 1, 2, 2)


def test_only_sure_and_valid_pixels_count() -> None:
    logits = maps(0.3, -2.0, 1.0, 0.5).requires_grad_()
    chances, valid = maps(0.95, 0.2, 0.02, 0.99), maps(1, 1, 1, 0) > 0
    consistency_loss(logits, chances, valid, 0.9).backward()
    pull = logits.grad.flatten()
    assert pull[0] < 0 < pull[2]
    assert pull[1] == 0
    assert pull[3] == 0
    unsure = consistency_loss(logits, maps(0.5, 0.4, 0.6, 0.7), valid, 0.9)
    assert float(unsure) == 0


def test_known_value() -> None:
    logits = maps(0.0, 0.0, 0.0, 0.0)
    found = consistency_loss(logits, maps(1, 1, 0, 0), maps(1, 1, 1, 1) > 0, 0.9)
    assert found == pytest.approx(0.6931472 + 1 - 3 / 5, abs=1e-5)


def test_the_weight_rises_to_one() -> None:
    values = [ramp(step, 100) for step in (0, 50, 100, 500)]
    assert values == sorted(values)
    assert values[0] < 0.01
    assert values[2:] == [1, 1]
    assert ramp(0, 0) == 1


def step(config: TrainConfig, batch: object) -> tuple[float, torch.Tensor]:
    """Loss of one batch and the gradient of the first layer."""
    torch.manual_seed(0)
    module = ContourModule(config, ["s"])
    module.log = lambda *_, **__: None
    loss = module.training_step(batch, 0)
    loss.backward()
    return float(loss), next(module.parameters()).grad


def labelled() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    target = torch.full((2, 2, 64, 64), -1.0)
    target[:, 0] = 0
    target[:, 0, 20:40, 20:40] = 1
    return torch.randn(2, 2, 64, 64, generator=generator), target


def test_without_weight_it_is_the_supervised_training() -> None:
    views = tuple(torch.randn(2, 2, 64, 64) for _ in range(2))
    free = (*views, torch.ones(2, 1, 64, 64, dtype=torch.bool))
    plain = step(CONFIG, labelled())
    both = step(CONFIG, {"labelled": labelled(), "unlabelled": free})
    assert both[0] == plain[0]
    assert torch.equal(both[1], plain[1])


def test_the_teacher_is_the_average_and_what_it_says_reaches_the_learner() -> None:
    torch.manual_seed(0)
    module = ContourModule(replace(CONFIG, consistency=1.0, consistency_ramp=0.0, confidence=0.5), ["s"])
    teacher = Teacher(decay=0.5)
    views = tuple(torch.randn(2, 2, 64, 64) for _ in range(2))
    free = (*views, torch.ones(2, 1, 64, 64, dtype=torch.bool))
    trainer = L.Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        callbacks=[teacher],
    )
    batches = [{"labelled": labelled(), "unlabelled": free}] * 2
    trainer.fit(module, DataLoader(batches, batch_size=None))
    apart = float(trainer.callback_metrics["train/consistency"])
    assert apart > 0
    assert float(trainer.callback_metrics["train/loss"]) > apart
    inputs = views[0]
    with torch.no_grad():
        wanted = module.model.eval()(inputs)[:, :1].sigmoid()
    assert torch.allclose(teacher.chances(inputs), wanted, atol=1e-4)  # copied when the training ended
