"""How the contours fare on a set that was never trained on: train without it, then score all of it.

    python -m benchmarks.leave_one_set_out --data DIR

Each run is small and the same for every set (128 px, a fixed number of steps), so the figures compare sets;
they are not those of the shipped weights. The result goes into ``checkpoints/research/metrics.json``
under ``leave_one_set_out``; a set that is there already for the same size and steps is not trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.regenerate import sets_in, write_json
from nerve_core.config import settings
from nerve_core.evaluation.evaluate import chosen, read_rows
from nerve_core.evaluation.small_run import contour_score, trained
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.run import training_rows

SIZE = 128
MOST = 150
"""Most scans scored in a set, spread evenly over it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Train and score every contoured set in turn, and merge the figures after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leave_one_set_out")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--samples", type=int, default=800, help="samples an epoch")
    parser.add_argument("--threads", type=int, default=0, help="torch threads (default: all)")
    args = parser.parse_args(argv)
    sets = sets_in(args.data)
    contoured = [name for name, path in sets.items() if any(row["mask"] for row in read_rows(path))]
    target = settings().checkpoints / "research" / "metrics.json"
    for name in contoured:
        config = TrainConfig(
            name=f"without-{name}",
            size=SIZE,
            final_size=SIZE,
            leave_out=(name,),
            threads=args.threads,
            contour=Stage(epochs=args.epochs, samples=args.samples),
        )
        steps = args.epochs * (args.samples // config.contour.batch)
        metrics = json.loads(target.read_text()) if target.exists() else {}
        done = metrics.get("leave_one_set_out") or {}
        if (done.get(name) or {}).get("steps") == steps:
            continue
        figures = run([sets[other] for other in contoured], sets[name], config)
        metrics = json.loads(target.read_text()) if target.exists() else {}
        kept = metrics.get("leave_one_set_out") or {}
        metrics["leave_one_set_out"] = kept | {name: figures | {"size": SIZE, "steps": steps}}
        write_json(target, metrics)
        print(
            f"{name}: Dice {figures['dice_mean']:.3f}, click {figures['click']['dice_mean']:.3f}",
            file=sys.stderr,
        )
    return 0


def run(manifests: Sequence[Path], unseen: Path, config: TrainConfig) -> dict[str, Any]:
    """Contour figures, without and with a click, of a set that the training never saw."""
    with trained(training_rows(manifests, "any", config.leave_out), config) as predictor:
        return contour_score(chosen(read_rows(unseen), limit=MOST), predictor, config.threads)


if __name__ == "__main__":
    raise SystemExit(main())
