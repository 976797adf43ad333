"""Whether enhancement helps: likeness to the undegraded scan, and contours found in good, poor and enhanced.

    python -m benchmarks.enhancement --data DIR --generator FOLDER --weights research

Scans that neither the enhancer nor the contour network learned from are made poor with fixed seeds
(``nerve_core.generative.degrade``), at the long side at which the enhancer looks, and go through the weights
as they were, poor, poor and enhanced, and poor with CLAHE instead; good scans are enhanced as well.
The validation side is for deciding, the test side for reporting. Figures go to
``benchmarks/results/enhancement.json`` under the name of the weights; ``benchmarks.enhancement_table`` writes
them into docs/generative.md. No picture is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmarks.regenerate import sets_in, write_json
from nerve_core.config import ROOT
from nerve_core.data.manifest import Row, is_simulated
from nerve_core.data.packed import Packed, pack
from nerve_core.errors import DataError
from nerve_core.evaluation.bootstrap import mean_ci95
from nerve_core.evaluation.contours import score_contour
from nerve_core.evaluation.evaluate import chosen, read_rows
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.scoring import Predicts
from nerve_core.generative.checkpoint import load_generator
from nerve_core.generative.degrade import FAULTS, degrade
from nerve_core.generative.enhance import enhance
from nerve_core.generative.patches import scaled
from nerve_core.generative.run import split_rows
from nerve_core.imaging.scan import Scan

TARGET = ROOT / "benchmarks" / "results" / "enhancement.json"
SEED = 20250103
"""Of the faults; the training draws others."""
POOR = (0.5, 1.0)
"""Severity of each fault; one to three of them spoil a scan."""
CLAHE_CLIP = 2.0
SIDES = ("val", "test")

Improve = Callable[[np.ndarray], np.ndarray]


@dataclass
class Tally:
    """Figures of many scans under one condition, and the group of each scan.

    Attributes:
        values: by measure (``dice, psnr, ssim, dice_gain``), one figure a scan.
    """

    groups: list[str] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, group: str, **figures: float) -> None:
        self.groups.append(group)
        for name, value in figures.items():
            self.values.setdefault(name, []).append(value)

    def summary(self) -> dict[str, Any]:
        """``n, groups`` and of each measure ``value`` and ``ci95`` by group."""
        found: dict[str, Any] = {"n": len(self.groups), "groups": len(set(self.groups))}
        for name, values in self.values.items():
            found[name] = {"value": float(np.mean(values)), "ci95": mean_ci95(values, self.groups)}
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one enhancer with one set of weights and merge the figures into the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enhancement")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--generator", type=Path, required=True, metavar="FOLDER", help="what was trained")
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N scans a set and side")
    args = parser.parse_args(argv)
    from nerve_core.inference.predictor import get_predictor

    network, config, about = load_generator(args.generator)
    if config.method != "enhance":
        raise DataError(f"{args.generator} holds a generator of method {config.method}; give one of enhance.")
    predictor = get_predictor(args.weights)
    sets = sets_in(args.data)
    seen = learned_from(sets, about)

    def improve(image: np.ndarray) -> np.ndarray:
        return enhance(network, image, config.side)

    sides = {}
    for side in SIDES:
        held = {
            name: held_back(path, side, args.limit, predictor.config, seen) for name, path in sets.items()
        }
        held = {name: rows for name, rows in held.items() if rows}
        print(f"{side}: {', '.join(f'{name} {len(rows)}' for name, rows in held.items())}", file=sys.stderr)
        packed = {name: pack(rows) for name, rows in held.items()}
        # What each fault does alone is told of the test side; the validation side decides by all together.
        alone = tuple(FAULTS) if side == "test" else ()
        sides[side] = measure(packed, predictor, improve, config.side, alone)
    kept = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    write_json(
        TARGET,
        kept
        | {
            predictor.name: {
                "regenerate": "python -m benchmarks.enhancement --data DIR --generator FOLDER "
                f"--weights {predictor.name}" + (f" --limit {args.limit}" if args.limit else ""),
                "version": predictor.version,
                "generator": about,
                "seed": SEED,
                "severity": list(POOR),
                "clahe_clip": CLAHE_CLIP,
                **sides,
            }
        },
    )
    return 0


def learned_from(sets: Mapping[str, Path], about: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Set and group of all that the enhancer was trained on."""
    own = [sets[one["set"]] for one in about["sets"] if one["set"] in sets]
    rows = split_rows(own, "any") if own else []
    return {(row["set"], row["group"]) for row in rows if row["split"] == "train"}


