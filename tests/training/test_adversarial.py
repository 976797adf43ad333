"""The critic of contours teaches the network, stays out of what ships, and survives an interruption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightning as L
import pytest
import torch
from torch.utils.data import DataLoader

from nerve_core.training import contours
from nerve_core.training import run as module
from nerve_core.training.adversarial import SURE, ContourCritic, as_chances
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.contours import ContourModule
from nerve_core.training.run import best_weights, train

CONFIG = TrainConfig(
    name="judged",
    size=64,
    final_size=64,
    workers=0,
    pretrained=False,
    vessel_weight=0,
    adversarial_weight=0.1,
    contour=Stage(epochs=2, samples=8, batch=4),
)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with a square that is brighter, no click, and the square's mask."""
    torch.manual_seed(1)
    target = torch.zeros(2, 2, 64, 64)
    target[:, 0, 20:40, 20:40] = 1
    target[:, 1] = -1
    scan = torch.randn(2, 1, 64, 64) + 2 * target[:, :1]
    return torch.cat([scan, torch.zeros_like(scan)], 1), target


def fitted(config: TrainConfig) -> ContourModule:
    """A module after two steps on one batch."""
    torch.manual_seed(0)
    judged = ContourModule(config, ["s"])
    trainer = L.Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    trainer.fit(judged, DataLoader([batch()] * 2, batch_size=None))
    return judged


def test_true_masks_are_shown_as_a_network_that_is_right_would_draw_them() -> None:
    target, chances = torch.tensor([1.0, 1, 0, 0]), torch.tensor([0.2, 0.97, 0.6, 0.01])
    assert as_chances(target, chances).tolist() == pytest.approx([SURE, 0.97, 1 - SURE, 0.01])


def test_the_terms_gradient_reaches_the_contours_and_not_the_critic() -> None:
    inputs, target = batch()
    critic = ContourCritic()
    chances = torch.full_like(target[:, :1], 0.5).requires_grad_()
    before = [weight.clone() for weight in critic.critic.parameters()]
    term = critic.term(inputs, chances, target[:, :1])
    after = [weight.clone() for weight in critic.critic.parameters()]
    assert any((old != new).any() for old, new in zip(before, after, strict=True)), "the critic learned"
    critic.optimiser.zero_grad()
    term.backward()
    assert chances.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in critic.critic.parameters())


def test_the_critic_learns_to_tell_a_torn_contour_from_a_whole_one() -> None:
    inputs, target = batch()
    torn = target[:, :1] * (torch.rand(2, 1, 64, 64) < 0.7) * 0.95 + 0.02
    whole = as_chances(target[:, :1], torch.full_like(torn, 0.5))
    critic = ContourCritic()
    for _ in range(60):
        critic.term(inputs, torn, target[:, :1])
    with torch.no_grad():
        far, near = (critic._judge(torch.cat([inputs, seen], 1), True, False) for seen in (torn, whole))
    assert far > 2 * near


def test_the_term_changes_the_training_and_without_weight_nothing_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged = fitted(CONFIG).model.state_dict()

    def never() -> None:
        raise AssertionError("a critic was built")

    monkeypatch.setattr(contours, "ContourCritic", never)
    plain, again = (fitted(replace(CONFIG, adversarial_weight=0.0)).model.state_dict() for _ in range(2))
    assert all(torch.equal(plain[name], again[name]) for name in plain)
    assert any(not torch.equal(plain[name], judged[name]) for name in plain)


def test_it_is_resumed_and_not_shipped(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    folder = tmp_path / "runs" / "judged" / "contour"
    cut = replace(CONFIG, contour=replace(CONFIG.contour, epochs=1))
    train([manifest], cut, "any", "contour", False, tmp_path / "out", "1")
    stored = torch.load(folder / "last.ckpt", weights_only=False)["callbacks"]["ContourCritic"]

    taken_up = []
    original = ContourCritic.on_fit_start

    def watched(self: ContourCritic, *args: object) -> None:
        original(self, *args)
        taken_up.append({name: tensor.clone() for name, tensor in self.critic.state_dict().items()})

    monkeypatch.setattr(ContourCritic, "on_fit_start", watched)
    train([manifest], CONFIG, "any", "contour", True, tmp_path / "out", "1")
    assert all(torch.equal(taken_up[0][name], tensor) for name, tensor in stored["critic"].items())
    last = torch.load(folder / "last.ckpt", weights_only=False)
    steps = last["callbacks"]["ContourCritic"]["optimiser"]["state"][0]["step"]
    assert last["epoch"] == 1 and int(steps) == last["global_step"] == 4
    assert best_weights(folder)[0].keys() == ContourModule(CONFIG, []).model.state_dict().keys()
