"""Fit and measure what says how sure the model is: conformal verdicts, expected Dice, intervals of the area.

    python -m benchmarks.trust --data DIR --weights research --limit 40

``DIR`` holds one folder a set. Pathology is written into the scans of validation and test groups with fixed
seeds. What is fitted to the validation groups goes into the config of the weights (``conformal``,
``expected_dice``, ``area_reach``), figures on test groups into ``benchmarks/results/trust.json``;
``python -m benchmarks.trust_table`` writes docs/trust.md from it. With ``--rows FILE`` what was judged is
kept, line by line, and an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.regenerate import sets_in, write_json
from benchmarks.scope import TARGET
from nerve_core.data.manifest import is_simulated
from nerve_core.data.packed import read_mask
from nerve_core.errors import DataError
from nerve_core.evaluation.bootstrap import group_draws, interval
from nerve_core.evaluation.conformal import conformal_figures, fit_conformal, threshold
from nerve_core.evaluation.evaluate import chosen, read_rows
from nerve_core.evaluation.pathology_rows import SEED, pathology_rows
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.verdicts import rate
from nerve_core.explain.doubt import areas, look_again, nerve_masks, versions
from nerve_core.explain.expected_dice import expected_dice, figures_of, fit_expected_dice, overlap
from nerve_core.imaging.read import read_scan
from nerve_core.inference.abstention import Abstention

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

SEEDS = {"val": 4712, "test": SEED}
"""Of the pathology written into the scans of each side."""
SHOWN = (0.9, 0.95, 0.98)
"""Levels that are measured beside the one in force."""
AREA_LEVEL = 0.9
DROPPED = 0.1
"""Share of the worst-rated contours left out to see whether the others are better."""

Found = list[dict[str, Any]]


def main(argv: Sequence[str] | None = None) -> int:
    """Judge, fit, measure, store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N scans a set and side")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="keep what was judged here (JSON lines)")
    args = parser.parse_args(argv)
    from nerve_core.inference.predictor import get_predictor

    predictor = get_predictor(args.weights)
    found: Found = []
    if args.rows is not None and args.rows.exists():
        found = [json.loads(line) for line in args.rows.read_text().splitlines()]
    collect(sets_in(args.data), predictor, args.limit, found, args.rows)
    fitted = fit([row for row in found if row["side"] == "val"])
    path = predictor.folder / "config.json"
    partial = path.with_suffix(".json.part")
    partial.write_text(json.dumps(json.loads(path.read_text()) | fitted, indent=1) + "\n")
    partial.replace(path)
    figures = measure([row for row in found if row["side"] == "test"], fitted)
    kept = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    own = kept.get(predictor.name, {}) | {
        "version": predictor.version,
        "regenerate": f"python -m benchmarks.trust --data DIR --weights {predictor.name}"
        + (f" --limit {args.limit}" if args.limit else ""),
        "limit": args.limit,
        **figures,
    }
    write_json(TARGET, kept | {predictor.name: own})
    return 0


def collect(
    sets: Mapping[str, Path], predictor: Predictor, limit: int | None, found: Found, file: Path | None
) -> None:
    """Judge every version of the scans of both sides that ``found`` does not hold yet, and append to it."""
    done = {(row["side"], row["set"]) for row in found if row.get("last")}
    for side, seed in SEEDS.items():
        for name, manifest in sets.items():
            try:
                rows = chosen(read_rows(manifest), split=side, config=predictor.config)
            except DataError:  # the weights know no scan of this set on this side
                continue
            rows = [row for row in rows if row["mask"] and not is_simulated(row)]
            if not rows or (side, name) in done:
                continue
            rows = chosen(rows, limit=limit)
            own: Found = []
            told = on_stderr(f"{side} {name}")
            with pathology_rows(rows, manifest.parent, seed) as made:
                for k, row in enumerate(made):
                    own.append(judged(row, predictor) | {"side": side, "set": name})
                    told(k + 1, len(made))
            own[-1]["last"] = True
            found += own
            if file is not None:
                with file.open("a", encoding="utf-8") as lines:
                    lines.writelines(json.dumps(row) + "\n" for row in own)


