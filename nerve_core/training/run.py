"""One command from manifests to a checkpoint: contours, then the verdict, then the file that ships."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

# Read when torch is imported: freed activations stay with the process, at a third less time a step.
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "-1")

import cv2
import lightning as L
import torch

from nerve_core.config import ROOT
from nerve_core.data.manifest import Row, is_open, read_manifests
from nerve_core.data.packed import Packed, pack
from nerve_core.data.splits import assign
from nerve_core.errors import DataError
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.models.checkpoint import NerveNet, save_checkpoint
from nerve_core.training.config import TrainConfig
from nerve_core.training.contours import ContourModule, Progressive, contour_data
from nerve_core.training.loop import fit
from nerve_core.training.verdicts import Redraw, VerdictModule, verdict_data

CACHE = ROOT / ".cache"


def training_rows(manifests: Sequence[str | Path], licence: str, leave_out: Sequence[str]) -> list[Row]:
    """Rows to train on, each with its ``split``.

    The split is made before sets are left out, so that the same scans are unseen in every run.

    Raises:
        DataError: when nothing is left.
    """
    rows = read_manifests(manifests)
    rows = [{**row, "split": split} for row, split in zip(rows, assign(rows), strict=True)]
    rows = [row for row in rows if row.get("set") not in leave_out and (licence == "any" or is_open(row))]
    if not any(row["mask"] for row in rows):
        raise DataError(
            f"No contoured row with licence {licence!r} is left; add sets, or allow research-only ones "
            "with --licence any."
        )
    return rows


def packed_split(rows: Sequence[Row], split: str) -> Packed:
    """The contoured rows of one split, decoded."""
    packed = pack(rows, CACHE)
    return packed.select([row["split"] == split for row in packed.rows])


def train_contours(rows: Sequence[Row], config: TrainConfig, folder: Path, resume: bool) -> torch.nn.Module:
    """The contour network with its best averaged weights."""
    prepare(config)
    train, val = (packed_split(rows, split) for split in ("train", "val"))
    samples, loader, truths = contour_data(config, train, val)
    module = ContourModule(config, [row["set"] for row in val.rows])
    return fit(module, loader, truths, folder / "contour", resume, [Progressive(samples, config)]).model


def train_verdict(rows: Sequence[Row], config: TrainConfig, folder: Path, resume: bool) -> torch.nn.Module:
    """The verdict network with its best averaged weights."""
    prepare(config)
    train, val = (packed_split(rows, split) for split in ("train", "val"))
    samples, loader, truth = verdict_data(config, train, val)
    return fit(VerdictModule(config), loader, truth, folder / "verdict", resume, [Redraw(samples)]).model


def prepare(config: TrainConfig) -> None:
    """Seed everything and share the cores between torch and the workers."""
    L.seed_everything(config.seed, workers=True, verbose=False)
    cv2.setNumThreads(0)
    if config.threads:
        torch.set_num_threads(config.threads)


def write_checkpoint(
    contour: torch.nn.Module,
    verdict: torch.nn.Module,
    rows: Sequence[Row],
    config: TrainConfig,
    folder: Path,
    version: str,
) -> None:
    """Save both networks as one checkpoint, with all that its card and later figures need to know."""
    model = NerveNet(config.architecture)
    model.contour.load_state_dict(contour.state_dict())
    model.verdict.load_state_dict(verdict.state_dict())
    groups = {split: sorted({row["group"] for row in rows if row["split"] == split}) for split in ("val", "test")}
    description = {
        "name": config.name,
        "version": version,
        "architecture": config.architecture,
        "input_size": config.final_size,
        "preprocess": Preprocess(size=config.final_size).to_dict(),
        "sites": sorted({row.get("site", "") for row in rows} - {""}),
        "nerves": sorted({row.get("nerve", "") for row in rows} - {""}),
        "sets": summary(rows),
        "training": config.to_dict(),
        "split": groups,
    }
    save_checkpoint(folder, model, description)


def summary(rows: Sequence[Row]) -> list[dict[str, str | int]]:
    """What was trained on, set by set: images and groups by split, and the licences."""
    found = []
    for name in sorted({row["set"] for row in rows}):
        own = [row for row in rows if row["set"] == name]
        images = {split: sum(row["split"] == split for row in own) for split in ("train", "val", "test")}
        licences = sorted({row.get("licence", "") or "not stated" for row in own})
        found.append({"set": name, **images, "groups": len({r["group"] for r in own}), "licence": "; ".join(licences)})
    return found
