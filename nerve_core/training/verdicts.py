"""Training of the verdict network on crops of single nerves: originals, shams and written-in pathology."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchmetrics.classification import BinaryAUROC

from nerve_core.data.augment import Augment, repaint
from nerve_core.data.nerve_bank import Drawer, NerveSample, build_bank
from nerve_core.data.packed import Packed
from nerve_core.errors import DataError
from nerve_core.models.verdict import crop_window, cut, normalise_crop
from nerve_core.models.verdicts import build_verdict
from nerve_core.training.config import TrainConfig
from nerve_core.training.depthwise import QuickDepthwise
from nerve_core.training.loop import StagedModule
from nerve_core.training.losses import VerdictLoss

VERSIONS = {"affected": 4, "sham": 2}
"""Versions of each training scan that are made beforehand; each is shaken afresh every time it is shown."""

CLEAR = 0.5
"""Severity from which a case counts in the validation figure."""

Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class VerdictSamples(Dataset):
    """Crops of one nerve each with its label and severity, shaken because in use the contour is predicted.

    Args:
        bank: single nerves.
        weights: how often each of them is drawn, see :func:`verdict_weights`.
        count: samples an epoch.
        augment: strength of the changes of place, size and grey levels.
        drawn_share: share of the nerves shown with the contour that a network drew of them.
        seed: of every random choice.
    """

    def __init__(
        self,
        bank: list[NerveSample],
        weights: np.ndarray,
        count: int,
        augment: Augment,
        drawn_share: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.bank, self.count, self.augment, self.seed = bank, count, augment, seed
        self.drawn_share = drawn_share
        self.weights = weights / weights.sum()
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        sample = self.bank[int(rng.choice(len(self.bank), p=self.weights))]
        drawn = sample.drawn is not None and rng.random() < self.drawn_share
        nerve = sample.drawn if drawn else shake(sample.nerve, rng)
        return to_sample(*crop_sample(sample.image, nerve, rng, self.augment), sample)


def verdict_weights(kinds: Sequence[str], sets: Sequence[str], affected_share: float) -> np.ndarray:
    """Probability of each nerve: the kinds by their shares, and in each the sets by the root of their size.

    Args:
        kinds: ``affected``, ``sham`` or ``original``.
        sets: names of the sets they come from.
        affected_share: share of the affected; the others share the rest alike.
    """
    healthy = set(kinds) - {"affected"}
    share = {kind: (1 - affected_share) / len(healthy) for kind in healthy} | {"affected": affected_share}
    size, common = Counter(sets), Counter(zip(sets, kinds, strict=True))
    weights = np.array(
        [size[name] ** 0.5 / common[name, kind] for name, kind in zip(sets, kinds, strict=True)]
    )
    for kind in set(kinds):
        own = np.array([one == kind for one in kinds])
        weights[own] *= share[kind] / weights[own].sum()
    return weights / weights.sum()


def by_label(packed: Packed) -> tuple[Packed, Packed]:
    """The scans in which a pathology can be written, and those labelled *affected*."""
    diseased = [row.get("label") == "affected" for row in packed.rows]
    return packed.select([not each for each in diseased]), packed.select(diseased)


def labelled_nerves(packed: Packed) -> list[NerveSample]:
    """Nerves of labelled scans, each under its scan's label, with no pathology written in.

    An affected scan that shows several nerves does not say which one is, so it is left out.
    """
    found: list[NerveSample] = []
    for sample in build_bank(packed, 0, 0, 0, workers=1):
        label = packed.rows[sample.row].get("label", "")
        alone = cv2.connectedComponents(packed.masks[sample.row])[0] == 2
        if label == "unaffected":
            found.append(sample)
        elif label == "affected" and alone:
            severity = float(packed.rows[sample.row].get("severity") or 1)
            found.append(replace(sample, kind="affected", severity=severity))
    return found


def to_sample(crop: np.ndarray, soft: np.ndarray, sample: NerveSample) -> Sample:
    """Crop, mask, label (1 for affected) and severity as tensors."""
    return (
        torch.from_numpy(normalise_crop(crop))[None],
        torch.from_numpy(soft)[None],
        torch.tensor(float(sample.kind == "affected")),
        torch.tensor(sample.severity, dtype=torch.float32),
    )


def crop_sample(
    image: np.ndarray, nerve: np.ndarray, rng: np.random.Generator, augment: Augment
) -> tuple[np.ndarray, np.ndarray]:
    """Crop of one nerve, displaced, turned and repainted: uint8 image and float32 mask."""
    x, y, side = crop_window(nerve)
    x, y = (x, y) + rng.uniform(-0.08, 0.08, 2) * side
    window = (float(x), float(y), side * float(np.exp(rng.uniform(-0.2, 0.25))))
    turn = np.deg2rad(rng.uniform(-augment.rotate, augment.rotate))
    crop, soft = cut(image, nerve, window, turn, bool(rng.random() < 0.5))
    return repaint(crop, rng, augment), soft


def shake(nerve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A contour as a network might draw it: a little larger, smaller or smoother, and displaced."""
    size = np.sqrt(nerve.sum())
    radius = round(abs(rng.normal(0, 0.05)) * size)
    if radius and rng.random() < 0.8:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        nerve_new = cv2.dilate(nerve, kernel) if rng.random() < 0.5 else cv2.erode(nerve, kernel)
        nerve = nerve_new if nerve_new.any() else nerve
    if rng.random() < 0.5:
        smooth = cv2.GaussianBlur(nerve.astype(np.float32), (0, 0), max(0.5, 0.06 * size))
        nerve = (smooth > 0.5).astype(np.uint8) if (smooth > 0.5).any() else nerve
    dx, dy = rng.normal(0, 0.03, 2) * size
    moved = cv2.warpAffine(
        nerve, np.array([[1, 0, dx], [0, 1, dy]]), nerve.shape[::-1], flags=cv2.INTER_NEAREST
    )
    return moved if moved.any() else nerve


