"""Fit and tune the classical methods on the project's own split, and keep them in a folder.

    python -m benchmarks.classical --data DIR --out FOLDER [--limit N]

The split is that of the shipped weights, so the test groups are the same; they are not even read here.
What learns is fitted on training groups, settings are chosen and verdicts calibrated on validation groups.
A method that is in the folder already is not done again, so a run that was cut short goes on; a folder of
another split or limit is refused. Research use only, not a medical device.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.regenerate import sets_in, write_json
from nerve_core.config import settings
from nerve_core.data.manifest import Row
from nerve_core.data.packed import pack
from nerve_core.errors import CheckpointError, DataError, NerveCoreError
from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.deep import DeepFeatures
from nerve_core.evaluation.classical.learn import fit_pixel_models, fit_prior
from nerve_core.evaluation.classical.nerves import NerveTable, nerve_table
from nerve_core.evaluation.classical.registry import CONTOUR_METHODS, make_contour, method_of
from nerve_core.evaluation.classical.store import (
    figures_of,
    load_prior,
    save_contour,
    save_prior,
    save_verdict,
)
from nerve_core.evaluation.classical.tune import Tuned, tune
from nerve_core.evaluation.classical.verdict import VERDICT_METHODS, fit_verdict, verdict_method_of
from nerve_core.evaluation.evaluate import chosen
from nerve_core.evaluation.progress import on_stderr
from nerve_core.inference.predictor import Predictor
from nerve_core.training.run import CACHE, training_rows

SEED = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and tune what is not in the folder yet, and print the validation figures of all that is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classical")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help="at most N training scans and N / 2 validation scans of each set (default: all)",
    )
    parser.add_argument("--weights", default="research", help="of the random field and the deep features")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="of either kind (default: all)")
    args = parser.parse_args(argv)
    try:
        names = args.methods or [*CONTOUR_METHODS, *VERDICT_METHODS]
        for name in names:
            if name not in VERDICT_METHODS:
                method_of(name)
        rows = limited(training_rows(list(sets_in(args.data).values()), "any", ()), args.limit)
        claim(args.out, rows, args.weights)
        fit_contours([name for name in names if name in CONTOUR_METHODS], rows, args.out, args.weights)
        fit_verdicts([name for name in names if name in VERDICT_METHODS], rows, args.out, args.weights)
    except NerveCoreError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(args.out))
    return 0


def limited(rows: Sequence[Row], limit: int | None) -> list[Row]:
    """Contoured training and validation rows, of each set at most ``limit`` and half of it, spread evenly."""
    if limit is not None and limit < 2:
        raise DataError("The limit must be at least 2 scans of each set.")
    kept: list[Row] = []
    for name in sorted({row.get("set", "") for row in rows}):
        for side, most in (("train", limit), ("val", None if limit is None else limit // 2)):
            own = [row for row in rows if row.get("set", "") == name and row["split"] == side and row["mask"]]
            kept += chosen(own, limit=most) if own else []
    return kept


def claim(out: Path, rows: Sequence[Row], weights: str) -> None:
    """Mark a folder as of these scans, sides and weights.

    Raises:
        DataError: it holds methods of others.
    """
    scans = sorted((row.get("set", ""), row["split"], Path(row["image"]).name) for row in rows)
    digest = hashlib.sha256(repr((scans, SEED)).encode()).hexdigest()
    setup = {"scans": digest, "n": len(scans), "weights": weights}
    path = out / "setup.json"
    try:
        found = json.loads(path.read_text()) if path.exists() else None
    except ValueError:
        raise DataError(f"{path.name} in {out.name} is damaged; choose another folder.") from None
    if found is not None and found != setup:
        raise DataError(
            f"{out.name} holds methods fitted on other scans, another limit or other weights; choose another "
            "folder."
        )
    write_json(path, setup)


def fit_contours(names: Sequence[str], rows: Sequence[Row], out: Path, weights: str) -> None:
    """Tune the contour methods that are not in the folder yet, without a click and with one."""
    left = [name for name in names if figures_of(out, name) is None]
    if not left:
        return
    prior = prior_of(rows, out)
    for name in left:
        begun = time.perf_counter()
        entry = method_of(name)
        models = fit_pixel_models(name, rows, prior, SEED) if entry.learns else None
        network = Predictor.load(weights) if entry.needs_network else None
        contour = make_contour(name, prior, models=models, network=network)
        figures: dict[str, Any] = {}
        for click in (False, True):
            tuned = tune(contour, rows, click, progress=on_stderr(f"{name}, {'a' if click else 'no'} click"))
            if click:
                contour.click_params = tuned.params
            else:
                contour.params = tuned.params
            figures["click" if click else "auto"] = contour_figures(tuned)
        figures["seconds"] = round(time.perf_counter() - begun, 1)
        save_contour(out, contour, figures)
        print(line(name, figures), file=sys.stderr, flush=True)


def prior_of(rows: Sequence[Row], out: Path) -> Prior:
    """The prior in the folder, learned first where it is not there."""
    if not (out / "prior.json").exists():
        save_prior(out, fit_prior(rows, SEED, progress=on_stderr("scans for the prior")))
    return load_prior(out)


def contour_figures(tuned: Tuned) -> dict[str, Any]:
    """Validation Dice in all and by set, and how it was found."""
    found = {"dice": tuned.dice, "by_set": tuned.by_set, "n": tuned.n, "tried": tuned.tried}
    return found | {"split": "val"}


def fit_verdicts(names: Sequence[str], rows: Sequence[Row], out: Path, weights: str) -> None:
    """Fit the verdict methods that are not in the folder yet."""
    left = [name for name in names if figures_of(out, name) is None]
    if not left:
        return
    deep = DeepFeatures(settings().checkpoints / weights)
    train, val = (nerves_of(rows, side, out, deep) for side in ("train", "val"))
    for name in left:
        begun = time.perf_counter()
        needed = deep if verdict_method_of(name).features == "deep" else None
        verdict, figures = fit_verdict(name, train, val, needed)
        found = dataclasses.asdict(figures) | {"split": "val"}
        save_verdict(out, verdict, found | {"seconds": round(time.perf_counter() - begun, 1)})
        print(line(name, found), file=sys.stderr, flush=True)


def nerves_of(rows: Sequence[Row], side: str, out: Path, deep: DeepFeatures) -> NerveTable:
    """Features of the nerves of one side, made once and kept beside the methods."""
    path = out / f"nerves-{side}.npz"
    if not path.exists():
        packed = pack([row for row in rows if row["split"] == side], CACHE)
        progress = on_stderr(f"scans for the verdict, {side}")
        nerve_table(packed, side, deep, seed=SEED, progress=progress).save(path)
    return NerveTable.load(path)


def table(out: Path) -> str:
    """Validation figures of every method in the folder, a line each."""
    found = []
    for name in (*CONTOUR_METHODS, *VERDICT_METHODS):
        try:
            figures = figures_of(out, name)
        except CheckpointError as error:
            found.append(str(error))
            continue
        if figures:
            found.append(line(name, figures))
    return "\n".join(found)


def line(name: str, figures: dict[str, Any]) -> str:
    """The figures of one method in a line."""
    if name in VERDICT_METHODS:
        return (
            f"{name:18} AUC {figures['auc']:.3f} (all severities {figures['auc_all']:.3f})  "
            f"Brier {figures['brier']:.3f}  n {figures['n']}"
        )
    parts = []
    for key, words in (("auto", "no click"), ("click", "click")):
        own = figures[key]
        sets = "  ".join(f"{part} {value:.3f}" for part, value in own["by_set"].items())
        parts.append(f"{words} {own['dice']:.3f} ({sets})")
    return f"{name:10} Dice, {'; '.join(parts)}  n {figures['auto']['n']}"


if __name__ == "__main__":
    raise SystemExit(main())
