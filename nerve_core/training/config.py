"""Every setting of a training run in one place."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nerve_core.data.augment import Augment
from nerve_core.data.balance import BALANCES
from nerve_core.errors import DataError

LOSSES = ("dice+bce", "dice+focal", "dice+weighted", "tversky")
VERDICT_LOSSES = ("bce", "weighted", "focal")
METHODS = ("contrastive", "barlow", "masked")
SCHEDULES = ("onecycle", "plateau")

PRESETS = {"default": Augment, "minimal": Augment.minimal, "none": Augment.none}
"""Names that may stand for a whole ``augment`` in a config file."""


@dataclass(frozen=True)
class Stage:
    """Length and pace of one part of the training (pre-training, contours or verdict).

    Attributes:
        epochs: at most this many; 0 leaves the part out (pre-training only).
        samples: samples drawn an epoch.
        batch: samples a step.
        optimiser: any name of ``timm.optim`` (adamw, adam, radam, adabelief, adadelta, ...).
        learning_rate: peak.
        weight_decay: decoupled where the optimiser knows it.
        schedule: ``onecycle`` (warm-up, then cosine to zero) or ``plateau`` (halved when the validation
            figure has not risen for ``patience`` // 2 epochs).
        patience: early stopping after this many epochs without a better validation figure.
        ema: decay of the moving average of the weights, which is what is validated and shipped.
    """

    epochs: int
    samples: int
    batch: int = 16
    optimiser: str = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    schedule: str = "onecycle"
    patience: int = 8
    ema: float = 0.995

    def __post_init__(self) -> None:
        _whole("epochs", self.epochs, 0)
        _whole("batch", self.batch, 1)
        _whole("samples", self.samples, self.batch)
        _whole("patience", self.patience, 0)
        _between("learning_rate", self.learning_rate, 0, 10)
        _between("weight_decay", self.weight_decay, 0, 10)
        _between("ema", self.ema, 0, 1)
        _one_of("schedule", self.schedule, SCHEDULES)


@dataclass(frozen=True)
class TrainConfig:
    """A whole run.

    Attributes:
        name: of the checkpoint it writes.
        architecture: key of ``models.segmentation.ARCHITECTURES``.
        verdict_architecture: key of ``models.verdicts.VERDICTS``.
        size: side of the input in training, px; ``final_size`` replaces it for the last ``final_share``
            of the epochs and is the size shipped.
        start: checkpoint folder whose weights the training starts from; empty starts afresh.
        pretrained: start the encoders from the packaged ImageNet weights.
        click_share: share of samples with a click, at most 0.5.
        pathology_share: share of contour samples with a pathology or sham written in.
        vessel_weight: weight of the vessels' loss beside the nerve's, where a set marks vessels; 0 learns
            nerves alone. The network shipped finds nerves alone either way.
        loss: of the contours, one of ``LOSSES`` (:class:`nerve_core.training.losses.ContourLoss`).
        positive_weight: how many times a nerve's pixel counts in ``dice+weighted``.
        focal_gamma: how steeply the focal losses leave clear pixels and cases aside.
        tversky_missed: weight of missed pixels in ``tversky``, that of false ones being the rest to 1.
        verdict_loss: one of ``VERDICT_LOSSES`` (:class:`nerve_core.training.losses.VerdictLoss`).
        balance: how rows are drawn, one of :data:`nerve_core.data.balance.BALANCES`.
        emphasis: factor by which a set is drawn more often than ``balance`` alone would have it, by name.
        affected_weight: how much more often, within their set, contours of rows labelled *affected* are
            drawn.
        affected_share: share of affected nerves among the verdict's samples.
        shams: learn the verdict from sham controls too; without them it may learn the machinery that writes
            pathology instead of the pathology, which is worth showing and nothing else.
        drawn_share: share of the verdict's samples shown with the contour that the contour network drew, as
            in use, where it found the nerve; the others have the true one, shaken.
        generated_share: share of the verdict's samples taken from labelled rows that are simulated or
            generated (columns ``simulated`` and ``generated``).
        leave_out: names of sets not to train on at all.
        seed: of every random choice.
        workers: processes that prepare samples.
        threads: torch threads; 0 leaves the default.
        augment: strength of the augmentation.
        pretrain_method: one of ``METHODS`` (:mod:`nerve_core.training.pretrain`).
        start_encoder: file ``best.ckpt`` of a pre-training, or the folder of the run that holds it, whose
            encoder the contours start from; left empty, the run's own, when there is one.
        unlabelled: manifests of further scans to learn from without their contours, in pre-training and by
            ``consistency``.
        consistency: weight of the mean teacher's loss on scans without a contour; 0 leaves it out.
        consistency_ramp: share of the steps over which that weight rises to its full value.
        confidence: the teacher's pixels count where it gives at least this chance to either side.
        adversarial_weight: weight of the term by which a critic of contours is to take them for true ones
            (:mod:`nerve_core.training.adversarial`); 0 leaves it out.
        pretrain, contour, verdict: length and pace of the three parts; none of the first by default.
    """

    name: str = "research"
    architecture: str = "attention_unet_lite0"
    verdict_architecture: str = "nerve_pooled"
    size: int = 192
    final_size: int = 256
    final_share: float = 0.25
    start: str = ""
    pretrained: bool = True
    click_share: float = 0.35
    pathology_share: float = 0.15
    vessel_weight: float = 0.4
    loss: str = "dice+bce"
    positive_weight: float = 3.0
    focal_gamma: float = 2.0
    tversky_missed: float = 0.7
    verdict_loss: str = "bce"
    balance: str = "root"
    emphasis: dict[str, float] = field(default_factory=dict)
    affected_weight: float = 1.0
    affected_share: float = 0.5
    shams: bool = True
    drawn_share: float = 0.6
    generated_share: float = 0.0
    leave_out: tuple[str, ...] = ()
    seed: int = 0
    workers: int = 1
    threads: int = 0
    augment: Augment = field(default_factory=Augment)
    pretrain_method: str = "contrastive"
    start_encoder: str = ""
    unlabelled: tuple[str, ...] = ()
    consistency: float = 0.0
    consistency_ramp: float = 0.3
    confidence: float = 0.9
    adversarial_weight: float = 0.0
    pretrain: Stage = field(default_factory=lambda: Stage(epochs=0, samples=2400, batch=32))
    contour: Stage = field(default_factory=lambda: Stage(epochs=24, samples=1600))
    verdict: Stage = field(
        default_factory=lambda: Stage(epochs=20, samples=2400, batch=32, learning_rate=1e-3)
    )

    def __post_init__(self) -> None:
        _between("click_share", self.click_share, 0, 0.5)
        for name in ("final_share", "pathology_share", "tversky_missed", "drawn_share", "generated_share"):
            _between(name, getattr(self, name), 0, 1)
        _between("consistency_ramp", self.consistency_ramp, 0, 1)
        _between("affected_share", self.affected_share, 0.01, 0.99)
        _between("confidence", self.confidence, 0.5, 1)
        for name in ("vessel_weight", "consistency", "adversarial_weight", "focal_gamma"):
            _between(name, getattr(self, name), 0, 100)
        for name in ("positive_weight", "affected_weight"):
            _between(name, getattr(self, name), 0.01, 1000)
        for name in ("size", "final_size"):
            _whole(name, getattr(self, name), 32)
            if getattr(self, name) % 32:
                raise DataError(f"{name} must be a multiple of 32, got {getattr(self, name)}.")
        _one_of("loss", self.loss, LOSSES)
        _one_of("verdict_loss", self.verdict_loss, VERDICT_LOSSES)
        _one_of("balance", self.balance, BALANCES)
        _one_of("pretrain_method", self.pretrain_method, METHODS)
        for name in ("contour", "verdict"):
            _whole(f"{name}.epochs", getattr(self, name).epochs, 1)
        if self.start and self.start_encoder:
            raise DataError("start and start_encoder both say where the contours begin; give one of them.")
        if self.start and self.pretrain.epochs:
            raise DataError(
                "With start the contours begin at its weights and pre-training would be lost; leave one of "
                "them out."
            )

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_file(cls, path: str | Path, **changes: Any) -> TrainConfig:
        """Settings from a JSON file; missing ones take their default.

        Raises:
            DataError: when the file cannot be read or names an unknown setting.
        """
        try:
            values = json.loads(Path(path).read_text())
            if isinstance(values.get("augment"), str):
                _one_of("augment", values["augment"], tuple(PRESETS))
                values["augment"] = dataclasses.asdict(PRESETS[values["augment"]]())
            parts = {"augment": Augment, "pretrain": Stage, "contour": Stage, "verdict": Stage}
            for name, kind in parts.items():
                if name in values:
                    default = dataclasses.asdict(getattr(cls(), name))
                    values[name] = kind(**{**default, **values[name]})
            for name in ("leave_out", "unlabelled"):
                if not isinstance(values.get(name, []), list):
                    raise DataError(f"{name} must be a list, got {values[name]!r}.")
                values[name] = tuple(values.get(name, ()))
            return cls(**{**values, **changes})
        except OSError:
            raise DataError(f"The training config {path} cannot be read; check the path.") from None
        except (ValueError, TypeError) as error:
            raise DataError(f"The training config {path} is not valid: {error}.") from None


def _between(name: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high:
        raise DataError(f"{name} must be from {low:g} to {high:g}, got {value!r}.")


def _whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise DataError(f"{name} must be a whole number from {least} on, got {value!r}.")


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DataError(f"{name} must be one of {', '.join(known)}, got {value!r}.")
