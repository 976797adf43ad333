"""Checkpoints on disk: ``model.safetensors`` in half precision and ``config.json`` beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from nerve_core.errors import CheckpointError
from nerve_core.models.segmentation import ARCHITECTURES, build, count_classes, nerve_only
from nerve_core.models.temporal import SWEEPS, build_sweeps
from nerve_core.models.verdicts import DEFAULT, VERDICTS, build_verdict


class NerveNet(nn.Module):
    """The contour network and the verdict network under one roof, saved and loaded as one.

    Args:
        architecture: key of ``models.segmentation.ARCHITECTURES``.
        pretrained: start from packaged ImageNet weights, where there are any.
        classes: of the contour network.
        verdict: key of ``models.verdicts.VERDICTS``.
    """

    def __init__(
        self, architecture: str, pretrained: bool = False, classes: int = 1, verdict: str = DEFAULT
    ) -> None:
        super().__init__()
        self.contour = build(architecture, pretrained=pretrained, classes=classes)
        self.verdict = build_verdict(verdict, pretrained)


def save_checkpoint(folder: Path, model: nn.Module, config: dict[str, Any]) -> None:
    """Write the weights as float16 and the config; each file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    weights = folder / "model.safetensors.part"
    save_file(tensors, weights)
    text = folder / "config.json.part"
    text.write_text(json.dumps(config, indent=1) + "\n")
    weights.chmod(0o644)  # safetensors writes for the owner alone
    weights.replace(folder / "model.safetensors")
    text.replace(folder / "config.json")


def load_checkpoint(folder: Path, every_class: bool = False) -> tuple[NerveNet, dict[str, Any]]:
    """The network in float32, in evaluation mode, and its config.

    Args:
        folder: where the two files are.
        every_class: also what the contour network learned besides the nerve (vessels), as further
            channels; without it the logits are (N, 1, S, S), the nerve's, whatever it learned.

    Raises:
        CheckpointError: when a file is missing or damaged, or the weights do not fit the architecture.
    """
    tensors, config = read_checkpoint(folder)
    architecture, verdict = config["architecture"], config.get("verdict_architecture", DEFAULT)
    check_known(folder, architecture, ARCHITECTURES)
    check_known(folder, verdict, VERDICTS)
    classes = 1
    if every_class:
        try:
            classes = count_classes(tensors, "contour.")
        except KeyError:
            raise unfit(folder, architecture) from None
    else:
        tensors = nerve_only(tensors, "contour.")
    return fill(
        NerveNet(architecture, classes=classes, verdict=verdict), tensors, folder, architecture
    ), config


def load_sweep_network(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """A network over sweeps in float32, in evaluation mode, and its config; see ``models.temporal``.

    Raises:
        CheckpointError: as of :func:`load_checkpoint`.
    """
    tensors, config = read_checkpoint(folder)
    check_known(folder, config["architecture"], SWEEPS)
    model = build_sweeps(config["architecture"], pretrained=False)
    return fill(model, tensors, folder, config["architecture"]), config


def read_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and config as they are stored; CheckpointError where they cannot be read."""
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise CheckpointError(
                f"The weights {folder.name!r} are not complete: {name} is missing; "
                "get the checkpoint again or choose another one."
            )
    try:
        config = json.loads((folder / "config.json").read_text())
        tensors = load_file(folder / "model.safetensors")
        if not isinstance(config["architecture"], str):
            raise TypeError
    except (ValueError, KeyError, TypeError, SafetensorError):
        raise CheckpointError(f"The weights {folder.name!r} are damaged; get the checkpoint again.") from None
    return tensors, config


def check_known(folder: Path, name: str, known: Mapping[str, object]) -> None:
    """CheckpointError unless the architecture is one of those known."""
    if name not in known:
        raise CheckpointError(
            f"The weights {folder.name!r} are of the architecture {name!r}, which is not one of those that "
            f"can be used here ({', '.join(sorted(known))}); use the version they were made with."
        )


def fill(model: nn.Module, tensors: Mapping[str, torch.Tensor], folder: Path, architecture: str) -> nn.Module:
    """The network with these weights, frozen, in evaluation mode; CheckpointError where they do not fit."""
    try:
        missing, unexpected = model.load_state_dict(
            {name: tensor.float() for name, tensor in tensors.items()}, strict=False
        )
    except RuntimeError:  # a tensor of another shape
        raise unfit(folder, architecture) from None
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise unfit(folder, architecture)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval()


def unfit(folder: Path, architecture: str) -> CheckpointError:
    return CheckpointError(f"The weights {folder.name!r} do not fit {architecture}; train them again.")
