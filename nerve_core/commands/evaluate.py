"""Score the weights on a manifest: contours, and the verdict where labels are known."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

from nerve_core.arguments import add_manifests, positive

HELP = "score the weights on a manifest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core evaluate``."""
    add_manifests(
        parser, "manifest CSV, or a folder with affected/ and unaffected/; several are put together"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--per-image",
        type=Path,
        metavar="FILE.csv",
        help="write one line an image, or frame of a sweep, to this file",
    )
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument(
        "--click",
        choices=["centre"],
        help="also score with one click where the largest nerve is thickest",
    )
    parser.add_argument(
        "--split",
        choices=["all", "train", "val", "test"],
        default="all",
        help="only the rows on this side of the project's group split (default: all)",
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="use at most N rows, spread evenly over the manifest"
    )
    parser.add_argument(
        "--workers", type=positive, default=2, metavar="N", help="scans predicted at once (default: 2)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the figures; exit status 1 when some row could not be used, which ``errors`` then names."""
    from nerve_core.evaluation.evaluate import evaluate
    from nerve_core.evaluation.progress import on_stderr
    from nerve_core.inference.predictor import get_predictor

    # MONAI calls its own deprecated option; nothing a user could act on.
    warnings.filterwarnings("ignore", category=FutureWarning, module="monai")
    predictor = get_predictor(args.weights)
    figures = evaluate(
        args.manifest,
        predictor,
        clicks=args.click == "centre",
        per_image=args.per_image,
        split=args.split,
        limit=args.limit,
        workers=args.workers,
        progress=on_stderr("scans"),
    )
    figures["model"] = f"{predictor.name} {predictor.version}"
    if args.json:
        print(json.dumps(figures, indent=2, allow_nan=False))
    else:
        from nerve_core.evaluation.text import as_text

        print(f"{figures['model']}: {as_text(figures)}")
    for failed in figures["errors"]:
        print(f"{failed['image']}: {failed['error']}", file=sys.stderr)
    return 1 if figures["errors"] else 0
