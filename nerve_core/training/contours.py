"""Training of the contour network."""

from __future__ import annotations

import lightning as L
import numpy as np
import torch
from monai.losses import DiceLoss
from torch import nn
from torch.utils.data import DataLoader

from nerve_core.data.dataset import ContourSamples, ContourTruth
from nerve_core.data.packed import Packed
from nerve_core.models.segmentation import build
from nerve_core.training.config import TrainConfig
from nerve_core.training.depthwise import QuickDepthwise
from nerve_core.training.loop import StagedModule


class ContourModule(StagedModule):
    """Dice of each image + cross-entropy; validated by the mean Dice of each set, clicks apart.

    Args:
        config: of the run.
        sets: set of each validation image.
        classes: 1 learns nerves alone, 2 also vessels, on the samples where they are marked.
    """

    monitor = "val/dice"

    def __init__(self, config: TrainConfig, sets: list[str], classes: int = 1) -> None:
        super().__init__(config.contour)
        model = build(config.architecture, config.pretrained, classes)
        self.model = model.to(memory_format=torch.channels_last)
        self.vessel_weight = config.vessel_weight
        self.dice = DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)
        self.entropy = nn.BCEWithLogitsLoss()
        self.sets = sets
        self.scores: dict[str, list[tuple[str, float]]] = {}

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        inputs, target = batch
        with QuickDepthwise():
            logits = self.model(inputs.contiguous(memory_format=torch.channels_last)).float()
        loss = self.loss(logits[:, :1], target[:, :1])
        known = target[:, 1, 0, 0] >= 0
        if logits.shape[1] > 1 and known.any():
            loss = loss + self.vessel_weight * self.loss(logits[known, 1:], target[known, 1:])
        self.log("train/loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=len(inputs))
        return loss

    def loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Of one class: Dice over each image plus cross-entropy over all pixels."""
        return self.dice(logits, target) + self.entropy(logits, target)

    def on_validation_epoch_start(self) -> None:
        self.scores = {"dice": [], "click": []}

    def validation_step(self, batch: tuple[torch.Tensor, ...], _: int, dataloader_idx: int = 0) -> None:
        inputs, target, index = batch
        found = self.model(inputs.contiguous(memory_format=torch.channels_last))[:, :1].float() > 0
        both = (found & (target > 0)).sum((1, 2, 3))
        either = found.sum((1, 2, 3)) + target.sum((1, 2, 3))
        kind = ("dice", "click")[dataloader_idx]
        for k, score in zip(index.tolist(), (2 * both / either.clamp(min=1)).tolist(), strict=True):
            self.scores[kind].append((self.sets[k], score))

    def on_validation_epoch_end(self) -> None:
        means = []
        for kind, scores in self.scores.items():
            for name in sorted(set(self.sets)):
                mean = float(np.mean([score for own, score in scores if own == name]))
                self.log(f"val/{kind}_{name}", mean)
                means.append(mean)
        self.log(self.monitor, float(np.mean(means)), prog_bar=True)


class Progressive(L.Callback):
    """Draws new samples every epoch, and larger ones towards the end."""

    def __init__(self, samples: ContourSamples, config: TrainConfig) -> None:
        self.samples, self.config = samples, config

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        start = round(self.config.contour.epochs * (1 - self.config.final_share))
        self.samples.epoch = trainer.current_epoch
        self.samples.size = self.config.final_size if trainer.current_epoch >= start else self.config.size


def contour_data(
    config: TrainConfig, train: Packed, val: Packed
) -> tuple[ContourSamples, DataLoader, list[DataLoader]]:
    """Training samples, their loader, and validation loaders without and with a click."""
    stage = config.contour
    samples = ContourSamples(
        train,
        config.size,
        stage.samples,
        config.augment,
        config.click_share,
        config.pathology_share,
        config.seed,
        config.emphasis,
    )
    loader = DataLoader(samples, stage.batch, num_workers=config.workers, drop_last=True)
    truths = [DataLoader(ContourTruth(val, config.final_size, click), 8) for click in (False, True)]
    return samples, loader, truths
