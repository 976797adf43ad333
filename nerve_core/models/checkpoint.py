"""Checkpoints on disk: ``model.safetensors`` in half precision and ``config.json`` beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from nerve_core.errors import CheckpointError
from nerve_core.models.segmentation import ARCHITECTURES, build, count_classes, nerve_only
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


def save_checkpoint(folder: Path, model: NerveNet, config: dict[str, Any]) -> None:
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
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise CheckpointError(
                f"The weights {folder.name!r} are not complete: {name} is missing; "
                "get the checkpoint again or choose another one."
            )
    try:
        config = json.loads((folder / "config.json").read_text())
        tensors = load_file(folder / "model.safetensors")
        architecture, verdict = config["architecture"], config.get("verdict_architecture", DEFAULT)
        classes = count_classes(tensors, "contour.") if every_class else 1
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError):
        raise CheckpointError(f"The weights {folder.name!r} are damaged; get the checkpoint again.") from None
    for known, name in ((ARCHITECTURES, architecture), (VERDICTS, verdict)):
        if name not in known:
            raise CheckpointError(
                f"The weights {folder.name!r} are of the architecture {name!r}, which this version does not "
                "have; use the version they were made with, or train them again."
            )
    model = NerveNet(architecture, classes=classes, verdict=verdict)
    tensors = tensors if every_class else nerve_only(tensors, "contour.")
    try:
        missing, unexpected = model.load_state_dict(
            {name: tensor.float() for name, tensor in tensors.items()}, strict=False
        )
        fits = not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    except RuntimeError:  # a tensor of another shape
        fits = False
    if not fits:
        raise CheckpointError(f"The weights {folder.name!r} do not fit {architecture}; train them again.")
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval(), config
