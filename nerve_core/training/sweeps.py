"""Training of contour networks over sweeps: stacks of neighbouring frames instead of single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from nerve_core.data.augment import Augment, repaint, resample
from nerve_core.data.dataset import to_input
from nerve_core.data.packed import Packed
from nerve_core.errors import DataError
from nerve_core.imaging.click import random_click, thickest_point
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.models.checkpoint import load_sweep_network, save_checkpoint
from nerve_core.models.temporal import SWEEPS, build_sweeps
from nerve_core.training import run
from nerve_core.training.config import TrainConfig
from nerve_core.training.depthwise import QuickDepthwise
from nerve_core.training.loop import Redraw, StagedModule, fit
from nerve_core.training.losses import ContourLoss

FRAMES = 8
"""Frames of a training sample."""

NERVE = 2
"""Class of a nerve in a mask that is resampled: not 1, which would centre each frame on its own nerve."""

Stack = tuple[torch.Tensor, torch.Tensor]
"""float32 input (2, T, S, S) and target (1, T, S, S)."""


def sweeps_of(packed: Packed) -> list[list[int]]:
    """Indices of the frames of each sweep, in their order; scans of a single frame are left out."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(packed.rows):
        if row.get("frame"):
            found.setdefault(row["image"], []).append(index)
    return [sorted(own, key=lambda k: int(packed.rows[k]["frame"])) for own in found.values() if len(own) > 1]


