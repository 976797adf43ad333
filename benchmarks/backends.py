"""Time every backend that these weights may use, in turn, on one simulated scan.

    python -m benchmarks.backends --weights research --threads 2

Figures go to ``benchmarks/results/backends.json``, with what the machine is; ``python -m
benchmarks.backends_table`` writes docs/speed.md from them. What each backend lost against single precision
comes from the checks that ``python -m nerve_core export`` made. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.regenerate import write_json
from nerve_core.arguments import positive
from nerve_core.config import ROOT
from nerve_core.errors import CheckpointError
from nerve_core.evaluation.bench import limited_threads, png_with_nerve, read
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.timing import median, p95, time_path
from nerve_core.inference.backends import BACKENDS, EXACT
from nerve_core.inference.exports import checks
from nerve_core.inference.predictor import Predictor

TARGET = ROOT / "benchmarks" / "results" / "backends.json"
EAGER = "torch"


def main(argv: Sequence[str] | None = None) -> int:
    """Time and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends")
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument("--threads", type=positive, default=2, metavar="N", help="processor threads")
    parser.add_argument("--runs", type=positive, default=40, metavar="N", help="runs of each")
    args = parser.parse_args(argv)
    figures = measure(args.weights, args.threads, args.runs)
    kept = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    write_json(TARGET, {**kept, figures["weights"]: figures})
    return 0


def measure(weights: str | None, threads: int, runs: int) -> dict[str, Any]:
    """Medians and 95th percentiles in ms by backend, ratios to plain PyTorch, and what each lost."""
    with limited_threads(threads):
        ready = {}
        for name in BACKENDS:
            try:
                ready[name] = Predictor.load(weights, device="cpu", backend=name)
            except CheckpointError as reason:
                print(f"{name}: left out. {reason}", file=sys.stderr)
        eager = ready[EAGER]
        png, _ = png_with_nerve(eager)
        times = time_path(ready, png, read, runs, progress=on_stderr("rounds"))
    plain = {stage: median(times[EAGER][stage]) for stage in ("network", "path")}
    lost = checks(eager.folder)
    return {
        "weights": eager.name,
        "version": eager.version,
        "processor": processor(),
        "threads": threads,
        "runs": runs,
        "regenerate": f"python -m benchmarks.backends --weights {eager.name} --threads {threads} "
        f"--runs {runs}",
        "backends": {
            name: {
                **{f"{stage}_ms": median(found[stage]) for stage in ("network", "path")},
                **{f"{stage}_p95_ms": p95(found[stage]) for stage in ("network", "path")},
                **{f"{stage}_times": round(plain[stage] / median(found[stage]), 2) for stage in plain},
                "check": "exact" if name in EXACT else lost.get(name),
            }
            for name, found in times.items()
        },
    }


def processor() -> str:
    """Name of the processor, with the instructions that halve the work."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    name = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    known = [word for word in ("amx_bf16", "amx_int8", "avx512_vnni", "avx_vnni") if word in text]
    return f"{name} ({', '.join(known) or 'no AMX, no VNNI'})"


if __name__ == "__main__":
    sys.exit(main())
