"""One small contour training and its score, as the comparisons of data and methods repeat it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from nerve_core.data.manifest import Row
from nerve_core.evaluation.evaluate import score_rows
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.summary import CONTOUR_KEYS, click_figures, summarise
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.inference.backends import best_backend
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint
from nerve_core.training.config import TrainConfig
from nerve_core.training.run import RUNS, best_weights, train_contours, train_encoder, train_verdict


@contextmanager
def trained(rows: Sequence[Row], config: TrainConfig, judge: Path | None = None) -> Iterator[Predictor]:
    """Train the contour network on rows with a ``split``, resuming a run cut short; gives its predictor.

    Args:
        rows: to train on.
        config: of the contours.
        judge: checkpoint whose verdict network, calibration included, judges the nerves found; None leaves
            the verdict untrained.
    """
    home = RUNS / config.name
    if config.pretrain.epochs:
        train_encoder(rows, config, home, resume=True)
    train_contours(rows, config, home, resume=True)
    with tempfile.TemporaryDirectory() as folder:
        other, shipped = load_checkpoint(judge) if judge else (None, {})
        verdict = shipped.get("verdict_architecture", config.verdict_architecture)
        model = NerveNet(config.architecture, verdict=verdict)
        model.contour.load_state_dict(best_weights(home / "contour")[0])
        description = {
            "name": config.name,
            "version": "0",
            "architecture": config.architecture,
            "verdict_architecture": verdict,
            "preprocess": Preprocess(size=config.final_size).to_dict(),
        }
        if other is not None:
            model.verdict.load_state_dict(other.verdict.state_dict())
            description["calibration"] = shipped.get("calibration", {})
        save_checkpoint(Path(folder), model, description)
        yield Predictor(Path(folder), "cpu", best_backend("cpu"))


@contextmanager
def trained_verdict(rows: Sequence[Row], config: TrainConfig, outlines: Path) -> Iterator[Predictor]:
    """Train the verdict network alone, resuming a run cut short; gives its predictor, not calibrated.

    Args:
        rows: with a ``split``.
        config: of the verdict.
        outlines: checkpoint whose contour network finds the nerves.
    """
    home = RUNS / config.name
    train_verdict(rows, config, home, resume=True, outlines=outlines)
    other, shipped = load_checkpoint(outlines)
    model = NerveNet(shipped["architecture"], verdict=config.verdict_architecture)
    model.contour.load_state_dict(other.contour.state_dict())
    model.verdict.load_state_dict(best_weights(home / "verdict")[0])
    description = {key: value for key, value in shipped.items() if key != "calibration"}
    description["verdict_architecture"] = config.verdict_architecture
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(Path(folder), model, description | {"name": config.name, "version": "0"})
        yield Predictor(Path(folder), "cpu", best_backend("cpu"))


def contour_score(rows: Sequence[Row], predictor: Predictor, threads: int = 0) -> dict[str, Any]:
    """Contour figures of rows, without a click and (under ``click``) with one."""
    if threads:
        torch.set_num_threads(threads)
    scored = score_rows(rows, predictor, clicks=True, progress=on_stderr("scans"))
    figures = summarise(scored)
    return {key: figures[key] for key in CONTOUR_KEYS} | {"click": click_figures(scored)}
