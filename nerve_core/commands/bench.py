"""Time the whole path on this machine: the fast backend against plain PyTorch, run in turn."""

from __future__ import annotations

import argparse
import json

from nerve_core.arguments import positive

HELP = "time the path from a PNG to its verdict"
FEWEST = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core bench``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument(
        "--threads", type=positive, default=2, metavar="N", help="processor threads (default: 2)"
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda or mps (default: the best present)")
    parser.add_argument("--backend", metavar="NAME", help="torch or openvino (default: the fastest present)")
    parser.add_argument(
        "--runs",
        type=enough,
        default=FEWEST,
        metavar="N",
        help=f"runs of each, at least {FEWEST} (the default)",
    )


def enough(text: str) -> int:
    """A whole number of at least ``FEWEST``, for argparse: a median of fewer says little."""
    value = int(text)
    if value < FEWEST:
        raise argparse.ArgumentTypeError(f"must be at least {FEWEST}")
    return value


def run(args: argparse.Namespace) -> int:
    """Print the medians."""
    from nerve_core.evaluation.bench import bench
    from nerve_core.evaluation.progress import on_stderr

    figures = bench(
        weights=args.weights,
        threads=args.threads,
        device=args.device,
        backend=args.backend,
        runs=args.runs,
        progress=on_stderr("rounds"),
    )
    print(json.dumps(figures, indent=2) if args.json else as_text(figures))
    return 0


def as_text(figures: dict) -> str:
    """The figures as a small table."""
    return "\n".join(
        [
            f"{figures['model']} at {figures['size']}² on {figures['device']}, {figures['threads']} threads, "
            f"medians of {figures['runs']} runs",
            f"{'':<24}{'network':>12}{'whole path':>14}",
            f"{figures['backend']:<24}{figures['network_ms']:>9.1f} ms{figures['path_ms']:>11.1f} ms",
            f"{'plain fp32 PyTorch':<24}{figures['eager_network_ms']:>9.1f} ms"
            f"{figures['eager_path_ms']:>11.1f} ms",
        ]
    )
