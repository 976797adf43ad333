"""Trains networks over sweeps, and shows how much each leans on the neighbouring frames.

    python -m nerve_core data phantoms --out sweeps --count 0 --sweeps 60
    python -m benchmarks.sweeps --manifest sweeps/manifest.csv --out sweeps-weights unet3d recurrent_lite0

Every network is trained alike and judged on the same sweeps held back: Dice of the whole sweep, without and
with one click in its middle. Beside each stands the same network shown every frame by itself, so that the
difference is the neighbours' alone.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

HEADER = (
    "| network | sweeps | Dice | one frame at a time | with a click | parameters |\n|---|---|---|---|---|---|"
)


def main(arguments: list[str] | None = None) -> int:
    """Train, judge and print a table; a run cut short goes on with ``--resume``."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("architectures", nargs="*", help="keys of models.temporal.SWEEPS (default: all)")
    parser.add_argument("--manifest", nargs="+", required=True, help="with rows of sweeps")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="takes a checkpoint each")
    parser.add_argument(
        "--config", type=Path, help="settings as JSON, as of train (default: 128 px, 12 epochs)"
    )
    parser.add_argument("--licence", choices=["open", "any"], default="any")
    parser.add_argument("--frames", type=int, default=8, help="of a training sample (default: 8)")
    parser.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    args = parser.parse_args(arguments)

    from nerve_core.models.temporal import SWEEPS
    from nerve_core.training.config import Stage, TrainConfig
    from nerve_core.training.sweeps import train_sweeps

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    config = (
        TrainConfig.from_file(args.config)
        if args.config
        else TrainConfig(name="sweeps", size=128, contour=Stage(epochs=12, samples=160, batch=4))
    )
    lines = []
    for name in args.architectures or SWEEPS:
        own = replace(config, architecture=name, name=f"{config.name}-{name}")
        found = train_sweeps(args.manifest, own, args.out / name, args.licence, args.frames, args.resume)
        test = found["test"]
        lines.append(
            f"| {SWEEPS[name].title} | {test['n']} | {test['dice']:.3f} | {test['dice_single']:.3f} | "
            f"{test['dice_click']:.3f} | {found['parameters'] / 1e6:.1f} M |"
        )
        print(json.dumps({"architecture": name, **test}), flush=True)
    print("\n".join([HEADER, *lines]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