def held_back(
    manifest: Path, side: str, limit: int | None, config: Mapping[str, Any], seen: set[tuple[str, str]]
) -> list[Row]:
    """Contoured real rows on one side of the weights' split that the enhancer never saw; may be empty."""
    try:
        rows = chosen(read_rows(manifest), split=side, config=config)
    except DataError:
        return []
    rows = [
        row
        for row in rows
        if row["mask"] and not is_simulated(row) and (row["set"], row["group"]) not in seen
    ]
    return chosen(rows, limit=limit) if rows else []


def measure(
    sets: Mapping[str, Packed],
    predictor: Predicts,
    improve: Improve,
    side: int,
    alone: Sequence[str] = tuple(FAULTS),
) -> dict[str, Any]:
    """Figures of every set, of all together, and of each fault alone.

    Args:
        sets: scans with contours by name of the set.
        predictor: finds the contours.
        improve: uint8 (H, W) to the same, enhanced.
        side: long side at which all is done, px.
        alone: faults that are also tried one at a time.

    Returns:
        ``sets`` (by name, at last ``all``) with the conditions ``original, original_enhanced, poor,
        poor_enhanced, poor_clahe``, and ``faults`` (by name) with ``poor`` and ``poor_enhanced``.
        ``dice_gain`` is the difference that a treatment makes, scan by scan.
    """
    tallies: dict[str, dict[str, Tally]] = {}
    faults: dict[str, dict[str, Tally]] = {name: {} for name in alone}
    total = sum(len(packed) for packed in sets.values())
    told, done = on_stderr("scans"), 0

    def dice(image: np.ndarray, mask: np.ndarray) -> float:
        return score_contour(predictor.predict(Scan(image), gate=False).mask, mask).dice

    for name, packed in sets.items():
        for index, (row, image, mask) in enumerate(
            zip(packed.rows, packed.images, packed.masks, strict=True)
        ):
            good, true = scaled(image, side), scaled(mask, side, mask=True)
            group, known = f"{name}/{row['group']}", dice(good, true)
            rows = judged(good, true, known, improve, np.random.default_rng([SEED, index]), dice)
            for key in (name, "all"):
                for condition, figures in rows.items():
                    tallies.setdefault(key, {}).setdefault(condition, Tally()).add(group, **figures)
            for number, fault in enumerate(alone):
                rng = np.random.default_rng([SEED, index, number])
                poor = degrade(good, rng, [fault], POOR)
                for condition, figures in treated(good, true, poor, {"poor_enhanced": improve}, dice).items():
                    faults[fault].setdefault(condition, Tally()).add(group, **figures)
            done += 1
            told(done, total)
    return {
        "sets": {key: _summaries(tallies[key]) for key in sorted(tallies, key=lambda key: key == "all")},
        "faults": {key: _summaries(conditions) for key, conditions in faults.items()},
    }


def judged(
    good: np.ndarray,
    true: np.ndarray,
    known: float,
    improve: Improve,
    rng: np.random.Generator,
    dice: Callable[[np.ndarray, np.ndarray], float],
) -> dict[str, dict[str, float]]:
    """All conditions of one scan, whose own Dice is known."""
    better = improve(good)
    after = dice(better, true)
    clahe = cv2.createCLAHE(CLAHE_CLIP, (8, 8))
    ways = {"poor_enhanced": improve, "poor_clahe": clahe.apply}
    return {
        "original": {"dice": known},
        "original_enhanced": {"dice": after, "dice_gain": after - known, **likeness(good, better)},
        **treated(good, true, degrade(good, rng, severity=POOR), ways, dice),
    }


def treated(
    good: np.ndarray,
    true: np.ndarray,
    poor: np.ndarray,
    ways: Mapping[str, Improve],
    dice: Callable[[np.ndarray, np.ndarray], float],
) -> dict[str, dict[str, float]]:
    """A poor scan as it is (``poor``) and after each treatment, with the gain over ``poor``."""
    before = dice(poor, true)
    found = {"poor": {"dice": before, **likeness(good, poor)}}
    for name, treat in ways.items():
        better = treat(poor)
        after = dice(better, true)
        found[name] = {"dice": after, "dice_gain": after - before, **likeness(good, better)}
    return found


def likeness(good: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """PSNR in dB, at most 60 (that of nearly equal pictures), and SSIM (Wang 2004) of two uint8 pictures."""
    same = np.array_equal(good, other)
    psnr = 60.0 if same else min(60.0, float(peak_signal_noise_ratio(good, other, data_range=255)))
    return {"psnr": psnr, "ssim": float(structural_similarity(good, other, data_range=255))}


def _summaries(conditions: Mapping[str, Tally]) -> dict[str, Any]:
    return {condition: tally.summary() for condition, tally in conditions.items()}


if __name__ == "__main__":
    sys.exit(main())
