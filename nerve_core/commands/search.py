"""Search for better training settings on the validation groups."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nerve_core.arguments import add_manifests, positive
from nerve_core.config import ROOT

HELP = "search for better training settings, by a grid or Optuna"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core search``."""
    add = parser.add_argument
    add_manifests(parser, "what to train on")
    add(
        "--space",
        type=Path,
        required=True,
        metavar="FILE",
        help="settings and the values they may take, as JSON; see docs/training.md",
    )
    add("--config", type=Path, metavar="FILE", help="all other settings (default: the built-in ones)")
    add("--part", choices=["contour", "verdict"], default="contour", help="what to train (default: contour)")
    add("--sampler", choices=["tpe", "random", "grid"], default="tpe", help="default: tpe")
    add("--trials", type=positive, default=20, metavar="N", help="altogether (default: 20)")
    add("--licence", choices=["open", "any"], default="any", help="as for train (default: any)")
    add(
        "--study",
        type=Path,
        default=ROOT / "runs" / "search.sqlite",
        metavar="FILE",
        help="SQLite file of the study, which the same command goes on with (default: runs/search.sqlite)",
    )
    add(
        "--out",
        type=Path,
        default=ROOT / "runs" / "search-best.json",
        metavar="FILE",
        help="takes the best settings, for train --config (default: runs/search-best.json)",
    )


def run(args: argparse.Namespace) -> int:
    """Search, then write and print the best settings."""
    from nerve_core.training.config import TrainConfig
    from nerve_core.training.search import search, write_config
    from nerve_core.training.search_space import read_space

    base = TrainConfig.from_file(args.config) if args.config else TrainConfig()
    space = read_space(args.space, base)

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    found = search(
        args.manifest,
        base,
        space,
        args.study,
        part=args.part,
        sampler=args.sampler,
        trials=args.trials,
        licence=args.licence,
        report=report,
    )
    write_config(found.config, args.out)
    print(f"Best of {found.trials} trials on the validation groups: {found.value:.4f}")
    for name, value in found.settings.items():
        share = f"   {100 * found.importance[name]:.0f} % of the spread" if name in found.importance else ""
        print(f"  {name} = {value}{share}")
    print(f"Train with them: python -m nerve_core train --config {args.out} --manifest ...")
    return 0
