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
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.regenerate import CONTOUR_KEYS, click_figures, sets_in, write_json
from nerve_core.config import settings
from nerve_core.evaluation.evaluate import chosen, read_rows, score_rows
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.summary import summarise
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import NerveNet, save_checkpoint
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.run import RUNS, best_weights, train_contours, training_rows

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
    home = RUNS / config.name
    train_contours(training_rows(manifests, "any", config.leave_out), config, home, resume=True)
    with tempfile.TemporaryDirectory() as folder:
        model = NerveNet(config.architecture)
        model.contour.load_state_dict(best_weights(home / "contour")[0])
        description = {
            "name": config.name,
            "version": "0",
            "architecture": config.architecture,
            "preprocess": Preprocess(size=config.final_size).to_dict(),
        }
        save_checkpoint(Path(folder), model, description)
        predictor = Predictor(Path(folder), "cpu", "openvino")
        if config.threads:
            torch.set_num_threads(config.threads)
        rows = chosen(read_rows(unseen), limit=MOST)
        scored = score_rows(rows, predictor, clicks=True, progress=on_stderr("scans"))
    figures = summarise(scored)
    return {key: figures[key] for key in CONTOUR_KEYS} | {"click": click_figures(scored)}


if __name__ == "__main__":
    raise SystemExit(main())
