"""What both trainings share: optimiser, schedule, moving average, history, resume."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import lightning as L
import torch
from lightning.pytorch.callbacks import (
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import CSVLogger
from timm.optim import create_optimizer_v2
from torch.utils.data import DataLoader

from nerve_core.training.config import Stage
from nerve_core.training.teacher import Teacher


class Drawn(Protocol):
    """Samples that are drawn by the number of the epoch."""

    epoch: int


class StagedModule(L.LightningModule):
    """A module whose pace is set by a :class:`Stage`; a larger ``monitor`` is better."""

    monitor: str

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage

    def configure_optimizers(self) -> dict[str, Any]:
        stage = self.stage
        optimiser = create_optimizer_v2(
            self, opt=stage.optimiser, lr=stage.learning_rate, weight_decay=stage.weight_decay
        )
        if stage.schedule == "plateau":
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimiser, "max", 0.5, max(1, stage.patience // 2)
            )
            return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, "monitor": self.monitor}}
        steps = max(10, int(self.trainer.estimated_stepping_batches))
        # A warm-up of less than two steps would divide by zero on the smallest sets.
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, stage.learning_rate, total_steps=steps, pct_start=max(0.1, 2 / steps)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}


class Redraw(L.Callback):
    """New samples every epoch."""

    def __init__(self, samples: Drawn) -> None:
        self.samples = samples

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.samples.epoch = trainer.current_epoch + 1


def fit(
    module: StagedModule,
    train: Iterable,
    val: list[DataLoader] | DataLoader,
    folder: Path,
    resume: bool,
    callbacks: list[L.Callback],
) -> None:
    """Train and keep a checkpoint after every epoch.

    Args:
        train: loader of the training batches.
        val: loaders of what the best epoch is chosen by.
        folder: takes ``last.ckpt``, ``best.ckpt`` and ``history/version_*/metrics.csv``.
        resume: go on from ``last.ckpt`` when it is there.
    """
    best = ModelCheckpoint(folder, "best", monitor=module.monitor, mode="max", enable_version_counter=False)
    last = ModelCheckpoint(folder, "last", enable_version_counter=False)
    # The cycle ends at rate zero and the last epochs are at the final size: stopping early is for plateaus.
    patience = module.stage.patience if module.stage.schedule == "plateau" else module.stage.epochs
    trainer = L.Trainer(
        max_epochs=module.stage.epochs,
        accelerator="auto",
        devices=1,
        precision="bf16-mixed",
        gradient_clip_val=1.0,
        logger=CSVLogger(folder, name="history"),  # a resumed run adds a version, and deletes none
        callbacks=[
            best,
            last,
            Teacher(decay=module.stage.ema),
            EarlyStopping(module.monitor, mode="max", patience=patience),
            LearningRateMonitor(),
            *callbacks,
        ],
        num_sanity_val_steps=0,
        log_every_n_steps=20,
    )
    resumed = folder / "last.ckpt"
    trainer.fit(
        module, train, val, ckpt_path=resumed if resume and resumed.exists() else None, weights_only=False
    )
