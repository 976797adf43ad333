"""``data``: prepare sets of scans for training and evaluation."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

HELP = "prepare sets of scans: write pathology into them, or simulate them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing that can be done with a set."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    pathology = actions.add_parser("pathology", help=_PATHOLOGY, description=_PATHOLOGY)
    pathology.add_argument(
        "--manifest", type=Path, required=True, metavar="FILE", help="CSV with the columns image, mask, group"
    )
    pathology.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    pathology.add_argument(
        "--seed", type=int, default=0, metavar="N", help="same seed, same images (default 0)"
    )
    pathology.set_defaults(act=_pathology)
    phantoms = actions.add_parser("phantoms", help=_PHANTOMS, description=_PHANTOMS)
    phantoms.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    phantoms.add_argument("--count", type=int, default=150, metavar="N", help="how many (default 150)")
    phantoms.add_argument(
        "--seed", type=int, default=100_000, metavar="N", help="same seed, same images (default 100000)"
    )
    phantoms.set_defaults(act=_phantoms)


_PHANTOMS = "simulate scans of every site with their truth, half of them with pathology"
_PATHOLOGY = "write, for every scan with a contour, the original, one sham and one affected image"


def run(args: argparse.Namespace) -> int:
    """Run the chosen subcommand."""
    return args.act(args)


def _pathology(args: argparse.Namespace) -> int:
    with contextlib.redirect_stdout(sys.stderr):
        from nerve_core.data.pathology.export import write_pathology_set

        write_pathology_set(args.manifest, args.out, seed=args.seed)
    print(args.out / "manifest.csv")
    return 0


def _phantoms(args: argparse.Namespace) -> int:
    from nerve_core.data.phantom_set import write_phantom_set

    print(write_phantom_set(args.out, args.count, args.seed))
    return 0
