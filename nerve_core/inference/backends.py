"""Engines that run the networks: one class each, all called with and returning float32 NumPy arrays."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import nn

Network = Callable[..., Any]
"""float32 arrays in, one float32 array out, or a tuple of them where the model gives several; safe to call
from several threads."""


class TorchNetwork:
    """Plain PyTorch in float32 on any device."""

    def __init__(self, model: nn.Module, examples: tuple[torch.Tensor, ...], device: str) -> None:
        self.model, self.device = model.to(device).eval(), device

    def __call__(self, *arrays: np.ndarray) -> Any:
        with torch.inference_mode():
            inputs = [torch.from_numpy(np.ascontiguousarray(array)).to(self.device) for array in arrays]
            answer = self.model(*inputs)
            if isinstance(answer, tuple):
                return tuple(part.float().cpu().numpy() for part in answer)
            return answer.float().cpu().numpy()


class OpenVinoNetwork:
    """OpenVINO on the processor, float32, for the shapes of the examples.

    Single precision is asked for, because the default on recent processors is bfloat16, whose results
    differ from one machine to the next.
    """

    def __init__(self, model: nn.Module, examples: tuple[torch.Tensor, ...], device: str) -> None:
        import openvino

        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing warns of its own future, which is no news to a user
            converted = openvino.convert_model(
                model.eval(), example_input=examples, input=[tuple(example.shape) for example in examples]
            )
        hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self.compiled = openvino.Core().compile_model(converted, "CPU", hints)
        self.local = threading.local()

    def __call__(self, *arrays: np.ndarray) -> Any:
        if not hasattr(self.local, "request"):
            self.local.request = self.compiled.create_infer_request()
        result = self.local.request.infer([np.ascontiguousarray(array) for array in arrays])
        answers = tuple(np.array(result[k], np.float32) for k in range(len(self.compiled.outputs)))
        return answers if len(answers) > 1 else answers[0]


BACKENDS: dict[str, Callable[..., Network]] = {"torch": TorchNetwork, "openvino": OpenVinoNetwork}


def best_device() -> str:
    """``cuda`` or ``mps`` when present, else ``cpu``."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def best_backend(device: str) -> str:
    """The fastest engine for a device: OpenVINO on a processor when it is installed, else PyTorch."""
    return "openvino" if device == "cpu" and find_spec("openvino") else "torch"
