"""Networks written for other engines: ONNX and OpenVINO, in single precision and in eight bits."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nerve_core.errors import DataError
from nerve_core.inference.backends import convert

Inputs = Sequence[tuple[np.ndarray, ...]]


def write_onnx(model: nn.Module, examples: tuple[torch.Tensor, ...], stem: Path, inputs: Inputs) -> None:
    """``STEM.onnx``, float32, for the shapes of the examples."""
    with _quiet(), torch.inference_mode():
        torch.onnx.export(
            model.eval(), examples, stem.with_name(f"{stem.name}.onnx"), dynamo=True, external_data=False
        )


def write_openvino(model: nn.Module, examples: tuple[torch.Tensor, ...], stem: Path, inputs: Inputs) -> None:
    """``STEM.xml`` and ``STEM.bin``, weights in half precision, as the checkpoint keeps them."""
    import openvino

    openvino.save_model(convert(model, examples), stem.with_name(f"{stem.name}.xml"), compress_to_fp16=True)


def write_onnx_int8(model: nn.Module, examples: tuple[torch.Tensor, ...], stem: Path, inputs: Inputs) -> None:
    """``STEM-int8.onnx`` from ``STEM.onnx``: eight-bit weights and activations, ranges by the inputs."""
    import onnx

    loaded = onnx.load(stem.with_name(f"{stem.name}.onnx"))
    names = [each.name for each in loaded.graph.input]
    dataset = [dict(zip(names, arrays, strict=True)) for arrays in inputs]
    onnx.save(_quantised(loaded, dataset), stem.with_name(f"{stem.name}-int8.onnx"))


def write_openvino_int8(
    model: nn.Module, examples: tuple[torch.Tensor, ...], stem: Path, inputs: Inputs
) -> None:
    """``STEM-int8.xml`` and ``STEM-int8.bin``: the same for OpenVINO."""
    import openvino

    dataset = [arrays if len(arrays) > 1 else arrays[0] for arrays in inputs]
    written = stem.with_name(f"{stem.name}-int8.xml")
    openvino.save_model(_quantised(convert(model, examples), dataset), written, compress_to_fp16=True)


def _quantised(model: Any, dataset: list[Any]) -> Any:
    """Post-training quantisation (Jacob 2018) by NNCF, biases corrected."""
    if not dataset:
        raise DataError("Eight-bit exports choose their ranges by training scans; give --manifest.")
    with _quiet():
        import nncf

        return nncf.quantize(
            model, nncf.Dataset(dataset), preset=nncf.QuantizationPreset.MIXED, subset_size=len(dataset)
        )


@contextlib.contextmanager
def _quiet() -> Any:
    """Nothing printed by exporters that talk on standard output."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


EXPORTS: dict[str, tuple[Callable[..., None], ...]] = {
    "torch-half": (),
    "openvino": (write_openvino,),
    "openvino-half": (),
    "openvino-int8": (write_openvino_int8,),
    "onnx": (write_onnx,),
    "onnx-int8": (write_onnx, write_onnx_int8),
}
"""What is written for a backend; some run the checkpoint itself and are only checked."""

EIGHT_BITS = (write_openvino_int8, write_onnx_int8)
"""Of the contours alone, see :func:`nerve_core.inference.backends.eight_bits`."""
