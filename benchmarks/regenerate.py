"""Regenerate ``checkpoints/NAME/metrics.json`` from real scans on the test side of the group split.

    python -m benchmarks.regenerate --data DIR --weights research

``DIR`` holds one folder a set, each with a ``manifest.csv``. Contours are scored per set, with and without
a click; pathology is written into the test scans with a fixed seed, and the verdict is scored on those. Parts
that another script measures (``leave_one_set_out``) are kept as they are in the file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nerve_core.config import settings
from nerve_core.errors import DataError
from nerve_core.evaluation.bench import bench
from nerve_core.evaluation.benchmark import sets_in
from nerve_core.evaluation.evaluate import chosen, read_rows, score_rows
from nerve_core.evaluation.pathology_rows import SEED, pathology_rows
from nerve_core.evaluation.progress import on_stderr
from nerve_core.evaluation.scoring import Predicts, Scored
from nerve_core.evaluation.severity import pathology_figures
from nerve_core.evaluation.summary import CONTOUR_KEYS, click_figures, summarise, verdict_summary


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write; exit status 1 when some scan could not be used."""
    args = parse(argv)
    from nerve_core.inference.predictor import get_predictor

    predictor = get_predictor(args.weights)
    target = settings().checkpoints / predictor.name / "metrics.json"
    metrics = measure(
        sets_in(args.data),
        predictor,
        split=args.split,
        limit=args.limit,
        verdict_sets=args.verdict_sets,
        workers=args.workers,
    )
    errors = metrics.pop("errors")
    kept = json.loads(target.read_text()) if target.exists() else {}
    leak = settings().checkpoints / "speckle_leak.json"
    metrics = {
        "name": predictor.name,
        "version": predictor.version,
        "regenerate": command(args),
        **metrics,
        "leave_one_set_out": kept.get("leave_one_set_out"),
        "speckle_leak": json.loads(leak.read_text()) if leak.exists() else None,
        "bench": bench(args.weights, threads=args.threads, progress=on_stderr("timing rounds")),
    }
    write_json(target, metrics)
    for error in errors:
        print(f"{error['image']}: {error['error']}", file=sys.stderr)
    print(target)
    return 1 if errors else 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, with defaults."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.regenerate", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="one folder a set of scans")
    parser.add_argument("--weights", metavar="NAME", help="which weights (default: the configured ones)")
    parser.add_argument("--split", choices=["test", "val", "all"], default="test", help="default: test")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N scans a set; said in the result")
    parser.add_argument(
        "--verdict-sets",
        nargs="+",
        metavar="SET",
        help="sets to write pathology into (default: all with masks)",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="scans predicted at once")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="threads in the timings")
    return parser.parse_args(argv)


def command(args: argparse.Namespace) -> str:
    """The command that gives the same figures, with the data folder left open."""
    words = ["python -m benchmarks.regenerate --data DIR"]
    words += [f"--weights {args.weights}"] if args.weights else []
    words += [f"--split {args.split}"] if args.split != "test" else []
    words += [f"--limit {args.limit}"] if args.limit else []
    words += [f"--verdict-sets {' '.join(args.verdict_sets)}"] if args.verdict_sets else []
    return " ".join(words)


def measure(
    sets: Mapping[str, Path],
    predictor: Predicts,
    *,
    split: str = "test",
    limit: int | None = None,
    verdict_sets: Sequence[str] | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Every figure of accuracy.

    Args:
        sets: manifest by name of the set.
        predictor: gives the predictions.
        split: side of the group split to judge.
        limit: most scans a set, spread evenly; None for all.
        verdict_sets: sets to write pathology into; None for every one with masks.
        workers: threads that predict at once.

    Returns:
        ``split, limit, seed, contours, out_of_scope, verdict, errors``.

    Raises:
        DataError: a manifest cannot be read or a verdict set is unknown.
    """
    unknown = sorted(set(verdict_sets or ()) - set(sets))
    if unknown:
        raise DataError(f"There is no set {unknown[0]!r}; there are {', '.join(sets)}.")
    contours: dict[str, Any] = {}
    outside: dict[str, Any] = {}
    judged: dict[str, list[Scored]] = {}
    errors: list[dict[str, str]] = []
    for name, manifest in sets.items():
        rows = chosen(
            read_rows(manifest), split=split, limit=limit, config=getattr(predictor, "config", None)
        )
        print(f"{name}: contours", file=sys.stderr)
        scored = score_rows(rows, predictor, clicks=True, workers=workers, progress=on_stderr("scans"))
        figures = summarise(scored)
        errors += figures["errors"]
        if figures["n_without_mask"]:
            outside[name] = {
                "n": figures["n_without_mask"],
                "nerve_found": figures["nerve_found_without_mask"],
            }
        if not figures["n_contours"]:
            continue
        contours[name] = {key: figures[key] for key in (*CONTOUR_KEYS, "refused")}
        contours[name]["click"] = click_figures(scored)
        if verdict_sets is None or name in verdict_sets:
            print(f"{name}: verdict", file=sys.stderr)
            judged[name] = score_pathology(rows, manifest.parent, predictor, workers)
            errors += summarise(judged[name])["errors"]
    if judged:
        judged["all"] = [one for scored in judged.values() for one in scored]
    return {
        "split": split,
        "limit": limit,
        "seed": SEED,
        "contours": contours,
        "out_of_scope": outside,
        "verdict": {name: verdict_on(scored) for name, scored in judged.items()},
        "errors": errors,
    }


def score_pathology(
    rows: Sequence[Mapping[str, str]], home: Path, predictor: Predicts, workers: int
) -> list[Scored]:
    """Originals, shams and pathology of the rows of one set, scored."""
    with pathology_rows(rows, home, SEED) as written:
        return score_rows(written, predictor, workers=workers, progress=on_stderr("scans"))


def verdict_on(scored: Sequence[Scored]) -> dict[str, Any]:
    """Headline, by kind and by severity, and the figures over all severities under ``overall``."""
    used = [one for one in scored if one.answer is not None]
    overall = verdict_summary(used, [one.answer for one in used])
    return (pathology_figures(used) or {}) | {"overall": overall}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(partial, path)


if __name__ == "__main__":
    raise SystemExit(main())
