"""Measure whether the maps of evidence are true, on real scans with a localised change of known extent.

    python -m benchmarks.explain --data DIR --side val --limit 12
    python -m benchmarks.explain --data DIR --side test --limit 24 --slow 12

Into the largest nerve of each scan (true contour) every localised change of
``nerve_core.explain.localised`` is written in turn. Explained are the verdicts that it turned: unaffected
before, affected after, the change no larger than ``LARGEST`` of the nerve.
Each method is measured against the altered pixels, and once more with
random weights. The validation side is for choosing method and layer, the test side for reporting. Figures
go to ``benchmarks/results/explain.json``; ``benchmarks.explain_table`` writes them into docs/explain.md. No
picture is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.regenerate import sets_in, write_json
from nerve_core.config import ROOT
from nerve_core.data.manifest import Row, is_simulated
from nerve_core.errors import DataError
from nerve_core.evaluation.bootstrap import mean_ci95
from nerve_core.evaluation.evaluate import chosen, read_rows
from nerve_core.evaluation.progress import on_stderr
from nerve_core.explain.faithfulness import MOST, Faithfulness, density, in_crop, points_at, undoing
from nerve_core.explain.judge import Judge, Look, judge_of, look_at
from nerve_core.explain.localised import PARTS, Localised, taken_apart, write_part
from nerve_core.explain.methods import METHODS, TOWARDS, explain

TARGET = ROOT / "benchmarks" / "results" / "explain.json"
SEED = 20250106
"""Of the changes; the training draws others."""
SEVERITY = (0.6, 1.0)
LARGEST = 0.6
"""Altered pixels over the nerve's, above which a change is not localised."""
EVERY = 3
"""One case in so many is also explained with random weights."""
VARIANTS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "val": (
        ("steady", None),
        *(
            (name, layer)
            for name in ("grad_cam", "hires_cam", "layer_cam")
            for layer in ("mixed", "fine", "coarse")
        ),
    ),
    "test": tuple((name, None) for name in sorted(METHODS, key=lambda name: METHODS[name].slow)),
}
"""Methods and layers measured on each side; None is the method's own layer."""


@dataclass(frozen=True, eq=False)
class Case:
    """A verdict that a localised change turned."""

    group: str
    part: Localised
    look: Look
    before: Look
    altered: np.ndarray


@dataclass
class Tally:
    """Measures of one method over many cases."""

    groups: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    found: list[Faithfulness] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def summary(self, by_kind: bool = True) -> dict[str, Any]:
        """``n, groups``, each measure with ``value`` and ``ci95`` by group, and the same by kind."""
        logs = [float(np.log(np.clip(one.density, 1 / MOST, MOST))) for one in self.found]
        interval = mean_ci95(logs, self.groups)
        result: dict[str, Any] = {
            "n": len(self.found),
            "groups": len(set(self.groups)),
            "density": {
                "value": float(np.exp(np.mean(logs))),
                "ci95": None if interval is None else [float(np.exp(edge)) for edge in interval],
                "median": float(np.median([one.density for one in self.found])),
            },
            "pointing": _rate([float(one.pointed) for one in self.found], self.groups),
        }
        for name in ("undone", "inserted"):
            values = [getattr(one, name) for one in self.found]
            if all(value is not None for value in values):
                result[name] = _rate(values, self.groups)
        if self.cpu_ms:
            result["cpu_ms"] = float(np.median(self.cpu_ms))
        if by_kind:
            result["kinds"] = {kind: self._only(kind).summary(False) for kind in sorted(set(self.kinds))}
        return result

    def _only(self, kind: str) -> Tally:
        kept = [k for k, one in enumerate(self.kinds) if one == kind]
        return Tally([self.groups[k] for k in kept], [kind] * len(kept), [self.found[k] for k in kept])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one side and merge the figures into the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explain")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument(
        "--side", choices=list(VARIANTS), default="test", help="of the group split (default: test)"
    )
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument(
        "--limit", type=int, default=24, metavar="N", help="at most N scans a set (default: 24)"
    )
    parser.add_argument(
        "--slow", type=int, default=12, metavar="N", help="cases for slow methods (default: 12)"
    )
    args = parser.parse_args(argv)
    from nerve_core.inference.predictor import get_predictor

    torch.set_num_threads(1)
    predictor = get_predictor(args.weights)
    judge = judge_of(predictor)
    rows: list[tuple[str, Row]] = []
    for name, manifest in sets_in(args.data).items():
        try:
            held = chosen(read_rows(manifest), split=args.side, config=predictor.config)
        except DataError:
            continue
        held = [row for row in held if row["mask"] and not is_simulated(row)]
        rows += [(name, row) for row in (chosen(held, limit=args.limit) if held else [])]
    counts: dict[str, dict[str, int]] = {kind: {"tried": 0, "turned": 0} for kind in PARTS}
    cases = list(turned(rows, judge, counts))
    print(f"{args.side}: {len(cases)} verdicts turned; {counts}", file=sys.stderr)
    side = {
        "regenerate": f"python -m benchmarks.explain --data DIR --side {args.side} "
        f"--weights {predictor.name} --limit {args.limit} --slow {args.slow}",
        "scans": len(rows),
        "seed": SEED,
        "severity": list(SEVERITY),
        "largest": LARGEST,
        "cases": counts,
        "methods": {},
    }
    for key, figures in measure(cases, judge, VARIANTS[args.side], args.slow):
        side["methods"][key] = figures
        # After each method, so that what was measured is kept when the next one is stopped.
        save(predictor.name, predictor.version, args.side, side)
    return 0


