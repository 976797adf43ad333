"""Every method of the benchmark by name: shipped weights, architectures trained small, classical methods."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nerve_core.config import settings
from nerve_core.data.manifest import Row
from nerve_core.errors import DataError
from nerve_core.evaluation.classical.deep import DeepFeatures
from nerve_core.evaluation.classical.method import Contour
from nerve_core.evaluation.classical.registry import CONTOUR_METHODS, method_of
from nerve_core.evaluation.classical.store import load_contour, load_verdict
from nerve_core.evaluation.classical.verdict import VERDICT_METHODS
from nerve_core.evaluation.scoring import Predicts
from nerve_core.evaluation.small_run import trained, trained_verdict
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Prediction
from nerve_core.inference.predictor import Predictor, get_predictor
from nerve_core.models.segmentation import ARCHITECTURES
from nerve_core.training.config import Stage, TrainConfig

WEIGHTS = "weights:"
"""Begins the name of a method that is a shipped or retrained checkpoint."""

VERDICT = "verdict:"
"""Begins the name of a classical verdict on the shipped weights' contours."""

VERDICT_NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "trap:shams": ("Verdict network, trained briefly, not calibrated", {}),
    "trap:no-shams": (
        "Verdict network, trained briefly without sham controls, not calibrated",
        {"shams": False},
    ),
    "plain_cnn": (
        "Plain CNN of three blocks, trained briefly, not calibrated",
        {"verdict_architecture": "plain_cnn"},
    ),
    "nerve_pooled_scratch": (
        "Verdict network from random weights, trained briefly, not calibrated",
        {"verdict_architecture": "nerve_pooled_scratch"},
    ),
}
"""Verdict networks trained here on the shipped contours: what each is, and what its training changes."""


@dataclass(frozen=True)
class Setup:
    """Size and length of every small training, the same for all architectures.

    Attributes:
        size: side of the input, px.
        steps: optimiser steps.
        batch: samples a step.
        pathology_share, click_share: as in :class:`nerve_core.training.config.TrainConfig`.
        threads: torch threads; 0 leaves the default. Not part of what is compared.
    """

    size: int = 128
    steps: int = 200
    batch: int = 16
    pathology_share: float = 0.15
    click_share: float = 0.35
    threads: int = 0

    def __str__(self) -> str:
        return f"{self.size} px, {self.steps} steps of {self.batch}"

    def config(self, architecture: str, seed: int, name: str) -> TrainConfig:
        """The training of one architecture."""
        epochs = 4 if self.steps % 4 == 0 else 1
        return TrainConfig(
            name=name,
            architecture=architecture,
            size=self.size,
            final_size=self.size,
            seed=seed,
            threads=self.threads,
            pathology_share=self.pathology_share,
            click_share=self.click_share,
            # The usual average of weights would still hold the untrained start after so short a run.
            contour=Stage(
                epochs=epochs, samples=self.steps // epochs * self.batch, batch=self.batch, ema=0.97
            ),
            verdict=Stage(
                epochs=epochs, samples=self.steps // epochs * 32, batch=32, learning_rate=1e-3, ema=0.97
            ),
        )


def known_methods() -> dict[str, str]:
    """Name of every method, and what it is."""
    shipped = sorted(path.parent.name for path in settings().checkpoints.glob("*/config.json"))
    return (
        {f"{WEIGHTS}{name}": f"The weights {name} as they ship" for name in shipped}
        | {name: one.title for name, one in ARCHITECTURES.items()}
        | {name: one.title for name, one in CONTOUR_METHODS.items()}
        | {f"{VERDICT}{name}": one.title for name, one in VERDICT_METHODS.items()}
        | {name: title for name, (title, _) in VERDICT_NETWORKS.items()}
    )


def check_methods(names: Sequence[str]) -> None:
    """DataError naming the first method there is none of."""
    known = known_methods()
    for name in names:
        if name not in known:
            raise DataError(f"There is no method {name!r}; choose from {', '.join(known)}.")


def is_trained_here(name: str) -> bool:
    """Whether the method is a network that the benchmark itself trains."""
    return name in ARCHITECTURES or name in VERDICT_NETWORKS


def is_network(name: str) -> bool:
    """Whether the method is a network with a verdict of its own, shipped or trained here."""
    return name.startswith(WEIGHTS) or is_trained_here(name)


def version_of(name: str) -> list[str]:
    """Version of the shipped weights named, so that newer ones are measured anew; else nothing."""
    config = settings().checkpoints / name.removeprefix(WEIGHTS) / "config.json"
    if not name.startswith(WEIGHTS) or not config.is_file():
        return []
    return [f"version {json.loads(config.read_text(encoding='utf-8'))['version']}"]


def tasks_of(name: str, tasks: Sequence[str]) -> list[str]:
    """Those of the tasks that say something of the method.

    A classical contour comes without a verdict, and a classical verdict has the shipped weights' contours.
    """
    if name.startswith(VERDICT) or name in VERDICT_NETWORKS:
        return [task for task in tasks if task == "verdict"]
    return [task for task in tasks if task != "verdict" or is_network(name)]


@dataclass(eq=False)
class NetworkContour(Contour):
    """The contours of shipped weights, for a classical verdict on them.

    Attributes:
        network: gives the contours.
    """

    network: Predictor | None = None

    def prepare(
        self, scan: Scan, click: tuple[float, float] | None = None, preprocess: Preprocess | None = None
    ) -> Prediction:
        """The network's own prediction; its verdict is not looked at."""
        return self.network.predict(scan, click, preprocess, gate=False)

    def contours(self, prepared: Prediction, params: None) -> tuple[np.ndarray, list[np.ndarray]]:
        """Its probability and the masks of its nerves."""
        count, labels = cv2.connectedComponents(prepared.mask)
        return prepared.probability, [(labels == k).astype(np.uint8) for k in range(1, count)]


@contextmanager
def ready(
    name: str, rows: Sequence[Row], setup: Setup, seed: int, run: str, classical: Path | None = None
) -> Iterator[Predicts]:
    """A method that can predict, trained on the training side of ``rows`` where it needs that.

    Args:
        name: of the method.
        rows: with a ``split``.
        setup: of small trainings.
        seed: of the training.
        run: name under which the training is kept and resumed.
        classical: folder with the fitted and tuned classical methods (``python -m benchmarks.classical``).

    Raises:
        DataError: an unknown method, or a classical one and no folder.
        CheckpointError: weights or a fitted method that are missing or damaged.
    """
    check_methods([name])
    shipped = settings().checkpoints / settings().weights
    if name.startswith(WEIGHTS):
        yield get_predictor(name.removeprefix(WEIGHTS))
    elif name in VERDICT_NETWORKS:
        config = replace(setup.config(TrainConfig.architecture, seed, run), **VERDICT_NETWORKS[name][1])
        with trained_verdict(rows, config, shipped) as predictor:
            yield predictor
    elif is_trained_here(name):
        with trained(rows, setup.config(name, seed, run), shipped) as predictor:
            yield predictor
    elif classical is None:
        raise DataError(
            f"{name} has to be fitted first; run python -m benchmarks.classical and give its folder."
        )
    elif name.startswith(VERDICT):
        verdict = load_verdict(classical, name.removeprefix(VERDICT), DeepFeatures(shipped))
        yield NetworkContour(name, None, None, verdict, get_predictor())
    else:
        yield load_contour(classical, name, get_predictor() if method_of(name).needs_network else None)
