"""Every setting of a training run in one place."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nerve_core.data.augment import Augment
from nerve_core.errors import DataError


@dataclass(frozen=True)
class Stage:
    """Length and pace of one part of the training (contours or verdict).

    Attributes:
        epochs: at most this many.
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


@dataclass(frozen=True)
class TrainConfig:
    """A whole run.

    Attributes:
        name: of the checkpoint it writes.
        architecture: key of ``models.segmentation.ARCHITECTURES``.
        size: side of the input in training, px; ``final_size`` replaces it for the last ``final_share``
            of the epochs and is the size shipped.
        start: checkpoint folder whose weights the training starts from; empty starts afresh.
        pretrained: start the encoders from the packaged ImageNet weights.
        click_share: share of samples with a click, at most 0.5.
        pathology_share: share of contour samples with a pathology or sham written in.
        vessel_weight: weight of the vessels' loss beside the nerve's, where a set marks vessels; 0 learns
            nerves alone. The network shipped finds nerves alone either way.
        emphasis: factor by which a set is drawn more often than its size alone would have it, by name.
        leave_out: names of sets not to train on at all.
        seed: of every random choice.
        workers: processes that prepare samples.
        threads: torch threads; 0 leaves the default.
        augment: strength of the augmentation.
        contour, verdict: length and pace of the two parts.
    """

    name: str = "research"
    architecture: str = "attention_unet_lite0"
    size: int = 192
    final_size: int = 256
    final_share: float = 0.25
    start: str = ""
    pretrained: bool = True
    click_share: float = 0.35
    pathology_share: float = 0.15
    vessel_weight: float = 0.4
    emphasis: dict[str, float] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    seed: int = 0
    workers: int = 1
    threads: int = 0
    augment: Augment = field(default_factory=Augment)
    contour: Stage = field(default_factory=lambda: Stage(epochs=24, samples=1600))
    verdict: Stage = field(
        default_factory=lambda: Stage(epochs=20, samples=2400, batch=32, learning_rate=1e-3)
    )

    def __post_init__(self) -> None:
        if not 0 <= self.click_share <= 0.5:
            raise DataError(f"click_share must be from 0 to 0.5, got {self.click_share}.")
        if self.vessel_weight < 0:
            raise DataError(f"vessel_weight must be 0 or more, got {self.vessel_weight}.")

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
            for name, kind in (("augment", Augment), ("contour", Stage), ("verdict", Stage)):
                if name in values:
                    default = dataclasses.asdict(getattr(cls(), name))
                    values[name] = kind(**{**default, **values[name]})
            augment = values.get("augment", Augment())
            values["augment"] = dataclasses.replace(
                augment, zoom=tuple(augment.zoom), click_zoom=tuple(augment.click_zoom)
            )
            values["leave_out"] = tuple(values.get("leave_out", ()))
            return cls(**{**values, **changes})
        except OSError:
            raise DataError(f"The training config {path} cannot be read; check the path.") from None
        except (ValueError, TypeError) as error:
            raise DataError(f"The training config {path} is not valid: {error}.") from None
