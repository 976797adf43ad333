"""Several trainings of the verdict in one checkpoint, their logits averaged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from torch import nn

from nerve_core.errors import DataError
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint
from nerve_core.models.segmentation import count_classes
from nerve_core.models.verdicts import DEFAULT, JURIES, Jury

SIDES = ("val", "test")


def combine(sources: Sequence[Path], folder: Path, name: str, version: str) -> None:
    """Write a checkpoint with the contours of the last of several, and the verdicts of all.

    What was calibrated for one does not hold for the average, so none of it is kept: calibrate before use.
    Held back are only the groups that all of them held back: one that any learned from would flatter every
    figure.

    Args:
        sources: checkpoint folders, the oldest first; one may hold several verdict networks itself.
        folder: where the checkpoint goes.
        name, version: written into it.

    Raises:
        CheckpointError: one cannot be used.
        DataError: no group was held back by all, there are too many of them, or they hold other verdict
            networks than the usual.
    """
    loaded = [load_checkpoint(source, every_class=True) for source in sources]
    configs = [config for _, config in loaded]
    for source, config in zip(sources, configs, strict=True):
        if config.get("verdict_architecture", DEFAULT) not in (DEFAULT, *JURIES.values()):
            raise DataError(f"The verdict network of {source.name} is not {DEFAULT}; choose other weights.")
    members = [member for network, _ in loaded for member in members_of(network)]
    if len(members) not in JURIES:
        most = max(JURIES)
        raise DataError(f"At most {most} verdict networks judge together, these are {len(members)}.")
    split = {
        side: sorted(
            reduce(set.intersection, (set(config.get("split", {}).get(side, ())) for config in configs))
        )
        for side in SIDES
    }
    if not all(split.values()):
        raise DataError(
            "No group was held back by all of these weights, so no figure of them together would be fair; "
            "train them on the same sets."
        )
    last, described = loaded[-1]
    jury = JURIES[len(members)]
    model = NerveNet(
        described["architecture"], classes=count_classes(last.contour.state_dict()), verdict=jury
    )
    model.contour.load_state_dict(last.contour.state_dict())
    for member, network in zip(model.verdict.members, members, strict=True):
        member.load_state_dict(network.state_dict())
    kept = {
        key: value for key, value in described.items() if key not in ("calibration", "conformal", "training")
    }
    kept["training"] = described.get("training", {}) | {
        "verdict_members": [line for config in configs for line in described_members(config)]
    }
    save_checkpoint(
        folder,
        model,
        kept | {"name": name, "version": version, "verdict_architecture": jury, "split": split},
    )


def members_of(network: NerveNet) -> list[nn.Module]:
    """The verdict networks of a checkpoint."""
    return list(network.verdict.members) if isinstance(network.verdict, Jury) else [network.verdict]


def described_members(config: dict[str, Any]) -> list[Any]:
    """What is known of each of them."""
    own = config.get("training", {}).get("verdict_members")
    return list(own) if own else [f"{config['name']} {config['version']}"]
