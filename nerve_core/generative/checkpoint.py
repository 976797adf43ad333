"""Generators on disk: ``model.safetensors`` in half precision and ``config.json`` beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from nerve_core.errors import CheckpointError
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.painter import Painter
from nerve_core.generative.translator import Translator


def _ways(config: GenerateConfig, sets: int) -> nn.Module:
    return nn.ModuleDict({way: Translator(config.width, config.blocks) for way in ("real", "phantom")})


def _one_way(config: GenerateConfig, sets: int) -> nn.Module:
    return Translator(config.width, config.blocks)


def _painter(config: GenerateConfig, sets: int) -> nn.Module:
    return Painter(config.patch, config.width, sets)


GENERATORS: dict[str, Callable[[GenerateConfig, int], nn.Module]] = {
    "one-sided": _one_way,
    "cycle": _ways,
    "paint": _painter,
    "enhance": _one_way,
}
"""The generator of each method, from its settings and the number of sets it can imitate."""


def save_generator(folder: Path, generator: nn.Module, about: dict[str, Any]) -> None:
    """Write the weights as float16 and what is known about them; each file appears whole or not at all.

    Args:
        about: ``config`` (of ``GenerateConfig``), ``sets`` (name, licence and images of each) and more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in generator.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    weights, text = folder / "model.safetensors.part", folder / "config.json.part"
    save_file(tensors, weights)
    text.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    weights.chmod(0o644)  # safetensors writes for the owner alone
    weights.replace(folder / "model.safetensors")
    text.replace(folder / "config.json")


def load_generator(folder: Path) -> tuple[nn.Module, GenerateConfig, dict[str, Any]]:
    """The generator in float32, ready to draw, its settings, and all that was saved about it.

    Raises:
        CheckpointError: when a file is missing or damaged, or the weights do not fit the settings.
    """
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise CheckpointError(
                f"There is no whole generator in {folder}: {name} is missing; train one with "
                "python -m nerve_core generate train."
            )
    try:
        about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = GenerateConfig(**about["config"])
        generator = GENERATORS[config.method](config, len(about["sets"]))
        tensors = load_file(folder / "model.safetensors")
        missing, unexpected = generator.load_state_dict(
            {name: tensor.float() for name, tensor in tensors.items()}, strict=False
        )
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError):
        raise CheckpointError(f"The generator in {folder} is damaged; train it again.") from None
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise CheckpointError(f"The generator in {folder} does not fit its settings; train it again.")
    return generator.requires_grad_(False).eval(), config, about
