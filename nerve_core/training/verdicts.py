"""Training of the verdict network on crops of single nerves: originals, shams and written-in pathology."""

from __future__ import annotations

import cv2
import lightning as L
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchmetrics.classification import BinaryAUROC

from nerve_core.data.augment import Augment, repaint
from nerve_core.data.dataset import sampling_weights
from nerve_core.data.packed import Packed
from nerve_core.data.pathology import affect, sham
from nerve_core.models.verdict import VerdictNet, crop_window, cut, normalise_crop
from nerve_core.training.config import TrainConfig
from nerve_core.training.depthwise import QuickDepthwise
from nerve_core.training.loop import StagedModule

SHARES = {"affected": 0.5, "sham": 0.25, "original": 0.25}
"""Composition of the training crops: as many affected as not, and shams as common as originals."""

CLEAR = 0.5
"""Severity from which a case counts in the validation figure."""

Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class VerdictSamples(Dataset):
    """Crops of one nerve each with its label and severity.

    The nerve that was worked on is cropped; of an original any nerve. In training the contour is shaken,
    because in use it is predicted, and the crop's place, size and grey levels vary.

    Args:
        packed: healthy or presumably healthy scans with contours.
        count: samples an epoch.
        augment: None for fixed validation samples.
    """

    def __init__(self, packed: Packed, count: int, augment: Augment | None, seed: int = 0) -> None:
        self.packed, self.count, self.augment, self.seed = packed, count, augment, seed
        self.weights = sampling_weights(packed)
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        k = int(rng.choice(len(self.packed), p=self.weights))
        kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        image, nerve, severity = changed_nerve(self.packed, k, kind, rng)
        crop, soft = crop_sample(image, nerve, rng, self.augment)
        return (
            torch.from_numpy(normalise_crop(crop))[None],
            torch.from_numpy(soft)[None],
            torch.tensor(float(kind == "affected")),
            torch.tensor(severity, dtype=torch.float32),
        )


def changed_nerve(
    packed: Packed, k: int, kind: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """Image (uint8), mask of one nerve (uint8 0/1) and severity of an affected, sham or original scan."""
    image, mask, site = packed.images[k], packed.masks[k], packed.rows[k].get("site", "")
    if kind == "original":
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        large = [j for j in range(1, count) if stats[j, cv2.CC_STAT_AREA] >= 0.1 * stats[1:, cv2.CC_STAT_AREA].max()]
        return image, (labels == rng.choice(large)).astype(np.uint8), 0.0
    altered = (affect if kind == "affected" else sham)(image, mask * np.uint8(255), rng, site=site)
    return altered.image, (altered.changed > 127).astype(np.uint8), altered.severity


def crop_sample(
    image: np.ndarray, nerve: np.ndarray, rng: np.random.Generator, augment: Augment | None
) -> tuple[np.ndarray, np.ndarray]:
    """Crop of one nerve, uint8 and float32 mask, shaken when ``augment`` is given."""
    if augment is None:
        return cut(image, nerve, crop_window(nerve))
    nerve = shake(nerve, rng)
    x, y, side = crop_window(nerve)
    x, y = (x, y) + rng.uniform(-0.08, 0.08, 2) * side
    window = (float(x), float(y), side * float(np.exp(rng.uniform(-0.2, 0.25))))
    turn = np.deg2rad(rng.uniform(-augment.rotate, augment.rotate))
    crop, soft = cut(image, nerve, window, turn, bool(rng.random() < 0.5))
    return repaint(crop, rng, augment), soft


def shake(nerve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A contour as a network might draw it: a little larger, smaller or smoother, and displaced."""
    size = np.sqrt(nerve.sum())
    radius = int(round(abs(rng.normal(0, 0.05)) * size))
    if radius and rng.random() < 0.8:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        nerve_new = cv2.dilate(nerve, kernel) if rng.random() < 0.5 else cv2.erode(nerve, kernel)
        nerve = nerve_new if nerve_new.any() else nerve
    if rng.random() < 0.5:
        smooth = cv2.GaussianBlur(nerve.astype(np.float32), (0, 0), max(0.5, 0.06 * size))
        nerve = (smooth > 0.5).astype(np.uint8) if (smooth > 0.5).any() else nerve
    dx, dy = rng.normal(0, 0.03, 2) * size
    moved = cv2.warpAffine(nerve, np.array([[1, 0, dx], [0, 1, dy]]), nerve.shape[::-1], flags=cv2.INTER_NEAREST)
    return moved if moved.any() else nerve


class VerdictModule(StagedModule):
    """Cross-entropy on balanced classes; validated by the AUC of clear cases against originals and shams."""

    monitor = "val/auc"

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config.verdict)
        self.model = VerdictNet(config.pretrained).to(memory_format=torch.channels_last)
        self.auc = BinaryAUROC()

    def training_step(self, batch: Sample, _: int) -> torch.Tensor:
        crops, masks, labels, _severity = batch
        with QuickDepthwise():
            logits = self.model(crops, masks).float()
        loss = F.binary_cross_entropy_with_logits(logits, labels * 0.96 + 0.02)
        self.log("train/loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: Sample, _: int) -> None:
        crops, masks, labels, severity = batch
        counted = (labels == 0) | (severity >= CLEAR)
        self.auc.update(self.model(crops, masks).float()[counted], labels[counted].int())

    def on_validation_epoch_end(self) -> None:
        self.log(self.monitor, self.auc.compute(), prog_bar=True)
        self.auc.reset()


class Redraw(L.Callback):
    """New samples every epoch."""

    def __init__(self, samples: VerdictSamples) -> None:
        self.samples = samples

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.samples.epoch = trainer.current_epoch + 1


def verdict_data(
    config: TrainConfig, train: Packed, val: Packed
) -> tuple[VerdictSamples, DataLoader, DataLoader]:
    """Training samples, their loader, and a fixed validation loader."""
    stage = config.verdict
    samples = VerdictSamples(train, stage.samples, config.augment, config.seed)
    loader = DataLoader(samples, stage.batch, num_workers=config.workers, drop_last=True)
    fixed = VerdictSamples(val, max(300, 3 * len(val)), None, config.seed)
    kept = [fixed[index] for index in range(len(fixed))]
    return samples, loader, DataLoader(kept, 32)
