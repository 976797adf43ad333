"""How generators fare: distance to held-back real scans, replay of training scans, fit of the masks.

    python -m benchmarks.generative --data DIR --phantoms FILE --generator DIR

Figures go to ``benchmarks/results/generative.json`` under the generator's name. Pictures are drawn in memory;
none is written. The contour network that judges the masks is that of the shipped open weights, which learned
from phantoms as they are: its Dice on untranslated phantoms is flattered, and a fall says how much the look
changed as well as whether the anatomy moved.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.regenerate import sets_in, write_json
from nerve_core.config import ROOT, settings
from nerve_core.data.manifest import Row, read_manifest
from nerve_core.data.packed import Packed, pack
from nerve_core.generative.anatomy import contour_dice
from nerve_core.generative.checkpoint import load_generator
from nerve_core.generative.run import CACHE, split_rows
from nerve_core.generative.sampling import Drawn, chosen, painted, translated
from nerve_core.generative.scores import Reals, score, split_reals
from nerve_core.models.checkpoint import load_checkpoint

TARGET = ROOT / "benchmarks" / "results" / "generative.json"
JUDGED_AT = 192
"""Input of the contour network, px."""


def main(argv: Sequence[str] | None = None) -> int:
    """Score one generator and merge its figures into the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generative")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--phantoms", type=Path, required=True, metavar="FILE", help="their manifest")
    parser.add_argument("--generator", type=Path, required=True, metavar="DIR", help="what was trained")
    parser.add_argument("--count", type=int, default=150, help="pictures drawn (default 150)")
    args = parser.parse_args(argv)
    _, config, about = load_generator(args.generator)
    learned = [one["set"] for one in about["sets"]]
    rows = split_rows([path for name, path in sets_in(args.data).items() if name in learned], "any")
    reals, phantoms = split_reals(pack(rows, CACHE)), pack(read_manifest(args.phantoms))
    figures = run(reals, phantoms, args.generator, args.count)
    kept = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    write_json(TARGET, kept | {config.name: {"generator": about} | figures})
    return 0


def run(reals: Reals, phantoms: Packed, folder: Path, count: int) -> dict[str, Any]:
    """Figures of one generator: a translator restyles phantoms, a painter takes training contours."""
    generator, config, about = load_generator(folder)
    network = load_checkpoint(settings().checkpoints / "open")[0].contour
    if config.method == "paint":
        source = chosen(shuffled(reals.train), count)
        drawn = together(painted(generator, source, config, about, seed=0))
        before, side, named = reals.held_back, config.patch, None
    else:
        source = chosen(shuffled(phantoms), min(count, len(phantoms)))
        way = generator["real"] if config.method == "cycle" else generator
        drawn = together(translated(way, source, config.side))
        before, side, named = source, config.side, source
    dice = {
        name: float(np.mean(contour_dice(network, part, JUDGED_AT)))
        for name, part in (("before" if named else "real_held_back", before), ("generated", drawn))
    }
    return score(reals, drawn, named, side) | {"contour_dice": dice}


def shuffled(packed: Packed) -> Packed:
    """The same pictures in a fixed random order, so that the first of them are of every set."""
    order = np.random.default_rng(0).permutation(len(packed))
    parts = (packed.rows, packed.images, packed.masks, packed.vessels)
    return Packed(*([part[k] for k in order] for part in parts))


def together(drawn: Iterable[Drawn]) -> Packed:
    """Drawn pictures as a packed set, each saying in ``source`` what it was drawn from."""
    images, masks, rows = zip(*drawn, strict=True)
    named: list[Row] = [row | {"source": Path(row["image"]).name} for row in rows]
    return Packed(named, list(images), list(masks))


if __name__ == "__main__":
    sys.exit(main())
