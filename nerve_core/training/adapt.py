"""Fit trained weights to another clinic's scans, of which nobody has drawn a contour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn
from torch.utils.data import DataLoader

from nerve_core.data.augment import Augment, resample
from nerve_core.data.dataset import to_input
from nerve_core.data.manifest import Row, read_manifests
from nerve_core.data.unlabelled import WeakAndStrong, read_images
from nerve_core.errors import DataError
from nerve_core.models.checkpoint import load_checkpoint, save_checkpoint
from nerve_core.training.config import Stage
from nerve_core.training.loop import Redraw, StagedModule
from nerve_core.training.teacher import Teacher, consistency_loss

FEWEST = 8
"""Scans below which their statistics say more about single patients than about a clinic."""

NOTE = (
    "The contours changed, so the verdict's calibration and all figures of the weights this began with do "
    "not hold; evaluate and calibrate on labelled scans of this clinic."
)


@dataclass(frozen=True)
class AdaptConfig:
    """How far to go.

    Attributes:
        mix: share of the new scans' statistics in the batch normalisation, 0 to 1 (AdaBN, Li 2018, has 1).
        epochs: of learning from the network's own sure pixels; 0 leaves the weights alone.
        samples: scans shown an epoch.
        batch: samples a step.
        learning_rate: peak, small, so that the network stays close to what it was taught.
        ema: decay of the average that teaches and is kept.
        confidence: pixels count where the network gives at least this chance to either side, 0.5 to 1.
        style_mix: probability that a scan takes on the look of another one of the clinic.
        seed: of every random choice.
    """

    mix: float = 1.0
    epochs: int = 0
    samples: int = 320
    batch: int = 8
    learning_rate: float = 1e-4
    ema: float = 0.99
    confidence: float = 0.9
    style_mix: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("mix", 0), ("style_mix", 0), ("confidence", 0.5)):
            value = getattr(self, name)
            if not low <= value <= 1:
                raise DataError(f"{name} must be from {low} to 1, got {value}.")
        if self.epochs < 0:
            raise DataError(f"epochs must be 0 or more, got {self.epochs}.")


def adapt(manifests: Sequence[str | Path], start: Path, out: Path, how: AdaptConfig) -> dict[str, Any]:
    """Write a checkpoint fitted to the scans of manifests; contours in them are not looked at.

    The verdict's network stays as it is.

    Args:
        manifests: scans of the clinic.
        start: checkpoint folder to begin with.
        out: checkpoint folder to write, whose name becomes that of the weights.
        how: how far to go.

    Returns:
        The config written; ``adapted`` says to what and how.

    Raises:
        DataError: ``out`` holds a checkpoint already, or there are too few scans.
        CheckpointError: ``start`` cannot be used.
    """
    if (out / "config.json").exists():
        raise DataError(f"{out} holds a checkpoint already; choose another --out.")
    model, config = load_checkpoint(start, every_class=True)
    rows = read_manifests(manifests)
    if len(rows) < FEWEST:
        raise DataError(f"{len(rows)} scans are too few to adapt to; give at least {FEWEST}.")
    images = read_images(rows)
    size = config["preprocess"]["size"]
    L.seed_everything(how.seed, workers=True, verbose=False)
    adapt_norms(model.contour, plain_inputs(images, size), how.mix, how.batch)
    if how.epochs:
        teach_itself(model.contour, images, rows, size, how)
    sets = [
        {
            "set": name,
            "unlabelled": len(own),
            "groups": len({row["group"] for row in own}),
            "licence": "; ".join(sorted({row.get("licence", "") or "not stated" for row in own})),
        }
        for name in sorted({row["set"] for row in rows})
        if (own := [row for row in rows if row["set"] == name])
    ]
    began = f"{config['name']} {config['version']}"
    config = config | {
        "name": out.name,
        "adapted": {
            "from": began,
            "scans": len(rows),
            "sets": sets,
            "batch_norm_mix": how.mix,
            "epochs": how.epochs,
            "confidence": how.confidence,
            "note": NOTE,
        },
        "unlabelled": [*config.get("unlabelled", []), *sets],
        "calibration": config.get("calibration", {}) | {"valid": False},
    }
    save_checkpoint(out, model, config)
    named = ", ".join(one["set"] for one in sets)
    (out / "card.md").write_text(
        f"# {out.name}\n\nThe weights {began}, adapted to {len(rows)} scans without contours ({named}). "
        f"{NOTE}\n\nLearned from simulated pathology on healthy nerves; never tested on diagnosed patients; "
        "research use only.\n",
        encoding="utf-8",
    )
    return config


def plain_inputs(images: Sequence[np.ndarray], size: int) -> list[torch.Tensor]:
    """Every scan as predictions see it, without a click: float32 (2, size, size) each."""
    rng = np.random.default_rng(0)
    inputs = []
    for image in images:
        shown, _, valid = resample(image, np.zeros(image.shape, np.uint8), size, rng, None)
        inputs.append(to_input(shown, valid, None))
    return inputs


def adapt_norms(network: nn.Module, inputs: Sequence[torch.Tensor], mix: float, batch: int = 8) -> None:
    """Move the running statistics of every batch normalisation towards those of new inputs, in place.

    Args:
        network: takes a batch of inputs.
        inputs: float32 (C, S, S) each.
        mix: 0 keeps the old statistics, 1 takes the new ones.
        batch: inputs at a time; each batch counts the same.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    old = [(layer.running_mean.clone(), layer.running_var.clone()) for layer in norms]
    update_bn(DataLoader(list(inputs), batch, drop_last=len(inputs) >= batch), network)
    for layer, (mean, variance) in zip(norms, old, strict=True):
        layer.running_mean.lerp_(mean, 1 - mix)
        layer.running_var.lerp_(variance, 1 - mix)


class SelfTraining(StagedModule):
    """Learns from its own average's sure pixels; the normalisation's statistics stay as they are."""

    def __init__(self, network: nn.Module, how: AdaptConfig) -> None:
        super().__init__(
            Stage(
                max(1, how.epochs),
                max(how.samples, how.batch),
                how.batch,
                learning_rate=how.learning_rate,
                weight_decay=0.0,
                ema=how.ema,
            )
        )
        self.model, self.confidence = network, how.confidence

    def training_step(self, batch: tuple[torch.Tensor, ...], _: int) -> torch.Tensor:
        weak, strong, valid = batch
        for layer in self.model.modules():
            if isinstance(layer, _BatchNorm):
                layer.eval()
        teacher = next(one for one in self.trainer.callbacks if isinstance(one, Teacher))
        logits = self.model(strong)[:, :1].float()
        return consistency_loss(logits, teacher.chances(weak), valid, self.confidence)


def teach_itself(
    network: nn.Module, images: Sequence[np.ndarray], rows: Sequence[Row], size: int, how: AdaptConfig
) -> None:
    """A few epochs of pseudo-labels, in place."""
    network.requires_grad_(True)
    module = SelfTraining(network, how)
    augment = Augment(style_mix=how.style_mix)
    samples = WeakAndStrong(images, rows, size, module.stage.samples, augment, how.seed)
    trainer = L.Trainer(
        max_epochs=how.epochs,
        accelerator="auto",
        devices=1,
        gradient_clip_val=1.0,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=[Teacher(decay=how.ema), Redraw(samples)],
    )
    trainer.fit(module, DataLoader(samples, how.batch, drop_last=True))
    network.cpu().eval()
