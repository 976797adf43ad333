"""Timings of the whole path, from the bytes of a PNG to a verdict."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from nerve_core.evaluation.progress import Progress
from nerve_core.evaluation.scoring import Predicts
from nerve_core.evaluation.timing import median, p95, time_path
from nerve_core.imaging.scan import Scan

PNG_SIZE = 512
SEEDS = range(7, 27)
"""Phantoms tried in turn until one shows a nerve to the predictor: without one, no verdict would be timed."""


def bench(
    weights: str | None = None,
    threads: int = 2,
    device: str | None = None,
    backend: str | None = None,
    runs: int = 30,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Time the configured backend and plain fp32 PyTorch in turn on one simulated 512 × 512 PNG.

    Args:
        weights: name of the checkpoint, None for the configured one.
        threads: processor threads for every library.
        device: ``cpu``, ``cuda`` or ``mps``; None for the best present.
        backend: ``torch`` or ``openvino``; None for the fastest present.
        runs: measured runs of each.
        progress: told after each round.

    Returns:
        ``size`` (network input side, px), ``threads, device, backend, network_ms, path_ms,
        eager_network_ms, eager_path_ms`` (medians), ``decode_ms``, 95th percentiles ``…_p95_ms``,
        ``nerves`` (found in the scan; each is judged), ``runs`` and ``model``.

    Raises:
        CheckpointError: the weights cannot be loaded.
    """
    from nerve_core.inference.predictor import Predictor

    with limited_threads(threads):
        fast = Predictor.load(weights, device=device, backend=backend)
        eager = Predictor.load(weights, device=fast.device, backend="torch")
        png, nerves = png_with_nerve(fast)
        times = time_path({"fast": fast, "eager": eager}, png, read, runs, progress=progress)
    fast_times, eager_times = times["fast"], times["eager"]
    return {
        "size": fast.preprocess.size,
        "threads": threads,
        "device": fast.device,
        "backend": fast.backend,
        "network_ms": median(fast_times["network"]),
        "path_ms": median(fast_times["path"]),
        "eager_network_ms": median(eager_times["network"]),
        "eager_path_ms": median(eager_times["path"]),
        "decode_ms": median(fast_times["decode"]),
        "network_p95_ms": p95(fast_times["network"]),
        "path_p95_ms": p95(fast_times["path"]),
        "eager_network_p95_ms": p95(eager_times["network"]),
        "eager_path_p95_ms": p95(eager_times["path"]),
        "nerves": nerves,
        "runs": runs,
        "model": f"{fast.name} {fast.version}",
    }


def read(source: bytes) -> Scan:
    """The scan in the bytes of a PNG."""
    from nerve_core.imaging.read import read_scan

    return read_scan(source, "bench.png")


def png_with_nerve(predictor: Predicts) -> tuple[bytes, int]:
    """A simulated 512 × 512 scan in which the predictor finds nerves, and how many."""
    from nerve_core.data.phantom import simulate

    for seed in SEEDS:
        png = encode(simulate(seed, size=(PNG_SIZE, PNG_SIZE)).image)
        if nerves := len(predictor.predict(read(png)).nerves):
            break
    return png, nerves


def encode(pixels: np.ndarray) -> bytes:
    """Bytes of a PNG of uint8 pixels (H, W)."""
    done, png = cv2.imencode(".png", pixels)
    assert done
    return png.tobytes()


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Hold PyTorch and OpenCV to a number of threads, and the process to as many processors.

    OpenVINO takes its number of threads from the processors the process may use, when it loads a network;
    load inside. Everything is as before afterwards.
    """
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    if allowed is not None:
        os.sched_setaffinity(0, sorted(allowed)[:threads])
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
        if allowed is not None:
            os.sched_setaffinity(0, allowed)
