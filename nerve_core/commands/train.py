"""Train weights on manifests: the encoder if wanted, contours, then the verdict, then one checkpoint."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from nerve_core.arguments import add_manifests

HELP = "train weights on your own or the public sets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core train``."""
    add_manifests(parser, "what to train on")
    parser.add_argument(
        "--licence",
        choices=["open", "any"],
        default="any",
        help="open: only sets whose licence lets anyone use the weights (default: any, research use only)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings as JSON, see docs/training.md (default: the built-in ones)",
    )
    parser.add_argument("--name", help="name of the checkpoint (default: from the config)")
    parser.add_argument(
        "--leave-out", nargs="+", default=[], metavar="SET", help="sets not to train on at all"
    )
    parser.add_argument(
        "--start", type=Path, metavar="DIR", help="checkpoint to start from, to refine it on your own scans"
    )
    parser.add_argument(
        "--unlabelled",
        nargs="+",
        default=[],
        metavar="FILE",
        help="manifests of further scans, to learn from without contours (pretrain and consistency)",
    )
    parser.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    parser.add_argument(
        "--part",
        choices=["all", "pretrain", "contour", "verdict"],
        default="all",
        help="train one part only (default: all)",
    )
    parser.add_argument("--version", default="1.0", help="version written into the checkpoint (default: 1.0)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="checkpoint folder (default: checkpoints/NAME)"
    )


def run(args: argparse.Namespace) -> int:
    """Train; the checkpoint is written once both parts are there."""
    from nerve_core.config import settings
    from nerve_core.training.config import TrainConfig
    from nerve_core.training.run import train

    config = TrainConfig.from_file(args.config) if args.config else TrainConfig()
    config = replace(
        config,
        name=args.name or config.name,
        start=str(args.start or config.start),
        leave_out=tuple(args.leave_out) or config.leave_out,
        unlabelled=tuple(args.unlabelled) or config.unlabelled,
    )
    folder = args.out or settings().checkpoints / config.name
    written = train(args.manifest, config, args.licence, args.part, args.resume, folder, args.version)
    if written:
        from nerve_core.evaluation.calibration import calibrate

        calibrate(folder, args.manifest)
        print(f"The weights are in {folder}; choose them with NERVE_WEIGHTS={folder.name}.")
    else:
        print(f"The {args.part} part is trained; the checkpoint is written once both parts are.")
    return 0
