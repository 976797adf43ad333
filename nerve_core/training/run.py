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
from nerve_core.data.balance import is_made
from nerve_core.data.check_duplicates import NONE, Fingerprints, near_duplicates
from nerve_core.data.manifest import Row, is_open, read_manifests
from nerve_core.data.packed import Packed, pack
from nerve_core.data.splits import assign
from nerve_core.data.unlabelled import read_images
from nerve_core.errors import DataError
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint
from nerve_core.models.segmentation import (
    OUTPUTS,
    count_classes,
    fit_classes,
    nerve_only,
)
from nerve_core.models.verdicts import Jury, newest
from nerve_core.training.checks import check_networks, check_start
from nerve_core.training.config import TrainConfig
from nerve_core.training.contours import ContourModule, Progressive, contour_data
from nerve_core.training.drawn import NetworkDrawer
from nerve_core.training.loop import Redraw, fit
from nerve_core.training.pretrain import PretrainModule, load_encoder, pretrain_data
from nerve_core.training.verdicts import VerdictModule, verdict_data

CACHE = ROOT / ".cache"
RUNS = ROOT / "runs"


def train(
    manifests: Sequence[str | Path],
    config: TrainConfig,
    licence: str,
    part: str,
    resume: bool,
    folder: Path,
    version: str,
) -> bool:
    """A whole run, kept in ``runs/NAME`` until contours and verdict are there.

    Args:
        manifests: what to train on; ``config.unlabelled`` adds scans without a contour.
        config: all settings.
        licence: ``open`` or ``any``.
        part: ``pretrain``, ``contour``, ``verdict`` or ``all``, which pre-trains where the config says so.
        resume: go on with a run that was cut short.
        folder: where the checkpoint goes.
        version: written into it.

    Returns:
        Whether the checkpoint was written.

    Raises:
        DataError: when there is nothing to train on, or the run exists and is not to be resumed.
    """
    if part == "pretrain" and not config.pretrain.epochs:
        raise DataError(
            'No pre-training is configured; set "pretrain": {"epochs": 10} or more in the config.'
        )
    check_networks(config)
    rows = training_rows(manifests, licence, config.leave_out, config.unlabelled)
    check_start(config.start, licence)
    home = RUNS / config.name
    parts = {"contour": train_contours, "verdict": train_verdict}
    if part == "pretrain" or (part == "all" and config.pretrain.epochs):
        parts = {"pretrain": train_encoder} | parts
    chosen = list(parts) if part == "all" else [part]
    if not resume and any((home / name / "last.ckpt").exists() for name in chosen):
        raise DataError(
            f"runs/{config.name} holds a run already; add --resume to go on, or choose another --name."
        )
    for name in chosen:
        parts[name](rows, config, home, resume)
    if not all((home / name / "best.ckpt").exists() for name in ("contour", "verdict")):
        return False
    write_checkpoint(home, rows, config, folder, version)
    return True


def training_rows(
    manifests: Sequence[str | Path],
    licence: str,
    leave_out: Sequence[str],
    unlabelled: Sequence[str | Path] = (),
) -> list[Row]:
    """Rows to train on, each with its ``split``.

    The split is made before sets are left out, so that the same scans are unseen in every run; only groups
    of which a near-copy is trained on then join the training. What a generator drew is for training alone.

    Args:
        manifests: with contours, or without for the rows that have none.
        licence: ``open`` leaves out what is for research only; ``any``.
        leave_out: names of sets.
        unlabelled: manifests whose scans join the training without their contours, unless they are held
            back.

    Raises:
        DataError: when nothing is left.
    """
    rows = read_manifests(manifests)
    rows = [{**row, "split": split} for row, split in zip(rows, assign(rows), strict=True)]
    rows = [row | {"split": "train"} if row.get("generated") == "1" else row for row in rows]
    rows = [row for row in rows if row.get("set") not in leave_out and (licence == "any" or is_open(row))]
    if not any(row["mask"] for row in rows):
        raise DataError(
            f"No contoured row with licence {licence!r} is left; add sets, or allow research-only ones "
            "with --licence any."
        )
    rows = copies_to_training(rows)
    free = [row for row in read_manifests(unlabelled) if licence == "any" or is_open(row)]
    return rows + bare(free, rows)


def copies_to_training(rows: Sequence[Row]) -> list[Row]:
    """The rows with every group on the training side of which a near-copy is trained on."""
    joining = copied_groups(pack([row for row in rows if row["mask"]], CACHE))
    return [row | {"split": "train"} if (row["set"], row["group"]) in joining else row for row in rows]


