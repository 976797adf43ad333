"""One small contour training and its score, as the comparisons of data and methods repeat it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.regenerate import CONTOUR_KEYS, click_figures
from nerve_core.data.manifest import Row
from nerve_core.evaluation.evaluate import score_rows
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.summary import summarise
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import NerveNet, save_checkpoint
from nerve_core.training.config import TrainConfig
from nerve_core.training.run import RUNS, best_weights, train_contours, train_encoder


@contextmanager
def trained(rows: Sequence[Row], config: TrainConfig) -> Iterator[Predictor]:
    """Train the contour network on rows with a ``split``, resuming a run cut short; gives its predictor."""
    home = RUNS / config.name
    if config.pretrain.epochs:
        train_encoder(rows, config, home, resume=True)
    train_contours(rows, config, home, resume=True)
    with tempfile.TemporaryDirectory() as folder:
        model = NerveNet(config.architecture)
        model.contour.load_state_dict(best_weights(home / "contour")[0])
        description = {
            "name": config.name,
            "version": "0",
            "architecture": config.architecture,
            "preprocess": Preprocess(size=config.final_size).to_dict(),
        }
        save_checkpoint(Path(folder), model, description)
        yield Predictor(Path(folder), "cpu", "openvino")


def contour_score(rows: Sequence[Row], predictor: Predictor, threads: int = 0) -> dict[str, Any]:
    """Contour figures of rows, without a click and (under ``click``) with one."""
    if threads:
        torch.set_num_threads(threads)
    scored = score_rows(rows, predictor, clicks=True, progress=on_stderr("scans"))
    figures = summarise(scored)
    return {key: figures[key] for key in CONTOUR_KEYS} | {"click": click_figures(scored)}