def save(weights: str, version: str, side: str, figures: Mapping[str, Any]) -> None:
    """Put the figures of one side into the file; those of an older version of the weights go."""
    kept = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    own = kept.get(weights, {})
    own = own if own.get("version") == version else {}
    write_json(TARGET, kept | {weights: own | {"version": version, side: figures}})


def turned(
    rows: Sequence[tuple[str, Mapping[str, str]]], judge: Judge, counts: dict[str, dict[str, int]]
) -> Iterator[Case]:
    """Cases whose verdict a localised change turned; ``counts`` learns how many were tried and turned."""
    told = on_stderr("scans")
    with judge.lend() as network:
        for index, (name, row) in enumerate(rows):
            image = cv2.imread(row["image"], cv2.IMREAD_GRAYSCALE)
            nerve = largest(cv2.imread(row["mask"], cv2.IMREAD_GRAYSCALE))
            told(index + 1, len(rows))
            try:
                plain = look_at(image, nerve)
            except DataError:
                continue
            if _probability(network, judge, plain) >= 0.5:
                continue
            picture = taken_apart(image, nerve)
            for number, kind in enumerate(PARTS):
                rng = np.random.default_rng([SEED, index, number])
                try:
                    part = write_part(image, nerve, kind, float(rng.uniform(*SEVERITY)), rng, picture)
                    look = look_at(part.image, part.mask)
                except DataError:
                    continue
                if part.altered.sum() > LARGEST * part.mask.sum():
                    continue
                counts[kind]["tried"] += 1
                if _probability(network, judge, look) >= 0.5:
                    counts[kind]["turned"] += 1
                    yield Case(f"{name}/{row['group']}", part, look, plain, in_crop(part.altered, look))


def measure(
    cases: Sequence[Case], judge: Judge, variants: Sequence[tuple[str, str | None]], slow: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and figures of every method and layer; slow methods on ``slow`` cases spread over all."""
    told = on_stderr("methods")
    for done, (name, layer) in enumerate(variants, 1):
        step = max(1, len(cases) // slow) if METHODS[name].slow else 1
        tally, chance = Tally(), Tally()
        for index, case in enumerate(cases[::step]):
            one, spent = faithful(case, judge, name, layer)
            if one is None:
                continue
            tally.groups.append(case.group)
            tally.kinds.append(case.part.kind)
            tally.found.append(one)
            tally.cpu_ms.append(spent)
            if index % EVERY == 0:
                known_nothing = unlearned(case, judge, name, layer)
                if known_nothing is not None:
                    chance.groups.append(case.group)
                    chance.kinds.append(case.part.kind)
                    chance.found.append(known_nothing)
        if tally.found:
            own = METHODS[name].layer
            key = name if layer is None else f"{name} {layer}"
            figures = {"method": name, "layer": layer or own, **tally.summary()}
            if chance.found:
                figures["random_weights"] = chance.summary(False)
            yield key, figures
        told(done, len(variants))


def faithful(case: Case, judge: Judge, name: str, layer: str | None) -> tuple[Faithfulness | None, float]:
    """All measures of one map, and the processor time it took, ms."""
    start = time.thread_time()
    heat = explain(judge, case.part.image, case.part.mask, name, layer).crop
    spent = 1e3 * (time.thread_time() - start)
    ratio = density(heat, case.altered, case.look.nerve)
    if ratio is None:
        return None, spent
    # The scan before, in the window of the scan after, so that both can be blended.
    original = _same_window(case)
    with judge.lend() as network:

        def logits(crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                return network(torch.from_numpy(crops), torch.from_numpy(masks)).numpy()

        undone, inserted = undoing(heat, case.look, original, logits)
    return Faithfulness(ratio, points_at(heat, case.altered, case.look.nerve), undone, inserted), spent


def unlearned(case: Case, judge: Judge, name: str, layer: str | None) -> Faithfulness | None:
    """Density and pointing with random weights, of what speaks for either label: their sign means nothing."""
    maps = [explain(judge.random, case.part.image, case.part.mask, name, layer, to).crop for to in TOWARDS]
    heat = np.mean(maps, axis=0)
    ratio = density(heat, case.altered, case.look.nerve)
    return None if ratio is None else Faithfulness(ratio, points_at(heat, case.altered, case.look.nerve))


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected nerve of a mask, uint8 0/1."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    if count < 2:
        return np.zeros_like(mask)
    return (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)


def _same_window(case: Case) -> Look:
    from nerve_core.models.verdict import cut, normalise_crop

    crop, mask = cut(case.part.original, case.part.before, case.look.window)
    crops, masks = torch.from_numpy(normalise_crop(crop)[None, None]), torch.from_numpy(mask[None, None])
    return Look(crops, masks, crop, case.look.window, case.part.original, case.part.before)


def _probability(network: torch.nn.Module, judge: Judge, look: Look) -> float:
    with torch.inference_mode():
        return judge.probability(float(network(look.crops, look.masks).mean()))


def _rate(values: Sequence[float], groups: Sequence[str]) -> dict[str, Any]:
    return {"value": float(np.mean(values)), "ci95": mean_ci95(values, groups)}


if __name__ == "__main__":
    sys.exit(main())
