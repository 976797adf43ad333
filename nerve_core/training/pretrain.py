"""Pre-training of the contour network's encoder on scans alone, by what two views or two halves tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from monai.losses import BarlowTwinsLoss, ContrastiveLoss
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from nerve_core.data.manifest import Row
from nerve_core.data.unlabelled import TwoViews
from nerve_core.errors import DataError
from nerve_core.models.segmentation import build
from nerve_core.training.config import TrainConfig
from nerve_core.training.depthwise import QuickDepthwise
from nerve_core.training.loop import StagedModule

PATCH = 16
"""Side of the squares that ``masked`` hides, px."""

HIDDEN = 0.5
"""Share of them that it hides."""

ENCODER = "model.encoder."
"""What the encoder's weights are called in the file a pre-training leaves."""


class PretrainModule(StagedModule):
    """Learns an encoder without contours; validated by the negative loss on scans held back.

    ``contrastive``: views of one scan are alike, those of others are not (SimCLR, Chen 2020).
    ``barlow``: features of two views agree and say different things (Barlow Twins, Zbontar 2021).
    ``masked``: hidden squares are painted in from what is around them (SimMIM, Xie 2022).

    A batch is two views of each scan, float32 (N, 2, S, S).
    """

    monitor = "val/score"

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config.pretrain)
        model = build(config.architecture, config.pretrained)
        self.model = model.to(memory_format=torch.channels_last)
        self.method = config.pretrain_method
        if self.method != "masked":
            self.model.decoder, self.model.segmentation_head = nn.Identity(), nn.Identity()
            width = self.model.encoder.out_channels[-1]
            self.head = nn.Sequential(
                nn.Linear(width, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 128)
            )
            self.apart = ContrastiveLoss(0.1) if self.method == "contrastive" else BarlowTwinsLoss()

    def loss(self, views: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """A scalar, the smaller the better."""
        if self.method == "masked":
            return self._painted(views[0])
        both = torch.cat(views).contiguous(memory_format=torch.channels_last)
        features = self.model.encoder(both)[-1].float().mean((2, 3))
        return self.apart(*self.head(features).float().chunk(2))

    def _painted(self, inputs: torch.Tensor) -> torch.Tensor:
        count, _, height, width = inputs.shape
        grid = torch.rand(count, 1, height // PATCH, width // PATCH, device=inputs.device) < HIDDEN
        hidden = F.interpolate(grid.float(), size=(height, width))
        shown = torch.cat([inputs[:, :1] * (1 - hidden), inputs[:, 1:]], 1)
        painted = self.model(shown.contiguous(memory_format=torch.channels_last)).float()
        return ((painted - inputs[:, :1]).abs() * hidden).sum() / hidden.sum().clamp(min=1)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        with QuickDepthwise():
            loss = self.loss(batch)
        self.log("train/loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)  # the same squares are hidden after every epoch
            self.log(self.monitor, -self.loss(batch), prog_bar=True, batch_size=len(batch[0]))


def pretrain_data(
    config: TrainConfig,
    train: tuple[Sequence[Row], Sequence[np.ndarray]],
    val: tuple[Sequence[Row], Sequence[np.ndarray]],
) -> tuple[TwoViews, DataLoader, DataLoader]:
    """Training samples, their loader, and a loader of the same views of held-back scans every time.

    Args:
        config: of the run.
        train, val: rows and images; without any held back, the training scans take their place.
    """
    stage = config.pretrain
    samples = TwoViews(train[1], train[0], config.size, stage.samples, config.augment, config.seed)
    rows, images = val if val[0] else train
    held = TwoViews(
        images, rows, config.size, max(stage.batch, min(256, 2 * len(rows))), config.augment, config.seed + 1
    )
    return (
        samples,
        DataLoader(samples, stage.batch, num_workers=config.workers, drop_last=True),
        DataLoader(held, stage.batch, drop_last=True),
    )


def load_encoder(model: nn.Module, path: Path) -> None:
    """Give a contour network the encoder of a pre-training.

    Args:
        path: the pre-training's ``best.ckpt``, or the folder of the run that holds ``pretrain/best.ckpt``.

    Raises:
        DataError: there is none, or it is of another architecture.
    """
    if path.is_dir():
        path = path / "pretrain" / "best.ckpt"
    if not path.is_file():
        raise DataError(f"There is no pre-trained encoder at {path}; run train --part pretrain first.")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        weights = {n.removeprefix(ENCODER): t for n, t in stored.items() if n.startswith(ENCODER)}
        model.encoder.load_state_dict(weights)
    except (RuntimeError, KeyError, EOFError, ValueError, UnpicklingError):
        raise DataError(
            f"The pre-trained encoder {path.name} does not fit this architecture or is damaged; "
            "run train --part pretrain with the same architecture again."
        ) from None
