"""How long the whole path takes, fast against plain, run in turn.

The machine's clock, its other work and its temperature drift over a run. The two predictors therefore take
turns on the same bytes, and swap who goes first each round: drift falls on both alike.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nerve_core.evaluation.scoring import Predicts
from nerve_core.imaging.scan import Scan

NETWORK_STAGES = ("network", "verdict")
"""Stages of ``Prediction.timings_ms`` that are the network: contour and verdict head."""

Times = dict[str, list[float]]
"""Milliseconds of each run by stage; ``path`` is the whole of it, ``network`` the network alone."""


def time_path(
    predictors: Mapping[str, Predicts],
    source: bytes,
    read: Callable[[bytes], Scan],
    runs: int,
    warmup: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Times]:
    """Time each predictor from the bytes of a file to its verdict.

    Args:
        predictors: what to time, by name.
        source: bytes of one image file.
        read: makes a scan of the bytes; counted in ``path`` and alone as ``decode``.
        runs: measured runs of each predictor.
        warmup: runs of each before the measured ones.
        progress: told (rounds done, rounds in all).

    Returns:
        Times by predictor, each list ``runs`` long.
    """
    names = list(predictors)
    times: dict[str, Times] = {name: defaultdict(list) for name in names}
    for turn in range(warmup + runs):
        order = names if turn % 2 == 0 else names[::-1]
        for name in order:
            measured = time_once(predictors[name], source, read)
            if turn >= warmup:
                for stage, milliseconds in measured.items():
                    times[name][stage].append(milliseconds)
        if progress is not None and turn >= warmup:
            progress(turn - warmup + 1, runs)
    return {name: dict(stages) for name, stages in times.items()}


def time_once(predictor: Predicts, source: bytes, read: Callable[[bytes], Scan]) -> dict[str, float]:
    """Milliseconds of one run: ``path``, ``network``, ``decode`` and the predictor's own stages."""
    start = time.perf_counter()
    scan = read(source)
    decoded = time.perf_counter()
    prediction = predictor.predict(scan)
    assert prediction.verdict
    end = time.perf_counter()
    stages = prediction.timings_ms
    others = {name: value for name, value in stages.items() if name not in NETWORK_STAGES}
    return others | {
        "path": (end - start) * 1000,
        "decode": (decoded - start) * 1000,
        "network": sum(stages.get(name, 0.0) for name in NETWORK_STAGES),
    }


def median(values: Sequence[float]) -> float:
    """Median, to a hundredth of a millisecond."""
    return round(float(np.median(values)), 2)


def p95(values: Sequence[float]) -> float:
    """95th percentile, to a hundredth of a millisecond."""
    return round(float(np.percentile(values, 95)), 2)
