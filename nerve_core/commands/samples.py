"""Write the simulated sample scans."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write simulated sample scans with their truth"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core samples``."""
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write to (default: the samples' own)"
    )
    parser.add_argument(
        "--seed",
        type=_whole,
        default=0,
        metavar="N",
        help="0 (the default) writes the samples of the project, another number others like them",
    )


def _whole(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def run(args: argparse.Namespace) -> int:
    """Write them and name each."""
    from nerve_core.config import settings
    from nerve_core.data.samples import write_samples

    for sample in write_samples(args.out or settings().samples, args.seed):
        print(f"{sample.path.name}: {sample.title}")
    return 0
