"""Two trainings of the verdict in one checkpoint, their logits averaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nerve_core.errors import DataError
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint
from nerve_core.models.segmentation import count_classes
from nerve_core.models.verdicts import DEFAULT

PAIR = "nerve_pooled_pair"


def combine(sources: Sequence[Path], folder: Path, name: str, version: str) -> None:
    """Write a checkpoint with the contours of the last of two, and the verdicts of both.

    Neither calibration holds for the average, so none is kept: calibrate it before use.

    Args:
        sources: two checkpoint folders, the older first.
        folder: where the checkpoint goes.
        name, version: written into it.

    Raises:
        CheckpointError: one cannot be used.
        DataError: they were not validated on the same groups, or hold other verdict networks than the usual.
    """
    loaded = [load_checkpoint(source, every_class=True) for source in sources]
    configs = [config for _, config in loaded]
    for source, config in zip(sources, configs, strict=True):
        if config.get("verdict_architecture", DEFAULT) != DEFAULT:
            raise DataError(f"The verdict network of {source.name} is not {DEFAULT}; choose other weights.")
    # A group that one of them learned from would flatter every figure of the pair.
    if configs[0].get("split") != configs[1].get("split"):
        raise DataError(
            "The two weights were not held back from the same groups, so no figure of the pair would be "
            "fair; train both on the same sets."
        )
    last, described = loaded[-1]
    model = NerveNet(
        described["architecture"], classes=count_classes(last.contour.state_dict()), verdict=PAIR
    )
    model.contour.load_state_dict(last.contour.state_dict())
    for member, (network, _) in zip(model.verdict.members, loaded, strict=True):
        member.load_state_dict(network.verdict.state_dict())
    kept = {key: value for key, value in described.items() if key not in ("calibration", "training")}
    kept["training"] = described.get("training", {}) | {
        "verdict_members": [f"{config['name']} {config['version']}" for config in configs]
    }
    save_checkpoint(folder, model, kept | {"name": name, "version": version, "verdict_architecture": PAIR})
