"""Damaged files through every way in: reading, de-identification, REST. A program of its own, to be limited.

Run by ``test_fuzz_uploads``: prints one JSON object with what was seen.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from nerve_core.errors import NerveCoreError
from nerve_core.imaging.deidentify import deidentify
from nerve_core.imaging.read import open_scan
from nerve_core.inference import predictor as predictors
from nerve_core.service.app import create_app
from tests.service.fakes import FakePredictor
from tests.soak.fuzz_files import damaged, whole_files


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    # an unbounded allocation fails here instead of taking the machine with it
    resource.setrlimit(resource.RLIMIT_AS, (24 * 2**30, 24 * 2**30))
    print(json.dumps(asyncio.run(run(args.count, args.seed))))


async def run(count: int, seed: int) -> dict[str, Any]:
    """Feed the files; count what came of them and remember the slowest and every failure."""
    predictors.get_predictor = lambda name=None: FakePredictor()  # type: ignore[assignment]
    transport = httpx.ASGITransport(app=create_app(), raise_app_exceptions=False)
    words: collections.Counter[str] = collections.Counter()
    formats: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    slowest = 0.0
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for number, (name, data) in enumerate(damaged(whole_files(), count, seed)):
            formats[name] += 1
            started = time.monotonic()
            try:
                await feed(client, data, words)
            except Exception as fault:
                failures.append(f"{number} {name}: {type(fault).__name__}: {str(fault)[:200]}")
            slowest = max(slowest, time.monotonic() - started)
            if number % 1000 == 999:
                print(number + 1, dict(words), len(failures), round(slowest, 2), file=sys.stderr, flush=True)
    return {
        "files": sum(formats.values()),
        "formats": dict(formats),
        "outcomes": dict(words),
        "failures": failures[:50],
        "n_failures": len(failures),
        "slowest_s": round(slowest, 3),
        "peak_mib": round(peak_mib()),
        "seed": seed,
    }


def peak_mib() -> float:
    """Most memory of this program; getrusage would count that of the larger one it was started from."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


async def feed(client: httpx.AsyncClient, data: bytes, words: collections.Counter[str]) -> None:
    """One file through each way in; anything but an answer or a sentence is raised."""
    readable = True
    try:
        file = open_scan(data)
        for frame in range(min(file.n_frames, 3)):
            file.scan(frame)
        words["read"] += 1
    except NerveCoreError:
        readable = False
        words["refused"] += 1
    try:
        cleaned = deidentify(data, "Brown.png").data
    except NerveCoreError:
        words["not cleaned"] += 1
    else:
        words["cleaned"] += 1
        open_scan(cleaned)
        if readable and len(cleaned) > 50_000_000:
            raise AssertionError("cleaned file is huge")
    answer = await client.post("/predict", files={"file": ("a.png", data)})
    if answer.status_code not in (200, 400):
        raise AssertionError(f"status {answer.status_code}")
    words[f"REST {answer.status_code}"] += 1


if __name__ == "__main__":
    main()
