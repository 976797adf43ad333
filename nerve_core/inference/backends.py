"""Engines that run the networks: one class each, all called with and returning float32 NumPy arrays."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nerve_core.errors import CheckpointError

CONTOUR, VERDICT = "contour", "verdict"
"""The two networks of some weights, and how their exported files begin."""

Network = Callable[..., Any]
"""float32 arrays in, one float32 array out, or a tuple of them where the model gives several; safe to call
from several threads."""


class TorchNetwork:
    """Plain PyTorch on any device, in float32 or, with ``half``, in the device's own half precision."""

    def __init__(
        self,
        model: nn.Module,
        examples: tuple[torch.Tensor, ...],
        device: str,
        stem: Path | None = None,
        half: bool = False,
    ) -> None:
        self.model, self.device, self.half = model.to(device).eval(), device, half

    def __call__(self, *arrays: np.ndarray) -> Any:
        kind = "cuda" if self.device.startswith("cuda") else self.device
        dtype = torch.float16 if kind == "cuda" else torch.bfloat16
        with torch.inference_mode(), torch.autocast(kind, dtype, enabled=self.half):
            inputs = [torch.from_numpy(np.ascontiguousarray(array)).to(self.device) for array in arrays]
            answer = self.model(*inputs)
            if isinstance(answer, tuple):
                return tuple(part.float().cpu().numpy() for part in answer)
            return answer.float().cpu().numpy()


class OpenVinoNetwork:
    """OpenVINO on the processor, for the shapes of the examples.

    Single precision is asked for unless told otherwise, because the default on recent processors is bfloat16,
    whose results differ from one machine to the next.

    Args:
        precision: ``f32`` or ``bf16``.
        suffix: of the exported file to run in place of the model; empty converts the model.
    """

    def __init__(
        self,
        model: nn.Module,
        examples: tuple[torch.Tensor, ...],
        device: str,
        stem: Path | None = None,
        precision: str = "f32",
        suffix: str = "",
    ) -> None:
        import openvino

        core = openvino.Core()
        read = core.read_model(exported(stem, suffix)) if suffix else convert(model, examples)
        hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        self.compiled = core.compile_model(read, "CPU", hints)
        self.local = threading.local()

    def __call__(self, *arrays: np.ndarray) -> Any:
        if not hasattr(self.local, "request"):
            self.local.request = self.compiled.create_infer_request()
        result = self.local.request.infer([np.ascontiguousarray(array) for array in arrays])
        answers = tuple(np.array(result[k], np.float32) for k in range(len(self.compiled.outputs)))
        return answers if len(answers) > 1 else answers[0]


PROVIDERS = {
    "cuda": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
    "cpu": ("CPUExecutionProvider",),
}
"""Of ONNX Runtime, by device, the fastest first."""


class OnnxNetwork:
    """ONNX Runtime on an exported file, on the first of its providers that is present."""

    def __init__(
        self,
        model: nn.Module,
        examples: tuple[torch.Tensor, ...],
        device: str,
        stem: Path | None = None,
        suffix: str = ".onnx",
    ) -> None:
        import onnxruntime

        file = exported(stem, suffix)
        present = onnxruntime.get_available_providers()
        wanted = PROVIDERS.get(device.split(":")[0], PROVIDERS["cpu"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(
            file, options, providers=[name for name in wanted if name in present]
        )
        self.names = [each.name for each in self.session.get_inputs()]

    def __call__(self, *arrays: np.ndarray) -> Any:
        inputs = {name: np.ascontiguousarray(array) for name, array in zip(self.names, arrays, strict=True)}
        answers = tuple(np.asarray(answer, np.float32) for answer in self.session.run(None, inputs))
        return answers if len(answers) > 1 else answers[0]


def eight_bits(engine: Callable[..., Network], suffix: str, finer: dict[str, str]) -> Callable[..., Network]:
    """An engine that runs the contours in eight bits and the verdict with the options ``finer``.

    In eight bits the verdict lost 0.01 of its AUC on validation groups, the contours 0.001 of their Dice.
    """

    def make(
        model: nn.Module, examples: tuple[torch.Tensor, ...], device: str, stem: Path | None = None
    ) -> Network:
        options = finer if stem is not None and stem.name == VERDICT else {"suffix": suffix}
        return engine(model, examples, device, stem, **options)

    return make


BACKENDS: dict[str, Callable[..., Network]] = {
    "torch": TorchNetwork,
    "torch-half": partial(TorchNetwork, half=True),
    "openvino": OpenVinoNetwork,
    "openvino-half": partial(OpenVinoNetwork, precision="bf16"),
    "openvino-int8": eight_bits(OpenVinoNetwork, "-int8.xml", {"precision": "bf16"}),
    "onnx": OnnxNetwork,
    "onnx-int8": eight_bits(OnnxNetwork, "-int8.onnx", {}),
}
"""Called with (model, examples, device, stem): ``stem`` is where exported files of this network begin."""

EXACT = ("torch", "openvino")
"""Single precision: the same answers but for rounding, so they need no check before use."""

PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime"}


def convert(model: nn.Module, examples: tuple[torch.Tensor, ...]) -> Any:
    """The model in OpenVINO's form, for the shapes of the examples."""
    import openvino

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of its own future, which is no news to a user
        return openvino.convert_model(
            model.eval(), example_input=examples, input=[tuple(example.shape) for example in examples]
        )


def exported(stem: Path | None, suffix: str) -> Path:
    """The exported file of one network. Raises CheckpointError when there is none."""
    if stem is not None and (file := stem.with_name(stem.name + suffix)).is_file():
        return file
    raise CheckpointError(
        "These weights were not exported for that backend; run python -m nerve_core export, or unset "
        "NERVE_BACKEND."
    )


def best_device() -> str:
    """``cuda`` or ``mps`` when present, else ``cpu``."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def supported(device: str) -> list[str]:
    """Backends that a device runs well, the fastest first, with what is installed here.

    The order is fixed, not timed at each start: the same machine then always gives the same answers.
    ``python -m benchmarks.backends`` measures it.
    """
    if device != "cpu":
        return ["torch-half", "torch"] if device.startswith("cuda") else ["torch"]
    if not find_spec("openvino"):
        return ["torch"]
    import openvino

    native = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    found = {"BF16": "openvino-half", "INT8": "openvino-int8"}
    return [*(name for kind, name in found.items() if kind in native), "openvino", "torch"]


def best_backend(device: str) -> str:
    """The fastest single-precision engine for a device: OpenVINO on a processor where installed."""
    return next(name for name in supported(device) if name in EXACT)
