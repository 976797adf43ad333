"""What is refused before a training starts."""

from __future__ import annotations

from pathlib import Path

from nerve_core.data.manifest import is_open
from nerve_core.errors import DataError
from nerve_core.models.checkpoint import load_checkpoint
from nerve_core.models.segmentation import ARCHITECTURES, build
from nerve_core.models.verdicts import VERDICTS
from nerve_core.training.config import TrainConfig


def check_networks(config: TrainConfig) -> None:
    """DataError naming a network there is none of, or one that the pre-training cannot be for."""
    for what, name, known in (
        ("architecture", config.architecture, ARCHITECTURES),
        ("verdict_architecture", config.verdict_architecture, VERDICTS),
    ):
        if name not in known:
            raise DataError(f"{what} must be one of {', '.join(known)}, got {name!r}.")
    if config.pretrain.epochs and not hasattr(build(config.architecture, pretrained=False), "encoder"):
        raise DataError(
            f"{config.architecture} has no encoder of its own to pre-train; leave pretrain out, or choose "
            "another architecture."
        )


def check_start(start: str, licence: str) -> None:
    """Open weights may not start from others.

    Raises:
        DataError: when they would.
        CheckpointError: when the checkpoint cannot be used.
    """
    if not start:
        return
    config = load_checkpoint(Path(start))[1]
    sets = config.get("sets", []) + config.get("unlabelled", [])
    if licence == "open" and not (sets and all(is_open({"licence": one["licence"]}) for one in sets)):
        raise DataError(
            f"The weights in {Path(start).name} learned from sets that are not open, so open weights cannot "
            "start from them; leave --start out or use --licence any."
        )
