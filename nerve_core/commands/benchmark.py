"""Measure and compare every architecture and classical method on the same scans."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nerve_core.arguments import positive
from nerve_core.config import ROOT

HELP = "compare architectures and classical methods on the same scans"

STORE = ROOT / "runs" / "benchmark.sqlite"
SUFFIXES = {"markdown": "md", "csv": "csv", "latex": "tex"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core benchmark``."""
    modes = parser.add_subparsers(dest="mode", required=True, metavar="MODE")
    modes.add_parser("methods", help="list every method there is").set_defaults(action=print_methods)

    run = modes.add_parser("run", help="measure what the store does not hold yet")
    add = run.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="one folder a set, each with a manifest.csv")
    add("--methods", nargs="+", metavar="NAME", help="which (default: every one)")
    add(
        "--tasks",
        nargs="+",
        choices=["contours", "verdict", "robustness"],
        default=["contours", "verdict"],
        help="what to measure (default: contours verdict)",
    )
    add(
        "--splits",
        nargs="+",
        default=["group"],
        metavar="HOW",
        help="group (default), image, or folds such as 1/5 2/5: how scans are split for the trainings; all: "
        "every scan of sets that no method learned from",
    )
    add("--left-out", nargs="+", default=[], metavar="SET", help="also train without each of these sets")
    add("--seeds", nargs="+", type=int, default=[0], metavar="N", help="of the trainings (default: 0)")
    add("--size", type=positive, default=128, metavar="PX", help="side of the input (default: 128)")
    add("--steps", type=positive, default=200, metavar="N", help="of each training (default: 200)")
    add("--limit", type=positive, metavar="N", help="most scans scored a set, spread evenly")
    add("--classical", type=Path, metavar="DIR", help="what python -m benchmarks.classical wrote")
    add("--workers", type=positive, default=2, metavar="N", help="scans predicted at once (default: 2)")
    add("--threads", type=int, default=0, metavar="N", help="torch threads (default: all)")
    add("--costs", action="store_true", help="also measure parameters, operations, time and memory")
    run.set_defaults(action=measure)

    tables = modes.add_parser("tables", help="print the tables of a store")
    tables.add_argument("--format", choices=list(SUFFIXES), default="markdown")
    tables.add_argument("--out", type=Path, metavar="DIR", help="write one file a table instead of printing")
    tables.set_defaults(action=print_tables)
    publish = modes.add_parser("publish", help="write the results that the pages show")
    publish.set_defaults(action=publish_results)
    for mode in (run, tables, publish):
        mode.add_argument(
            "--store",
            type=Path,
            default=STORE,
            metavar="FILE",
            help="SQLite file of results (default: runs/benchmark.sqlite)",
        )


def run(args: argparse.Namespace) -> int:
    """Do what the mode says."""
    return args.action(args)


def print_methods(_: argparse.Namespace) -> int:
    """Name and nature of every method."""
    from nerve_core.evaluation.methods import known_methods

    known = known_methods()
    width = max(map(len, known))
    print("\n".join(f"{name:<{width}}  {what}" for name, what in known.items()))
    return 0


def measure(args: argparse.Namespace) -> int:
    """Fill the store; exit status 1 when some method failed."""
    import warnings

    from nerve_core.evaluation.benchmark import measure_costs, run_benchmark, sets_in
    from nerve_core.evaluation.methods import Setup, is_network, known_methods
    from nerve_core.evaluation.results import ResultsStore

    # MONAI calls its own deprecated option; nothing a user could act on.
    warnings.filterwarnings("ignore", category=FutureWarning, module="monai")
    methods = args.methods or [name for name in known_methods() if args.classical or is_network(name)]

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    store = ResultsStore(args.store)
    setup = Setup(size=args.size, steps=args.steps, threads=args.threads)
    failed = run_benchmark(
        store,
        sets_in(args.data),
        methods,
        setup=setup,
        tasks=args.tasks,
        splits=args.splits,
        seeds=args.seeds,
        left_out=args.left_out,
        limit=args.limit,
        classical=args.classical,
        workers=args.workers,
        report=report,
    )
    if args.costs:
        measure_costs(store, methods, args.size, report)
    return 1 if failed else 0


def print_tables(args: argparse.Namespace) -> int:
    """The tables of a store."""
    from nerve_core.evaluation.result_text import FORMATS, all_tables
    from nerve_core.evaluation.results import ResultsStore

    suffix, write = SUFFIXES[args.format], FORMATS[args.format]
    tables = {name: write(*table) for name, table in all_tables(ResultsStore(args.store)).items()}
    if args.out is None:
        print("\n\n".join(f"{name}\n\n{text}" for name, text in tables.items()))
        return 0
    args.out.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        partial = args.out / f".{name}.{suffix}.partial"
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(args.out / f"{name}.{suffix}")
    return 0


def publish_results(args: argparse.Namespace) -> int:
    """Write the published files and name them."""
    from nerve_core.evaluation.published import publish
    from nerve_core.evaluation.results import ResultsStore

    for path in publish(ResultsStore(args.store)):
        print(path)
    return 0
