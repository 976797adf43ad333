"""Write weights for other engines, checked against single precision."""

from __future__ import annotations

import argparse
import json

from nerve_core.arguments import add_manifests, positive

HELP = "write weights for OpenVINO and ONNX, half and eight bits, and check them"
DEFAULT = ("openvino-half", "openvino-int8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``python -m nerve_core export``."""
    add = parser.add_argument
    add("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    add_manifests(parser, "sets the weights were trained on, to choose ranges and to check with")
    add(
        "--backends", nargs="+", default=list(DEFAULT), metavar="NAME", help="what for (default: %(default)s)"
    )
    add("--limit", type=positive, default=120, metavar="N", help="most scans for each purpose (default: 120)")
    add("--json", action="store_true", help="print one JSON object and nothing else")


def run(args: argparse.Namespace) -> int:
    """Export; exit status 1 when one lost too much."""
    from nerve_core.config import settings
    from nerve_core.evaluation.export import AUC_LOSS, DICE_LOSS, export
    from nerve_core.evaluation.progress import on_stderr

    folder = settings().checkpoints / (args.weights or settings().weights)
    found = export(folder, args.manifest, args.backends, args.limit, on_stderr("backends"))
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        for name, check in found.items():
            word = "may be used" if check["passed"] else "refused"
            print(
                f"{name:<14} {word:<11} Dice lost {check['dice_loss']:+.4f} (at most {DICE_LOSS}), "
                f"AUC lost {check['auc_loss']:+.4f} (at most {AUC_LOSS}), {check['scans']} scans, "
                f"{check['nerves']} nerves"
            )
    return 0 if all(check["passed"] for check in found.values()) else 1