def bare(free: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Further rows for training, without their contours; those that are held back or there already go."""
    known = {row["image"] for row in rows}
    held = {(row["set"], row["group"]) for row in rows if row["split"] != "train"}
    return [
        row | {"mask": "", "mask_vessel": "", "split": "train"}
        for row in free
        if row["image"] not in known and (row["set"], row["group"]) not in held
    ]


def copied_groups(packed: Packed) -> set[tuple[str, str]]:
    """Set and group of all that is held back although a near-copy of it is trained on.

    Where people are not known, two groups can be one person scanned twice; figures on such a group would
    be too good. A group that joins the training may itself have copies, so this goes on until none is left.
    """
    prints = Fingerprints(len(packed))
    for index, image in enumerate(packed.images):
        prints.add(index, image)
    cluster = near_duplicates(prints)
    owner = [(row["set"], row["group"]) for row in packed.rows]
    trained = {key for key, row in zip(owner, packed.rows, strict=True) if row["split"] == "train"}
    joining: set[tuple[str, str]] = set()
    while True:
        seen = {cluster[k] for k, key in enumerate(owner) if key in trained | joining} - {NONE}
        more = {key for k, key in enumerate(owner) if cluster[k] in seen} - trained - joining
        if not more:
            return joining
        joining |= more


def packed_split(rows: Sequence[Row], split: str) -> Packed:
    """The contoured rows of one split, decoded."""
    packed = pack(rows, CACHE)
    return packed.select([row["split"] == split for row in packed.rows])


def train_contours(
    rows: Sequence[Row],
    config: TrainConfig,
    folder: Path,
    resume: bool,
    callbacks: Sequence[L.Callback] = (),
) -> None:
    """Train the contour network, from a checkpoint, a pre-trained encoder or ImageNet weights.

    Args:
        rows: with a ``split``.
        config: of the run.
        folder: of the run.
        resume: go on with a training that was cut short.
        callbacks: told of the training beside those it always has.
    """
    prepare(config)
    train, val = (packed_split(rows, split) for split in ("train", "val"))
    wanted = config.consistency > 0 or config.augment.style_mix > 0
    free = [row for row in rows if not row["mask"] and row["split"] == "train"] if wanted else []
    samples, loader, truths = contour_data(config, train, val, (free, read_images(free)))
    learns_vessels = config.vessel_weight > 0 and any(vessel is not None for vessel in train.vessels)
    module = ContourModule(config, [row["set"] for row in val.rows], classes=1 + learns_vessels)
    begin(module.model, config.start, "contour")
    if encoder := encoder_of(config, folder):
        load_encoder(module.model, encoder)
    fit(module, loader, truths, folder / "contour", resume, [Progressive(samples, config), *callbacks])


def train_encoder(rows: Sequence[Row], config: TrainConfig, folder: Path, resume: bool) -> None:
    """Pre-train the contour network's encoder on the scans of all rows, contoured or not."""
    prepare(config)
    train, val = (packed_split(rows, split) for split in ("train", "val"))
    free = [row for row in rows if not row["mask"] and row["split"] == "train"]
    every = ([*train.rows, *free], [*train.images, *read_images(free)])
    samples, loader, held = pretrain_data(config, every, (val.rows, val.images))
    fit(PretrainModule(config), loader, held, folder / "pretrain", resume, [Redraw(samples)])


def encoder_of(config: TrainConfig, home: Path) -> Path | None:
    """The pre-trained encoder that the contours start from: the one named, else the run's own."""
    if config.start_encoder:
        return Path(config.start_encoder)
    own = home / "pretrain" / "best.ckpt"
    return own if own.is_file() and not config.start else None


def train_verdict(
    rows: Sequence[Row],
    config: TrainConfig,
    folder: Path,
    resume: bool,
    outlines: Path | None = None,
    callbacks: Sequence[L.Callback] = (),
) -> None:
    """Train the verdict network on real scans.

    Phantoms and generated scans, whose pathology is of another make, join by ``generated_share`` alone.

    Args:
        rows: with a ``split``.
        config: of the verdict.
        folder: of the run.
        resume: go on with a training that was cut short.
        outlines: checkpoint that draws the contours to learn from; by default the run's own contour network,
            else that of ``config.start``.
        callbacks: told of the training beside those it always has.
    """
    prepare(config)
    real = [row for row in rows if not is_made(row)]
    train, val = (packed_split(real, split) for split in ("train", "val"))
    labelled = [row for row in rows if is_made(row) and row["mask"] and row["split"] == "train"]
    made = pack(labelled, CACHE) if labelled and config.generated_share else None
    drawer = drawer_of(config, folder, outlines) if config.drawn_share else None
    samples, loader, truth = verdict_data(config, train, val, CACHE, made, drawer)
    module = VerdictModule(config)
    begin(module.model, config.start, "verdict")
    fit(module, loader, truth, folder / "verdict", resume, [Redraw(samples), *callbacks])


def drawer_of(config: TrainConfig, home: Path, outlines: Path | None = None) -> NetworkDrawer | None:
    """Draws contours as in use: by the network of ``outlines``, else the run's, else the start's."""
    if outlines is None and (home / "contour" / "best.ckpt").is_file():
        weights = best_weights(home / "contour")[0]
        return NetworkDrawer(config.architecture, weights, config.final_size)
    source = outlines or (Path(config.start) if config.start else None)
    if source is None:
        return None
    model, described = load_checkpoint(source)
    size = described.get("input_size", config.final_size)
    return NetworkDrawer(described["architecture"], model.contour.state_dict(), size)


def begin(model: torch.nn.Module, start: str, part: str) -> None:
    """Load the weights of one part of a checkpoint, when there is one to start from.

    A single verdict network starts from the newest where the checkpoint has several.

    Raises:
        DataError: when the checkpoint's network is another one.
    """
    if not start:
        return
    network = getattr(load_checkpoint(Path(start), every_class=True)[0], part)
    if part == "verdict" and not isinstance(model, Jury):
        network = newest(network)
    weights = network.state_dict()
    try:
        model.load_state_dict(fit_classes(weights, model) if part == "contour" else weights)
    except (RuntimeError, KeyError):
        setting = "architecture" if part == "contour" else "verdict_architecture"
        raise DataError(
            f"The {part} network of {Path(start).name} is another one than {setting} names; give both the "
            "same, or leave start out."
        ) from None


def prepare(config: TrainConfig) -> None:
    """Seed everything and share the cores between torch and the workers."""
    L.seed_everything(config.seed, workers=True, verbose=False)
    cv2.setNumThreads(0)
    if config.threads:
        torch.set_num_threads(config.threads)


def write_checkpoint(
    home: Path, rows: Sequence[Row], config: TrainConfig, folder: Path, version: str
) -> None:
    """Save the best weights of both parts, with all that the card and later figures need to know."""
    found = {part: best_weights(home / part, every_class=True) for part in ("contour", "verdict")}
    model = NerveNet(
        config.architecture, classes=count_classes(found["contour"][0]), verdict=config.verdict_architecture
    )
    for part, (weights, _) in found.items():
        getattr(model, part).load_state_dict(weights)
    used_bare = config.consistency > 0 or config.pretrain.epochs > 0 or config.start_encoder
    free = [row for row in rows if not row["mask"] and row["split"] == "train"] if used_bare else []
    rows = [row for row in rows if row["mask"]]
    real = [row for row in rows if not is_made(row)]
    groups = {
        split: sorted({row["group"] for row in rows if row["split"] == split}) for split in ("val", "test")
    }
    description = {
        "name": config.name,
        "version": version,
        "architecture": config.architecture,
        "verdict_architecture": config.verdict_architecture,
        "input_size": config.final_size,
        "preprocess": Preprocess(size=config.final_size).to_dict(),
        "sites": sorted({row.get("site", "") for row in real} - {""}),
        "nerves": sorted({row.get("nerve", "") for row in real} - {""}),
        "sets": summary(rows),
        "unlabelled": summary(free),
        "training": config.to_dict() | without_paths(config),
        "outputs": list(OUTPUTS[: count_classes(found["contour"][0])]),
        "epochs": {part: epochs for part, (_, epochs) in found.items()},
        "split": groups,
    }
    save_checkpoint(folder, model, description)


def without_paths(config: TrainConfig) -> dict[str, str | list[str]]:
    """The settings that hold paths, which say where things lie on one machine, with names instead."""
    return {
        "start": Path(config.start).name,
        "start_encoder": Path(config.start_encoder).name,
        "unlabelled": [
            path.parent.name if path.stem == "manifest" else path.stem
            for path in map(Path, config.unlabelled)
        ],
    }


def best_weights(folder: Path, every_class: bool = False) -> tuple[dict[str, torch.Tensor], int]:
    """Averaged weights of the best epoch of one part, and how many epochs they took.

    Args:
        every_class: also what a contour network learned besides the nerve.
    """
    stored = torch.load(folder / "best.ckpt", map_location="cpu", weights_only=False)
    state = stored["state_dict"].items()  # of the network, and of what a loss or a figure keeps
    weights = {name.removeprefix("model."): tensor for name, tensor in state if name.startswith("model.")}
    return weights if every_class else nerve_only(weights), stored["epoch"] + 1


def summary(rows: Sequence[Row]) -> list[dict[str, str | int]]:
    """What was trained on, set by set: images and groups by split, and the licences."""
    found = []
    for name in sorted({row["set"] for row in rows}):
        own = [row for row in rows if row["set"] == name]
        images = {split: sum(row["split"] == split for row in own) for split in ("train", "val", "test")}
        licences = sorted({row.get("licence", "") or "not stated" for row in own})
        found.append(
            {"set": name, **images, "groups": len({r["group"] for r in own}), "licence": "; ".join(licences)}
        )
    return found
