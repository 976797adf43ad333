"""Fit weights to a new clinic's scans, without a contour drawn there."""

from __future__ import annotations

import argparse
from pathlib import Path

from nerve_core.arguments import add_manifests

HELP = "fit weights to a new clinic's scans, which need no contours"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core adapt``."""
    add_manifests(parser, "scans of the clinic; contours in them are not looked at")
    parser.add_argument(
        "--start", type=Path, required=True, metavar="DIR", help="checkpoint to begin with, checkpoints/NAME"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="checkpoint to write; its name names the weights",
    )
    parser.add_argument(
        "--mix",
        type=float,
        default=1.0,
        help="share of the new scans in the normalisation's statistics, 0 to 1 (default: 1)",
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=0,
        help="epochs of learning from its own sure contours; 0: statistics alone (default: 0)",
    )
    parser.add_argument(
        "--confidence",
        type=float,
        default=0.9,
        help="pixels count there from this chance on, 0.5 to 1 (default: 0.9)",
    )
    parser.add_argument(
        "--style-mix",
        type=float,
        default=0.3,
        help="probability that a scan takes on the look of another one of them (default: 0.3)",
    )


def run(args: argparse.Namespace) -> int:
    """Adapt and write the checkpoint."""
    from nerve_core.training.adapt import NOTE, AdaptConfig, adapt

    how = AdaptConfig(mix=args.mix, epochs=args.epochs, confidence=args.confidence, style_mix=args.style_mix)
    adapt(args.manifest, args.start, args.out, how)
    print(f"The weights are in {args.out}. {NOTE}")
    return 0