def judged(row: Mapping[str, str], predictor: Predictor) -> dict[str, Any]:
    """What the predictor says of one version of a scan and how good it is; of originals, the doubt too."""
    scan = read_scan(row["image"])
    true = read_mask(row["mask"], scan.pixels.shape)
    prediction = predictor.predict(scan, gate=False)
    masks = nerve_masks(prediction)
    worked = read_mask(Path(row["image"]).parents[1] / row["nerve_mask"], scan.pixels.shape)
    over = [np.count_nonzero((mask > 0) & worked) for mask in masks]
    best = int(np.argmax(over)) if over and max(over) else None
    answer: dict[str, Any] = {
        "group": row["group"],
        "label": int(row["label"] == "affected"),
        "sham": int(row["sham"] == "1"),
        "severity": float(row["severity"]),
        "p": None if best is None else prediction.nerves[best].p_affected,
        "dice": overlap(prediction.mask > 0, true),
        "found": bool(masks),
    }
    if answer["label"] or answer["sham"]:
        return answer
    doubt = look_again(predictor, scan)
    figures = figures_of(prediction, doubt)
    answer["figures"] = None if figures is None else figures.tolist()
    if best is not None:
        _, spread = areas(versions(doubt, masks[best]))
        answer |= {
            "area": int(np.count_nonzero(masks[best])),
            "true_area": int(np.count_nonzero(worked)),
            "area_spread": spread,
        }
    return answer


def fit(rows: Found) -> dict[str, Any]:
    """``conformal, expected_dice, area_reach`` from validation rows."""
    known = [row for row in rows if row["p"] is not None]
    groups = [grouped(row) for row in known]
    conformal = fit_conformal(
        np.array([row["p"] for row in known]), np.array([row["label"] for row in known]), groups
    )
    drawn = [row for row in rows if row.get("figures")]
    expected = fit_expected_dice(
        np.array([row["figures"] for row in drawn]),
        np.array([row["dice"] for row in drawn]),
        [grouped(row) for row in drawn],
    )
    sized = [row for row in rows if "area_spread" in row]
    reach = threshold(misfit(sized), [grouped(row) for row in sized], AREA_LEVEL)
    return {
        "conformal": conformal,
        "expected_dice": expected,
        "area_reach": {"level": AREA_LEVEL, "reach": reach, "n": len(sized)},
    }


def misfit(rows: Found) -> np.ndarray:
    """How many spreads of the looks the true area lies from the one drawn."""
    return np.array([abs(np.log(row["true_area"] / row["area"])) / row["area_spread"] for row in rows])


def grouped(row: Mapping[str, Any]) -> str:
    return f"{row['set']}/{row['group']}"


def measure(rows: Found, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of test rows, by set where that matters."""
    rule = Abstention.from_config(fitted)
    assert rule is not None
    known = [row for row in rows if row["p"] is not None]
    p, labels = np.array([row["p"] for row in known]), np.array([row["label"] for row in known])
    groups = [grouped(row) for row in known]
    clear = np.array([row["label"] == 0 or row["severity"] >= 0.5 for row in known])
    levels = sorted({rule.level, *SHOWN})
    names = sorted({row["set"] for row in rows})
    drawn = [row for row in rows if row.get("figures")]
    sized = [row for row in rows if "area_spread" in row]
    held = misfit(sized) <= fitted["area_reach"]["reach"]
    return {
        "level": rule.level,
        "nerves_not_found": sum(row["p"] is None for row in rows),
        "conformal": [conformal_figures(rule, level, p, labels, groups) for level in levels],
        "conformal_clear": conformal_figures(
            rule,
            rule.level,
            p[clear],
            labels[clear],
            [g for g, one in zip(groups, clear, strict=True) if one],
        ),
        "expected_dice": {
            name: of_ratings([row for row in drawn if row["set"] == name], fitted["expected_dice"])
            for name in names
        }
        | {"all": of_ratings(drawn, fitted["expected_dice"])},
        "area": {
            "promised": AREA_LEVEL,
            "coverage": rate(held.astype(float), [grouped(row) for row in sized]),
            "median_factor": float(
                np.exp(np.median([row["area_spread"] for row in sized]) * fitted["area_reach"]["reach"])
            ),
        },
    }


def of_ratings(rows: Found, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Agreement of expected with true Dice, and mean Dice with and without the worst-rated tenth."""
    rated = np.array([expected_dice(np.array(row["figures"]), fitted) for row in rows])
    dice, groups = np.array([row["dice"] for row in rows]), [grouped(row) for row in rows]
    draws = group_draws(groups, 500)
    kept = rated >= np.quantile(rated, DROPPED) if len(rated) else rated > 0

    def agreement(weight: np.ndarray) -> float:
        index = np.repeat(np.arange(len(dice)), weight.astype(int))
        return float(spearmanr(rated[index], dice[index]).statistic) if len(set(index)) > 3 else float("nan")

    return {
        "n": len(rows),
        "groups": len(set(groups)),
        "spearman": agreement(np.ones(len(dice))),
        "spearman_ci95": interval(np.array([agreement(draw) for draw in draws]), groups),
        "error": float(np.abs(rated - dice).mean()),
        "dice_all": float(dice.mean()),
        "dice_kept": float(dice[kept].mean()),
    }


if __name__ == "__main__":
    sys.exit(main())