class VerdictModule(StagedModule):
    """Cross-entropy on balanced classes; validated by the AUC of clear cases against originals and shams."""

    monitor = "val/auc"

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config.verdict)
        network = build_verdict(config.verdict_architecture, config.pretrained)
        self.model = network.to(memory_format=torch.channels_last)
        self.loss = VerdictLoss(config)
        self.auc = BinaryAUROC()

    def training_step(self, batch: Sample, _: int) -> torch.Tensor:
        crops, masks, labels, _severity = batch
        with QuickDepthwise():
            logits = self.model(crops, masks).float()
        loss = self.loss(logits, labels)
        self.log("train/loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: Sample, _: int) -> None:
        crops, masks, labels, severity = batch
        counted = (labels == 0) | (severity >= CLEAR)
        self.auc.update(self.model(crops, masks).float()[counted], labels[counted].int())

    def on_validation_epoch_end(self) -> None:
        self.log(self.monitor, self.auc.compute(), prog_bar=True)
        self.auc.reset()


def verdict_data(
    config: TrainConfig,
    train: Packed,
    val: Packed,
    cache: Path | None,
    made: Packed | None = None,
    drawer: Drawer | None = None,
) -> tuple[VerdictSamples, DataLoader, DataLoader]:
    """Training samples, their loader, and a fixed validation loader.

    Args:
        config: of the run.
        train, val: real scans. Pathology is written into those that are not labelled *affected*; those that
            are show their own.
        cache: folder for the nerves prepared from them.
        made: labelled scans that were simulated or generated, drawn by ``config.generated_share``.
        drawer: outlines the nerves as in use, for ``config.drawn_share`` of the samples and in validation.

    Raises:
        DataError: no scan is unaffected, or a share of generated nerves is asked for and there are none.
    """
    stage = config.verdict
    healthy, diseased = by_label(train)
    if not len(healthy):
        raise DataError(
            "Every scan is labelled affected; the verdict needs unaffected nerves beside them, so add some."
        )
    bank = build_bank(healthy, VERSIONS["affected"], VERSIONS["sham"], config.seed, cache, drawer=drawer)
    bank = [sample for sample in bank if config.shams or sample.kind != "sham"]
    sets = [healthy.rows[sample.row]["set"] for sample in bank]
    patients = labelled_nerves(diseased)
    bank, sets = bank + patients, sets + [diseased.rows[sample.row]["set"] for sample in patients]
    weights = verdict_weights([sample.kind for sample in bank], sets, config.affected_share)
    if config.generated_share:
        more = labelled_nerves(made) if made is not None else []
        if not {"affected", "original"} <= {sample.kind for sample in more}:
            raise DataError(
                "generated_share needs simulated or generated rows labelled affected and unaffected, with "
                "contours; add a manifest of such scans or set it to 0."
            )
        own = verdict_weights(
            [sample.kind for sample in more],
            [made.rows[sample.row].get("set", "") for sample in more],
            config.affected_share,
        )
        weights = np.concatenate([(1 - config.generated_share) * weights, config.generated_share * own])
        bank = [*bank, *more]
    samples = VerdictSamples(bank, weights, stage.samples, config.augment, config.drawn_share, config.seed)
    loader = DataLoader(samples, stage.batch, num_workers=config.workers, drop_last=True)
    healthy, diseased = by_label(val)
    fixed = build_bank(healthy, 2, 1, config.seed, cache, drawer=drawer) + labelled_nerves(diseased)
    seen = [(sample, sample.nerve if sample.drawn is None else sample.drawn) for sample in fixed]
    kept = [to_sample(*cut(sample.image, nerve, crop_window(nerve)), sample) for sample, nerve in seen]
    return samples, loader, DataLoader(kept, 32)
