"""What each kind of training data and each method adds to the contours, at home and on sets never seen.

    python -m benchmarks.ablation --data DIR --phantoms MANIFEST [--generated MANIFEST]

The same small network, size, steps and seed for every row; only what the row names changes. Each row is
trained on all sets and scored on their test groups, then again without each set of ``LEFT_OUT`` and scored on
all of that set, and once without phantoms of the wrist, scored on those. Femoral is never left out: its
masks are of the block target, another thing than a nerve. Writes ``benchmarks/results/ablation.json`` after
every training, and goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.regenerate import sets_in, write_json
from nerve_core.data.augment import Augment
from nerve_core.data.manifest import Row
from nerve_core.evaluation.evaluate import chosen, read_rows
from nerve_core.evaluation.small_run import contour_score, trained
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.run import training_rows

TARGET = Path(__file__).parent / "results" / "ablation.json"
LEFT_OUT = ("usgra", "ubpd", "kaggle")
HOME = "none"
"""The run that leaves no set out."""
WRIST = "wrist phantoms"
"""The run that never sees a phantom of the wrist, nor the median nerve there."""
MOST = 120
"""Most scans scored in a set, spread evenly over it."""
EMA = 0.97
"""The usual average over 200 steps would still hold the untrained start at the end of so short a run."""


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        what: in words.
        sources: simulated or generated sets that join the real ones.
        bare: whether the sets without contours are learned from as well.
        changes: settings of the training that differ from the base.
    """

    what: str
    sources: tuple[str, ...] = ()
    bare: bool = False
    changes: dict[str, Any] = field(default_factory=dict)


VARIANTS: dict[str, Variant] = {
    "plain": Variant(
        "real scans, mirrored and shifted",
        changes={"augment": Augment.minimal(), "pathology_share": 0.0, "vessel_weight": 0.0},
    ),
    "augmented": Variant("+ strong augmentation", changes={"vessel_weight": 0.0}),
    "vessels": Variant("+ augmentation, vessels"),
    "phantoms": Variant("+ augmentation, vessels, phantoms", ("phantoms",)),
    "wide": Variant(
        "+ augmentation, vessels, phantoms, smaller and larger",
        ("phantoms",),
        changes={"augment": Augment(zoom=(0.4, 1.8), click_zoom=(0.5, 3.0))},
    ),
    "style": Variant(
        "+ augmentation, vessels, phantoms, mixed looks",
        ("phantoms",),
        changes={"augment": Augment(style_mix=0.4)},
    ),
    "generated": Variant(
        "+ augmentation, vessels, phantoms, translated phantoms (made with the looks of usgra)",
        ("phantoms", "generated"),
    ),
    "pretrained": Variant(
        "+ augmentation, vessels, phantoms, self-supervised start",
        ("phantoms",),
        True,
        {"pretrain": Stage(epochs=3, samples=1200, batch=32, ema=EMA)},
    ),
    "teacher": Variant(
        "+ augmentation, vessels, phantoms, mean teacher",
        ("phantoms",),
        True,
        {"consistency": 1.0, "augment": Augment(style_mix=0.4)},
    ),
    "all": Variant(
        "all of these together",
        ("phantoms", "generated"),
        True,
        {
            "augment": Augment(zoom=(0.4, 1.8), click_zoom=(0.5, 3.0), style_mix=0.4),
            "pretrain": Stage(epochs=3, samples=1200, batch=32, ema=EMA),
            "consistency": 1.0,
        },
    ),
    "adversarial": Variant(
        "+ augmentation, vessels, phantoms, adversarial contours",
        ("phantoms",),
        changes={"adversarial_weight": 0.1},
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Train and score what is not in the results yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--phantoms", type=Path, required=True, metavar="MANIFEST")
    parser.add_argument("--generated", type=Path, metavar="MANIFEST")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--size", type=int, default=128, metavar="PX", help="side of the input")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--samples", type=int, default=1200, help="samples an epoch")
    parser.add_argument("--threads", type=int, default=0, help="torch threads (default: all)")
    args = parser.parse_args(argv)
    sets = sets_in(args.data)
    real = {name: path for name, path in sets.items() if any(row["mask"] for row in read_rows(path))}
    bare = [path for name, path in sets.items() if name not in real]
    extra = {"phantoms": args.phantoms, "generated": args.generated}
    base = TrainConfig(
        size=args.size,
        final_size=args.size,
        threads=args.threads,
        contour=Stage(epochs=args.epochs, samples=args.samples, ema=EMA),
    )
    steps = args.epochs * (args.samples // base.contour.batch)
    setup = {"size": args.size, "steps": steps, "batch": base.contour.batch, "most": MOST}
    for without in (*LEFT_OUT, HOME, WRIST):
        for name in args.variants:
            variant = VARIANTS[name]
            if any(extra[source] is None for source in variant.sources) or without in done(name, setup):
                continue
            config = replace(
                base,
                name=f"ablation-{name}-{without.replace(' ', '-')}",
                leave_out=(without,) if without in real else (),
                **variant.changes,
            )
            joined = [*real.values(), *(extra[source] for source in variant.sources)]
            joined += bare if variant.bare else []
            rows = training_rows(joined, "any", config.leave_out)
            if without == WRIST:
                rows = [row for row in rows if not of_wrist(row)]
            with trained(rows, config) as predictor:
                scores = {
                    unseen: contour_score(scored, predictor, args.threads)
                    for unseen, scored in judged(without, real, args.phantoms, rows).items()
                }
            keep(name, setup, without, scores)
            print(
                name, without, {key: round(s["dice_mean"], 3) for key, s in scores.items()}, file=sys.stderr
            )
    return 0


def of_wrist(row: Row) -> bool:
    """Whether a row is a simulated wrist."""
    return row.get("simulated") == "1" and row.get("site") == "wrist"


def judged(
    without: str, real: dict[str, Path], phantoms: Path, trained_on: Sequence[Row]
) -> dict[str, list[Row]]:
    """Rows to score after a run, by name of the set: none of them was trained on."""
    if without == WRIST:
        return {WRIST: chosen([row for row in read_rows(phantoms) if of_wrist(row)], limit=MOST)}
    if without != HOME:
        return {without: chosen(read_rows(real[without]), limit=MOST)}
    unseen = {row["image"] for row in trained_on if row["split"] == "test"}
    return {
        name: chosen([row for row in read_rows(path) if row["image"] in unseen], limit=MOST)
        for name, path in real.items()
    }


def done(name: str, setup: dict[str, int]) -> dict[str, Any]:
    """What is measured of a row already, with the same setup."""
    row = stored().get("rows", {}).get(name, {})
    return row.get("without", {}) if row.get("setup") == setup else {}


def keep(name: str, setup: dict[str, int], without: str, scores: dict[str, Any]) -> None:
    """Add the scores of one run; those of another setup give way."""
    runs = done(name, setup) | {without: scores}
    results = stored()
    rows = results.get("rows", {}) | {name: {"what": VARIANTS[name].what, "setup": setup, "without": runs}}
    write_json(TARGET, {"regenerate": "python -m benchmarks.ablation --data DIR ...", "rows": rows})


def stored() -> dict[str, Any]:
    """The results so far."""
    return json.loads(TARGET.read_text()) if TARGET.exists() else {}


if __name__ == "__main__":
    raise SystemExit(main())
