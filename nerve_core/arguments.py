"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def add_manifests(parser: argparse.ArgumentParser, meaning: str) -> None:
    """``--manifest FILE ...``, required; may be given again for more."""
    parser.add_argument(
        "--manifest", type=Path, nargs="+", action="extend", required=True, metavar="FILE", help=meaning
    )