def to_stack(
    packed: Packed,
    frames: Sequence[int],
    size: int,
    rng: np.random.Generator,
    how: Augment | None,
    clicked: bool,
) -> Stack:
    """Frames as a network over sweeps sees them, all of them moved and repainted alike.

    Args:
        frames: indices of entries.
        size: side, px.
        rng: of every random choice.
        how: strength of the changes; None makes none.
        clicked: point at the nerve in one frame: with changes at a random place in any frame that shows it,
            without at its thickest in the middle one of those.
    """
    seed = rng.integers(2**32)
    inputs, targets = [], []
    shown: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for index in frames:
        same = np.random.default_rng(seed)
        image, mask, valid = resample(packed.images[index], packed.masks[index] * NERVE, size, same, how)
        shown.append(
            (image if how is None else repaint(image, same, how), (mask == NERVE) * np.uint8(1), valid)
        )
    present = [k for k, (_, mask, _) in enumerate(shown) if mask.any()]
    chosen = -1
    if clicked and present:
        chosen = present[len(present) // 2] if how is None else int(rng.choice(present))
    for k, (image, mask, valid) in enumerate(shown):
        click = None
        if k == chosen:
            click = thickest_point(mask) if how is None else random_click(mask, rng)
        inputs.append(to_input(image, valid, click))
        targets.append(torch.from_numpy(mask[None].astype(np.float32)))
    return torch.stack(inputs, 1), torch.stack(targets, 1)


class SweepSamples(Dataset):
    """Augmented stacks of neighbouring frames, forwards or backwards, every sweep alike.

    Args:
        packed: images and masks, frame by frame.
        size: side of the network's input, px.
        count: samples an epoch.
        frames: of a sample; of a shorter sweep, all there are, the last one repeated.
        augment: strength of the augmentation.
        click_share: share of samples with a click in one frame.
        seed: of every random choice.
    """

    def __init__(
        self,
        packed: Packed,
        size: int,
        count: int,
        frames: int,
        augment: Augment,
        click_share: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.packed, self.size, self.count, self.frames = packed, size, count, frames
        self.augment, self.click_share, self.seed = augment, click_share, seed
        self.sweeps = sweeps_of(packed)
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Stack:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        sweep = self.sweeps[int(rng.integers(len(self.sweeps)))]
        start = int(rng.integers(max(1, len(sweep) - self.frames + 1)))
        frames = sweep[start : start + self.frames]
        frames = [*frames, *frames[-1:] * (self.frames - len(frames))]
        if rng.random() < 0.5:
            frames = frames[::-1]
        clicked = rng.random() < self.click_share
        how = replace(self.augment, zoom=self.augment.click_zoom) if clicked else self.augment
        return to_stack(self.packed, frames, self.size, rng, how, clicked)


class SweepTruth(Dataset):
    """Whole sweeps as they are, with (``click=True``) or without a click in the middle, and their number."""

    def __init__(self, packed: Packed, size: int, click: bool) -> None:
        self.packed, self.size, self.click, self.sweeps = packed, size, click, sweeps_of(packed)

    def __len__(self) -> int:
        return len(self.sweeps)

    def __getitem__(self, index: int) -> Stack:
        rng = np.random.default_rng(0)
        return to_stack(self.packed, self.sweeps[index], self.size, rng, None, self.click)


def overlap(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Dice of each sweep over all its frames together, (N,); 1 where there is no nerve and none is found."""
    found, wanted = logits > 0, target > 0
    both, either = (found & wanted).flatten(1).sum(1), found.flatten(1).sum(1) + wanted.flatten(1).sum(1)
    return torch.where(either > 0, 2 * both / either.clamp(min=1), 1.0)


class SweepModule(StagedModule):
    """The config's loss on stacks; validated by the mean Dice of whole sweeps, without and with a click."""

    monitor = "val/dice"

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config.contour)
        self.model = build_sweeps(config.architecture, config.pretrained)
        self.loss = ContourLoss(config)

    def training_step(self, batch: Stack, _: int) -> torch.Tensor:
        inputs, target = batch
        with QuickDepthwise():
            logits = self.model(inputs).float()
        # Frame by frame, so that a frame without the nerve counts as one.
        loss = self.loss(*(values.transpose(1, 2).flatten(0, 1) for values in (logits, target)))
        self.log("train/loss", loss, on_epoch=True, on_step=False, prog_bar=True, batch_size=len(inputs))
        return loss

    def on_validation_epoch_start(self) -> None:
        self.scores: dict[str, list[float]] = {"plain": [], "clicked": []}

    def validation_step(self, batch: Stack, _: int, dataloader_idx: int = 0) -> None:
        kind = ("plain", "clicked")[dataloader_idx]
        self.scores[kind] += overlap(self.model(batch[0]).float(), batch[1]).tolist()

    def on_validation_epoch_end(self) -> None:
        means = {kind: float(np.mean(scores)) for kind, scores in self.scores.items()}
        self.log_dict({f"val/{kind}": mean for kind, mean in means.items()})
        self.log(self.monitor, float(np.mean(list(means.values()))), prog_bar=True)


def train_sweeps(
    manifests: Sequence[str | Path],
    config: TrainConfig,
    folder: Path,
    licence: str = "any",
    frames: int = FRAMES,
    resume: bool = False,
) -> dict[str, Any]:
    """Train one network over sweeps, judge it on the sweeps held back, and write its checkpoint.

    Args:
        manifests: with rows of sweeps, as ``data phantoms --sweeps`` writes them; other rows are not used.
        config: ``architecture`` is a key of ``models.temporal.SWEEPS``; of the rest the general
            settings, those of the loss and ``contour`` are used.
        folder: takes ``model.safetensors`` and ``config.json``; the run is kept in ``runs/NAME/sweeps``.
        licence: ``open`` or ``any``.
        frames: of a training sample.
        resume: go on with a run that was cut short.

    Returns:
        The checkpoint's config; ``test`` holds the figures of :func:`figures_on` on the sweeps held back.

    Raises:
        DataError: there are too few sweeps, the architecture is unknown, or the run exists and is not to be
            resumed.
    """
    if config.architecture not in SWEEPS:
        raise DataError(
            f"{config.architecture!r} is no network over sweeps; choose one of {', '.join(sorted(SWEEPS))}."
        )
    if frames < 2:
        raise DataError(f"A stack needs at least 2 frames, got {frames}.")
    home = run.RUNS / config.name / "sweeps"
    if not resume and (home / "last.ckpt").exists():
        raise DataError(
            f"runs/{config.name} holds a run over sweeps already; resume it, or choose another name."
        )
    run.prepare(config)
    rows = run.training_rows(manifests, licence, config.leave_out)
    parts = {split: run.packed_split(rows, split) for split in ("train", "val", "test")}
    counts = {split: len(sweeps_of(packed)) for split, packed in parts.items()}
    if not all(counts.values()):
        raise DataError(
            "Too few sweeps: training, validation and test need some each, but there are "
            + ", ".join(f"{count} for {split}" for split, count in counts.items())
            + "; write more with data phantoms --sweeps."
        )
    stage = config.contour
    samples = SweepSamples(
        parts["train"], config.size, stage.samples, frames, config.augment, config.click_share, config.seed
    )
    loader = DataLoader(samples, stage.batch, num_workers=config.workers, drop_last=True)
    truths = [DataLoader(SweepTruth(parts["val"], config.size, click)) for click in (False, True)]
    fit(SweepModule(config), loader, truths, home, resume, [Redraw(samples)])
    weights, epochs = run.best_weights(home, every_class=True)
    model = build_sweeps(config.architecture, pretrained=False)
    model.load_state_dict(weights)
    description = {
        "name": config.name,
        "architecture": config.architecture,
        "frames": frames,
        "input_size": config.size,
        "preprocess": Preprocess(size=config.size).to_dict(),
        "training": config.to_dict() | run.without_paths(config),
        "sets": run.summary([row for row in rows if row["mask"]]),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "epochs": epochs,
        "sweeps": counts,
        "test": figures_on(model.eval(), parts["test"], config.size),
    }
    save_checkpoint(folder, model, description)
    return load_sweep_network(folder)[1]


def figures_on(model: torch.nn.Module, packed: Packed, size: int) -> dict[str, float]:
    """``n`` sweeps and their mean Dice: ``dice``, ``dice_click``, and ``dice_single`` frame by frame."""
    scores: dict[str, list[float]] = {"dice": [], "dice_click": [], "dice_single": []}
    plain, clicked = (SweepTruth(packed, size, click) for click in (False, True))
    with torch.inference_mode():
        for k in range(len(plain)):
            inputs, target = (part[None] for part in plain[k])
            scores["dice"] += overlap(model(inputs), target).tolist()
            single = torch.cat([model(frame) for frame in inputs.split(1, 2)], 2)
            scores["dice_single"] += overlap(single, target).tolist()
            inputs, target = (part[None] for part in clicked[k])
            scores["dice_click"] += overlap(model(inputs), target).tolist()
    return {"n": len(plain)} | {name: round(float(np.mean(own)), 4) for name, own in scores.items()}
