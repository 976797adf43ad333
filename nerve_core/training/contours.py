"""Training of the contour network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities import CombinedLoader
from torch.utils.data import DataLoader

from nerve_core.data.dataset import ContourSamples, ContourTruth
from nerve_core.data.manifest import Row
from nerve_core.data.packed import Packed
from nerve_core.data.unlabelled import Unlabelled, WeakAndStrong
from nerve_core.errors import DataError
from nerve_core.models.segmentation import build
from nerve_core.training.adversarial import ContourCritic
from nerve_core.training.config import TrainConfig
from nerve_core.training.depthwise import QuickDepthwise
from nerve_core.training.loop import StagedModule
from nerve_core.training.losses import ContourLoss
from nerve_core.training.teacher import Teacher, consistency_loss, ramp

Batch = tuple[torch.Tensor, ...]
Beside = TypeVar("Beside", bound=L.Callback)


class ContourModule(StagedModule):
    """The config's loss on contours, with the critic's term where it has a weight, and on scans without any
    the teacher's consistency; validated by the mean Dice of each set, clicks apart.

    A batch is inputs and targets, or with ``consistency`` a dict of such a pair (``labelled``) and of weak
    views, strong views and validity (``unlabelled``).

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
        self.loss = ContourLoss(config)
        self.config = config
        self.sets = sets
        self.scores: dict[str, list[tuple[str, float]]] = {}

    def configure_callbacks(self) -> list[L.Callback]:
        """The critic, where the config gives its term a weight."""
        return [ContourCritic()] if self.config.adversarial_weight else []

    def training_step(self, batch: Batch | dict[str, Batch], _: int) -> torch.Tensor:
        inputs, target = batch["labelled"] if isinstance(batch, dict) else batch
        count = len(inputs)
        guided = isinstance(batch, dict) and self.config.consistency > 0
        if guided:
            weak, strong, valid = batch["unlabelled"]
            inputs = torch.cat([inputs, strong])
        with QuickDepthwise():
            logits = self.model(inputs.contiguous(memory_format=torch.channels_last)).float()
        logits, free = logits[:count], logits[count:, :1]
        loss = self.loss(logits[:, :1], target[:, :1])
        known = target[:, 1, 0, 0] >= 0
        if logits.shape[1] > 1 and known.any():
            loss = loss + self.config.vessel_weight * self.loss(logits[known, 1:], target[known, 1:])
        if self.config.adversarial_weight:
            shape = self._beside(ContourCritic).term(inputs[:count], logits[:, :1].sigmoid(), target[:, :1])
            self.log("train/shape", shape, on_epoch=True, on_step=False, batch_size=count)
            loss = loss + self.config.adversarial_weight * shape
        if guided:
            steps = int(self.config.consistency_ramp * self.trainer.estimated_stepping_batches)
            weight = self.config.consistency * ramp(self.global_step, steps)
            apart = consistency_loss(free, self._beside(Teacher).chances(weak), valid, self.config.confidence)
            self.log("train/consistency", apart, on_epoch=True, on_step=False, batch_size=count)
            loss = loss + weight * apart
        self.log("train/loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=count)
        return loss

    def _beside(self, kind: type[Beside]) -> Beside:
        """The trainer's callback of a kind."""
        return next(one for one in self.trainer.callbacks if isinstance(one, kind))

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

    def __init__(self, samples: Sequence[ContourSamples | Unlabelled], config: TrainConfig) -> None:
        self.samples, self.config = samples, config

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        start = round(self.config.contour.epochs * (1 - self.config.final_share))
        for samples in self.samples:
            samples.epoch = trainer.current_epoch
            samples.size = self.config.final_size if trainer.current_epoch >= start else self.config.size


def contour_data(
    config: TrainConfig,
    train: Packed,
    val: Packed,
    free: tuple[Sequence[Row], Sequence[np.ndarray]] = ((), ()),
) -> tuple[list[ContourSamples | Unlabelled], Iterable, list[DataLoader]]:
    """Training samples, their loader, and validation loaders without and with a click.

    Args:
        config: of the run.
        train, val: scans with contours.
        free: rows and images of scans without a contour; used where ``config.consistency`` is above 0 and,
            for their look, by ``config.augment.style_mix``.

    Raises:
        DataError: consistency is asked for and there is no scan without a contour.
    """
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
        config.balance,
        config.affected_weight,
        free[1],
    )
    every: list[ContourSamples | Unlabelled] = [samples]
    loader: Iterable = DataLoader(samples, stage.batch, num_workers=config.workers, drop_last=True)
    if config.consistency:
        if not free[0]:
            raise DataError(
                "consistency needs scans without a contour; name manifests under unlabelled, or set it to 0."
            )
        others = WeakAndStrong(free[1], free[0], config.size, stage.samples, config.augment, config.seed)
        every.append(others)
        further = DataLoader(others, stage.batch, num_workers=config.workers, drop_last=True)
        loader = CombinedLoader({"labelled": loader, "unlabelled": further}, "min_size")
    truths = [DataLoader(ContourTruth(val, config.final_size, click), 8) for click in (False, True)]
    return every, loader, truths
