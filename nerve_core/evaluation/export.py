"""Exports of some weights, each held against single precision on validation groups before it may be used."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from nerve_core.data.manifest import Row, is_simulated
from nerve_core.errors import DataError
from nerve_core.evaluation.calibration import judge
from nerve_core.evaluation.evaluate import chosen, read_rows, score_rows
from nerve_core.evaluation.progress import Progress
from nerve_core.evaluation.quantise import calibration_inputs
from nerve_core.inference.backends import CONTOUR, VERDICT, best_backend
from nerve_core.inference.export import EIGHT_BITS, EXPORTS
from nerve_core.inference.exports import CHECKS, FOLDER, check_backend, digest, networks
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import load_checkpoint

DICE_LOSS, AUC_LOSS = 0.005, 0.003
"""Most that an export may lose on validation groups."""


@dataclass(frozen=True)
class Quality:
    """Figures of one backend on validation groups.

    Attributes:
        dice, clicked: mean Dice without and with one click, each 0 to 1.
        auc: of the verdict on pathology written into the same scans and on shams.
        scans, nerves: numbers they rest on.
    """

    dice: float
    clicked: float
    auc: float
    scans: int
    nerves: int

    def loss(self, other: Quality) -> dict[str, float]:
        """What ``other`` lost against this: the larger of both Dice losses, and the AUC's."""
        dice = max(self.dice - other.dice, self.clicked - other.clicked)
        return {"dice_loss": round(dice, 5), "auc_loss": round(self.auc - other.auc, 5)}


def export(
    folder: Path,
    manifests: Sequence[str | Path],
    backends: Sequence[str],
    limit: int = 120,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """Write a checkpoint for other backends, check each, and keep those that lost too little to matter.

    The files go to ``FOLDER/exports`` beside ``checks.json``, all at once; what other backends had there
    stays. An export that fails is left out, and its check says so.

    Args:
        folder: of the checkpoint.
        manifests: the sets it was trained on; ranges are chosen on their training groups, losses measured
            on their validation groups.
        backends: keys of ``EXPORTS``.
        limit: most scans used for each of the two.
        progress: told after each backend.

    Returns:
        By backend ``dice_loss, auc_loss, passed`` and the figures of :class:`Quality`.

    Raises:
        DataError: an unknown backend, no scan to check with, or the files cannot be written.
        CheckpointError: the checkpoint cannot be used, or a backend is not installed.
    """
    for name in backends:
        if name not in EXPORTS:
            raise DataError(f"There is no export for {name!r}; choose from {', '.join(EXPORTS)}.")
        check_backend(name, "cpu")
    model, config = load_checkpoint(folder)
    reference = Predictor(folder, "cpu", best_backend("cpu"))
    real = [row for row in read_rows(list(manifests)) if row["mask"] and not is_simulated(row)]
    rows = chosen(real, split="val", limit=limit, config=config)
    inputs = calibration_inputs(reference, chosen(real, split="train", limit=limit, config=config))
    base = quality(reference, rows, manifests)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as made:
            trial = Path(made) / folder.name
            shutil.copytree(folder, trial)
            target = trial / FOLDER
            target.mkdir(exist_ok=True)
            stored = _stored(target, digest(folder))
            for done, name in enumerate(backends, start=1):
                for part, (network, examples) in zip(
                    (CONTOUR, VERDICT), networks(model, reference.preprocess.size), strict=True
                ):
                    for write in EXPORTS[name]:
                        if write in EIGHT_BITS and part != CONTOUR:
                            continue
                        write(network, examples, target / part, inputs)
                own = quality(Predictor(trial, "cpu", name), rows, manifests)
                lost = base.loss(own)
                passed = lost["dice_loss"] <= DICE_LOSS and lost["auc_loss"] <= AUC_LOSS
                stored[name] = {**lost, "passed": passed, **asdict(own)}
                if not passed and name.endswith("int8"):
                    for file in target.glob("*-int8.*"):
                        if (file.suffix == ".onnx") == name.startswith("onnx"):
                            file.unlink()
                if progress is not None:
                    progress(done, len(backends))
            text = json.dumps(
                {"weights": digest(folder), "single": asdict(base), "backends": stored}, indent=1
            )
            (target / CHECKS).write_text(text + "\n")
            _swap(target, folder / FOLDER)
    except OSError as fault:
        raise DataError(
            f"The export could not be written ({fault.strerror or type(fault).__name__}); free space "
            f"or check the rights of {folder.parent}. What was there is unchanged."
        ) from fault
    return {name: stored[name] for name in backends}


def quality(predictor: Predictor, rows: Sequence[Row], manifests: Sequence[str | Path]) -> Quality:
    """Contours and verdict of one backend on validation groups."""
    scored = [one for one in score_rows(rows, predictor, clicks=True) if one.answer and one.answer.contour]
    if not scored:
        raise DataError("No validation scan of these sets could be used, so an export cannot be checked.")
    judged = judge(predictor, manifests)
    return Quality(
        dice=round(float(np.mean([one.answer.contour.dice for one in scored])), 5),
        clicked=round(
            float(np.mean([one.click_answer.contour.dice for one in scored if one.click_answer])), 5
        ),
        auc=round(float(roc_auc_score(judged.labels, judged.logits)), 5),
        scans=len(scored),
        nerves=len(judged.labels),
    )


def _stored(folder: Path, weights: str) -> dict[str, Any]:
    """Checks of earlier exports of the same weights; exports of others are removed."""
    path = folder / CHECKS
    if path.is_file() and (kept := json.loads(path.read_text()))["weights"] == weights:
        return kept["backends"]
    shutil.rmtree(folder)
    folder.mkdir()
    return {}


def _swap(made: Path, target: Path) -> None:
    """Put a folder in the place of another; a stop in between leaves one of both."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.replace(target, old)
    os.replace(made, target)
    shutil.rmtree(old, ignore_errors=True)
