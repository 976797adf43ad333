"""What a network costs: parameters, multiply–accumulates, time on this processor and memory."""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from nerve_core.evaluation.bench import limited_threads
from nerve_core.evaluation.timing import median
from nerve_core.inference.backends import BACKENDS
from nerve_core.models.segmentation import CHANNELS, build

MIB = 2**20


def cost(architecture: str, size: int = 128, threads: int = 1, runs: int = 15) -> dict[str, Any]:
    """What one contour network of the registry costs for one image of ``size`` × ``size`` px.

    Args:
        architecture: key of ``models.segmentation.ARCHITECTURES``.
        size: side of the input, px, a multiple of 32.
        threads: processor threads; one is the fairest to compare by where other work shares the cores.
        runs: measured runs.

    Returns:
        ``architecture``, ``size`` and the figures of :func:`cost_of`.

    Raises:
        ValueError: for an unknown architecture.
    """
    network = build(architecture, pretrained=False)
    inputs = torch.zeros(1, CHANNELS, size, size)
    return {"architecture": architecture, "size": size, **cost_of(network, (inputs,), threads, runs)}


def cost_of(
    network: nn.Module, inputs: Sequence[torch.Tensor], threads: int = 1, runs: int = 15
) -> dict[str, Any]:
    """What any network costs for one forward pass of these inputs.

    Args:
        network: to be measured; put into evaluation mode.
        inputs: float32 tensors, batch and all.
        threads: processor threads; one is the fairest to compare by where other work shares the cores.
        runs: measured runs of each engine, after two unmeasured ones.

    Returns:
        ``parameters``; ``macs``, multiply–accumulates of convolutions and matrix products, half of what
        PyTorch counts as floating point operations (normalisation, activation and resampling are left out,
        as in most papers); ``eager_ms`` and ``openvino_ms``, medians of a float32 forward pass in turn
        (None without OpenVINO); ``memory_mib``, parameters and the most bytes of inputs and intermediate
        results alive at once in plain PyTorch (without what the libraries use inside); ``threads``, ``runs``.
    """
    network = network.eval()
    weights = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))
    figures = {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "macs": count_macs(network, inputs),
        "memory_mib": round((weights + peak_bytes(network, inputs)) / MIB, 2),
    }
    kinds = ("torch", "openvino") if find_spec("openvino") else ("torch",)
    arrays = [tensor.numpy() for tensor in inputs]
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    with limited_threads(threads):
        engines = {kind: BACKENDS[kind](network, tuple(inputs), "cpu") for kind in kinds}
        for turn in range(2 + runs):
            for kind in kinds if turn % 2 else kinds[::-1]:
                start = time.perf_counter()
                engines[kind](*arrays)
                if turn >= 2:
                    times[kind].append(1e3 * (time.perf_counter() - start))
    return {
        **figures,
        "eager_ms": median(times["torch"]),
        "openvino_ms": median(times["openvino"]) if "openvino" in times else None,
        "threads": threads,
        "runs": runs,
    }


def count_macs(network: nn.Module, inputs: Sequence[torch.Tensor]) -> int:
    """Multiply–accumulates of the convolutions and matrix products of one forward pass."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(*inputs)
    return counter.get_total_flops() // 2


def peak_bytes(network: nn.Module, inputs: Sequence[torch.Tensor]) -> int:
    """Most bytes of inputs and intermediate results alive at once in a forward pass, without the weights."""
    own = (*network.parameters(), *network.buffers())
    with torch.no_grad(), LiveBytes(own, inputs) as live:
        network(*inputs)
    return live.peak


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of every tensor made within this context while it is alive.

    Views share the bytes of what they view.

    Args:
        ignored: tensors whose bytes are not counted.
        counted: tensors that are there already and are.

    Attributes:
        peak: most bytes alive at once.
    """

    def __init__(self, ignored: Sequence[torch.Tensor], counted: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: dict[int, int] = {}
        self.ignored = {tensor.untyped_storage().data_ptr() for tensor in ignored}
        for tensor in counted:
            self._count(tensor)

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._count(leaf)
        return result

    def _count(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
        if not size or address in self.ignored or address in self.known:
            return
        self.known[address] = size
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, address)

    def _forget(self, address: int) -> None:
        self.now -= self.known.pop(address)
