"""Which backends some weights may use: exact ones always, others when their export was checked and passed."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nerve_core.errors import CheckpointError
from nerve_core.inference.backends import BACKENDS, EXACT, PACKAGES, supported
from nerve_core.inference.scope import Observed, observable
from nerve_core.models.checkpoint import NerveNet
from nerve_core.models.verdict import CROP

Examples = tuple[torch.Tensor, ...]

FOLDER = "exports"
CHECKS = "checks.json"


def networks(model: NerveNet, size: int) -> tuple[tuple[nn.Module, Examples], tuple[nn.Module, Examples]]:
    """Contour and verdict network as they are run, each with examples of its inputs."""
    contour = Observed(model.contour) if observable(model.contour) else model.contour
    # Two tensors: of one and the same the ONNX exporter makes one input, and leaves the other unused.
    crops, masks = torch.zeros(2, 1, CROP, CROP), torch.zeros(2, 1, CROP, CROP)
    return (contour, (torch.zeros(1, 2, size, size),)), (model.verdict, (crops, masks))


def checks(folder: Path) -> dict[str, dict[str, Any]]:
    """What the exports of a checkpoint lost against single precision, by backend.

    What was measured with other weights than those in the folder is left out.

    Raises:
        CheckpointError: for a damaged file.
    """
    path = folder / FOLDER / CHECKS
    if not path.is_file():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return stored["backends"] if stored["weights"] == digest(folder) else {}
    except (OSError, ValueError, KeyError, TypeError):
        raise CheckpointError(
            f"{FOLDER}/{CHECKS} of the weights {folder.name!r} is damaged; export them again."
        ) from None


def digest(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def choose(folder: Path, device: str) -> str:
    """The fastest backend for a device that is exact or passed its check.

    Raises:
        CheckpointError: the checkpoint or its checks are damaged.
    """
    passed = [name for name, check in checks(folder).items() if check["passed"]]
    return next(name for name in supported(device) if name in EXACT or name in passed)


def check_backend(backend: str, device: str) -> None:
    """Raise CheckpointError for a backend that is unknown, not installed, or not of this device."""
    if backend not in BACKENDS:
        raise CheckpointError(f"Unknown backend {backend!r}; choose one of {', '.join(BACKENDS)}.")
    if backend.startswith("openvino") and device != "cpu":
        raise CheckpointError(
            "OpenVINO runs on the processor here; set NERVE_DEVICE=cpu or NERVE_BACKEND=torch."
        )
    package = PACKAGES.get(backend.split("-")[0])
    if package and not find_spec(package):
        raise CheckpointError(
            f"The backend {backend} needs the package {package}; run pip install {package}, or unset "
            "NERVE_BACKEND."
        )
