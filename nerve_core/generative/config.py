"""Every setting of a generator's training in one place."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerve_core.errors import DataError

METHODS = ("one-sided", "cycle", "paint", "enhance")
"""Phantom → real alone (CUT), phantom ↔ real (CycleGAN), contour → scan (SPADE), poor → good scan."""


@dataclass(frozen=True)
class GenerateConfig:
    """A whole run.

    Attributes:
        name: of the run folder and of the generator it writes.
        method: one of ``METHODS``.
        side: long side to which pictures are brought, px; translations come out at this size.
        patch: side of the training patches, px; the painter sees whole pictures of this size instead.
        width: channels of the generator at half resolution.
        blocks: residual blocks of the translator.
        critic: channels of the discriminator's first layer.
        epochs, samples, batch: length of the run; a grid and a resume point are written every epoch.
        learning_rate: of Adam (betas 0.5 and 0.99); constant for half of the run, then linear to zero.
        identity: weight of leaving real scans as they are (translation).
        content: weight of PatchNCE (one-sided), of the way there and back (cycle), of the features of
            the repainted scan (paint), or of pixels and structure (enhance).
        ema: decay of the moving average of the generator, which is what is kept.
        seed: of every random choice.
        workers: processes that prepare samples.
        threads: torch threads; 0 leaves the default.
    """

    name: str = "translate"
    method: str = "one-sided"
    side: int = 256
    patch: int = 128
    width: int = 32
    blocks: int = 5
    critic: int = 32
    epochs: int = 20
    samples: int = 600
    batch: int = 4
    learning_rate: float = 3e-4
    identity: float = 0.5
    content: float = 1.0
    ema: float = 0.99
    seed: int = 0
    workers: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise DataError(f"Unknown method {self.method!r}; choose one of {', '.join(METHODS)}.")
        if self.patch % 16 or not 32 <= self.patch <= self.side:
            raise DataError(
                f"patch must be a multiple of 16 from 32 up to side ({self.side}), got {self.patch}."
            )
        if self.method == "enhance" and self.patch < 48:
            raise DataError(
                f"Enhancement compares structure at three scales; patch must be 48 or more, got {self.patch}."
            )
        for name in ("width", "critic", "epochs", "samples", "batch"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} must be at least 1, got {getattr(self, name)}.")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_file(cls, path: str | Path) -> GenerateConfig:
        """Settings from a JSON file; missing ones take their default.

        Raises:
            DataError: when the file cannot be read or names an unknown setting.
        """
        try:
            return cls(**json.loads(Path(path).read_text()))
        except OSError:
            raise DataError(f"The config {path} cannot be read; check the path.") from None
        except (ValueError, TypeError) as error:
            raise DataError(f"The config {path} is not valid: {error}.") from None
