"""One command from manifests to a generator, with a resume point and a sample grid every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, Dataset, default_collate

from nerve_core.config import ROOT
from nerve_core.data.manifest import Row, is_open, is_simulated, read_manifests
from nerve_core.data.packed import pack
from nerve_core.data.splits import assign
from nerve_core.errors import DataError
from nerve_core.generative.adversarial import Adversarial
from nerve_core.generative.checkpoint import save_generator
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.cycle import Cycle
from nerve_core.generative.enhance import Enhance, EnhanceSamples
from nerve_core.generative.grids import ROWS, Grids
from nerve_core.generative.one_sided import OneSided
from nerve_core.generative.painting import Paint, PaintSamples
from nerve_core.generative.patches import UnpairedPatches

CACHE = ROOT / ".cache"
RUNS = ROOT / "runs"


def train_generator(
    manifests: Sequence[str | Path],
    config: GenerateConfig,
    licence: str,
    resume: bool,
    folder: Path,
) -> None:
    """Train on the training side of the split alone, and write the generator to ``folder``.

    The run itself (resume point, history, grids) is kept in ``runs/NAME``, which git ignores.

    Raises:
        DataError: when there is nothing to train on, or the run exists and is not to be resumed.
    """
    home = RUNS / config.name
    last = home / "last.ckpt"
    if last.exists() and not resume:
        raise DataError(f"runs/{config.name} holds a run already; add --resume or choose another --name.")
    rows = split_rows(manifests, licence)
    L.seed_everything(config.seed, workers=True, verbose=False)
    cv2.setNumThreads(0)
    if config.threads:
        torch.set_num_threads(config.threads)
    module, samples, held_back = prepare(rows, config)
    grid = default_collate([held_back[index] for index in range(min(ROWS, len(held_back)))])
    loader = DataLoader(samples, config.batch, num_workers=config.workers, drop_last=True)
    trainer = L.Trainer(
        max_epochs=config.epochs,
        accelerator="auto",
        devices=1,
        precision="bf16-mixed",
        logger=CSVLogger(home, name="history"),
        callbacks=[
            Redraw(samples),
            Grids(home / "grids", grid),
            ModelCheckpoint(home, "last", enable_version_counter=False),
        ],
        log_every_n_steps=20,
    )
    trainer.fit(module, loader, ckpt_path=last if resume and last.exists() else None, weights_only=False)
    save_generator(folder, module.average.module, description(rows, config))


class Redraw(L.Callback):
    """Other samples every epoch, the same ones again when a run is resumed."""

    def __init__(self, samples: Dataset) -> None:
        self.samples = samples

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.samples.epoch = trainer.current_epoch


def split_rows(manifests: Sequence[str | Path], licence: str) -> list[Row]:
    """Rows with a contour and the licence asked for, each with its ``split``.

    The split is made before rows are left out, so that the same scans are held back in every run.

    Raises:
        DataError: when nothing is left.
    """
    rows = read_manifests(manifests)
    rows = [{**row, "split": split} for row, split in zip(rows, assign(rows), strict=True)]
    rows = [row for row in rows if row["mask"] and (licence == "any" or is_open(row))]
    if not rows:
        raise DataError(
            f"No contoured row with licence {licence!r} is left; add sets, or allow research-only ones "
            "with --licence any."
        )
    return rows


def drawable_rows(manifests: Sequence[str | Path]) -> list[Row]:
    """Rows to draw from: all phantoms, and of real sets the training side alone.

    Were held-back scans drawn from, a network trained on the pictures would know what it is judged by.
    """
    rows = split_rows(manifests, "any")
    return [row for row in rows if is_simulated(row) or row["split"] == "train"]


def prepare(rows: Sequence[Row], config: GenerateConfig) -> tuple[Adversarial, Dataset, Dataset]:
    """The module, what it trains on, and held-back inputs for the grids.

    Raises:
        DataError: when real scans, or the phantoms that a translation needs, are missing.
    """
    reals = [row for row in rows if not is_simulated(row)]
    phantoms = [row for row in rows if is_simulated(row)]
    if not reals:
        raise DataError("There are no real scans among the rows; a generator learns their look from them.")
    if config.method == "paint":
        names = sorted({row["set"] for row in reals})
        train, held = (
            PaintSamples(pack(_side(reals, side), CACHE), names, config, moved)
            for side, moved in (("train", True), ("val", False))
        )
        return Paint(config, len(names)), train, held
    if config.method == "enhance":
        train, held = (
            EnhanceSamples(pack(_side(rows, side), CACHE), config, count)
            for side, count in (("train", config.samples), ("val", ROWS))
        )
        return Enhance(config), train, held
    if not phantoms:
        raise DataError("There are no phantoms (simulated 1) among the rows; make some: data phantoms.")
    parts = [
        (pack(_side(phantoms, side), CACHE), pack(_side(reals, side), CACHE)) for side in ("train", "val")
    ]
    train, held = (
        UnpairedPatches(*pair, config.side, config.patch, count, config.seed)
        for pair, count in zip(parts, (config.samples, ROWS), strict=True)
    )
    return {"one-sided": OneSided, "cycle": Cycle}[config.method](config), train, held


def _side(rows: Sequence[Row], side: str) -> list[Row]:
    """Rows of one side of the split, or those of training where a set is too small to hold any back."""
    return [row for row in rows if row["split"] == side] or list(rows)


def description(rows: Sequence[Row], config: GenerateConfig) -> dict[str, object]:
    """What is saved beside the weights: settings, and the sets learned from with their licences."""
    found = []
    for name in sorted({row["set"] for row in rows if not is_simulated(row)}):
        own = [row for row in rows if row["set"] == name and row["split"] == "train"]
        licences = sorted({row.get("licence", "") or "not stated" for row in own})
        found.append({"set": name, "images": len(own), "licence": "; ".join(licences)})
    return {"config": config.to_dict(), "sets": found}
