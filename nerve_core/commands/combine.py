"""Put the verdicts of several trainings into one checkpoint, averaged."""

from __future__ import annotations

import argparse
from pathlib import Path

from nerve_core.arguments import add_manifests

HELP = "average the verdicts of several trainings in one checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core combine``."""
    add = parser.add_argument
    add("weights", type=Path, nargs="+", metavar="DIR", help="checkpoints; the contours are the last one's")
    add_manifests(parser, "sets to calibrate on")
    add("--out", type=Path, required=True, metavar="DIR", help="checkpoint folder")
    add("--version", default="1.0", help="version written into the checkpoint (default: 1.0)")


def run(args: argparse.Namespace) -> int:
    """Combine, then calibrate on the validation groups."""
    from nerve_core.evaluation.calibration import calibrate
    from nerve_core.training.jury import combine

    combine(args.weights, args.out, args.out.name, args.version)
    calibrate(args.out, args.manifest)
    print(f"The weights are in {args.out}; choose them with NERVE_WEIGHTS={args.out.name}.")
    return 0
