"""Search for better training settings: a grid or Optuna's samplers, poor trials cut short, resumable."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import optuna
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from nerve_core.errors import DataError
from nerve_core.training.checks import check_networks
from nerve_core.training.config import TrainConfig
from nerve_core.training.run import RUNS, train_contours, train_verdict, training_rows
from nerve_core.training.search_space import Space, changed, choices, suggest

PARTS: dict[str, Callable[..., None]] = {"contour": train_contours, "verdict": train_verdict}
"""Parts whose settings can be searched."""

SAMPLERS: dict[str, Callable[[Space, int], BaseSampler]] = {
    "tpe": lambda space, seed: TPESampler(seed=seed, multivariate=True),
    "random": lambda space, seed: RandomSampler(seed=seed),
    "grid": lambda space, seed: GridSampler(choices(space), seed=seed),
}
"""Ways to choose the next trial (TPE: Bergstra 2011)."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        config: the base with the best trial's settings.
        value: its best validation figure, the mean Dice of the contours or the area under the curve of the
            verdict.
        settings: of the best trial, by dotted name.
        importance: share of the figures' spread that goes with each setting, 0 to 1; empty for fewer than
            two whole trials or settings.
        trials: how many were trained, those cut short included.
    """

    config: TrainConfig
    value: float
    settings: dict[str, Any]
    importance: dict[str, float]
    trials: int


def search(
    manifests: Sequence[str | Path],
    base: TrainConfig,
    space: Space,
    study: Path,
    *,
    part: str = "contour",
    sampler: str = "tpe",
    trials: int = 20,
    licence: str = "any",
    report: Report = print,
) -> Found:
    """Train one part again and again with other settings, judged on the validation groups.

    Every trial is as long as ``base`` says; from the second epoch on one that is below the median of the
    trials before it at the same epoch is cut short (Golovin 2017). The study is a file: the same call goes on
    with it, and a trial that was interrupted with it goes on after its last finished epoch.

    Args:
        manifests: what to train on.
        base: settings that are not searched.
        space: settings that are, see :data:`nerve_core.training.search_space.Space`.
        study: SQLite file of the study.
        part: key of ``PARTS``.
        sampler: key of ``SAMPLERS``; ``grid`` ends when every combination was trained.
        trials: altogether, those of earlier calls included.
        licence: ``open`` or ``any``.
        report: takes a line about each trial.

    Raises:
        DataError: the study is of another search or cannot be used, or the space does not fit.
    """
    check_networks(base)
    rows = training_rows(manifests, licence, base.leave_out)
    about = {"part": part, "space": dict(space), "base": base.to_dict() | {"name": ""}}
    about["scans"] = sorted({row["set"] for row in rows})
    with _opened(study, about) as opened:
        _take_up(opened)
        left = trials - _finished(opened)
        opened.sampler = SAMPLERS[sampler](space, base.seed + len(opened.trials))

        def objective(trial: optuna.Trial) -> float:
            settings = suggest(trial, space)
            config = changed(base, settings)
            home = RUNS / f"search-{base.name}" / _key(settings)
            report(f"trial {trial.number}: {_in_words(settings)}")
            try:
                PARTS[part](rows, config, home, resume=True, callbacks=[Pruning(trial)])
                value = best_score(home / part)
            except optuna.TrialPruned:
                report(f"trial {trial.number}: cut short")
                shutil.rmtree(home, ignore_errors=True)
                raise
            shutil.rmtree(home, ignore_errors=True)
            report(f"trial {trial.number}: {value:.4f}")
            return value

        if left > 0:
            opened.optimize(objective, n_trials=left)
        whole = opened.get_trials(states=(TrialState.COMPLETE,))
        if not whole:
            raise DataError("No trial was trained to its end; give more --trials.")
        best = opened.best_trial
        many = len(whole) > 1 and len(space) > 1
        importance = optuna.importance.get_param_importances(opened) if many else {}
        return Found(
            changed(base, best.params), float(best.value), dict(best.params), importance, _finished(opened)
        )


class Pruning(L.Callback):
    """Tells the study of every epoch's validation figure, and ends a trial that it gives up.

    Raises:
        optuna.TrialPruned: at the end of such an epoch.
    """

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.trial.report(float(trainer.callback_metrics[module.monitor]), trainer.current_epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def best_score(folder: Path) -> float:
    """Best validation figure of a training, from its ``last.ckpt``."""
    stored = torch.load(folder / "last.ckpt", map_location="cpu", weights_only=False)
    states = [
        state for name, state in stored["callbacks"].items() if name.startswith(ModelCheckpoint.__name__)
    ]
    return max(float(state["best_model_score"]) for state in states if state["best_model_score"] is not None)


@contextmanager
def _opened(path: Path, about: Mapping[str, Any]) -> Iterator[optuna.Study]:
    """The study in a file, begun where there is none."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        study = optuna.create_study(
            storage=storage,
            study_name="search",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
        )
    except (SQLAlchemyError, OSError, RuntimeError):
        raise DataError(f"{path} cannot be used as a study; choose another file with --study.") from None
    wanted = json.loads(json.dumps(about))
    if study.user_attrs.setdefault("about", wanted) != wanted:
        raise DataError(
            f"{path.name} is the study of another search (other settings, space or sets); choose another "
            "file with --study."
        )
    study.set_user_attr("about", wanted)
    try:
        yield study
    finally:
        storage.remove_session()


def _take_up(study: optuna.Study) -> None:
    """Queue again, once, what was under way when an earlier call was cut short."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):  # killed: nothing noted the end
        study.tell(trial.number, state=TrialState.FAIL)
    known = study.user_attrs.get("taken up", [])
    failed = [trial for trial in study.get_trials(states=(TrialState.FAIL,)) if trial.number not in known]
    for trial in failed:
        if trial.params:
            study.enqueue_trial(trial.params)
    study.set_user_attr("taken up", known + [trial.number for trial in failed])


def _finished(study: optuna.Study) -> int:
    return len(study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _key(settings: Mapping[str, Any]) -> str:
    """The same settings have the same folder, in which an interrupted trial is found again."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def _in_words(settings: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in settings.items()
    )


def write_config(config: TrainConfig, path: Path) -> None:
    """Write settings so that ``train --config`` takes them; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(dataclasses.asdict(config), indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
