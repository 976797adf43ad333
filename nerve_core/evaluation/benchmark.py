"""The benchmark: every method on every set, image by image, into one results store that can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nerve_core.data.manifest import Row
from nerve_core.data.splits import assign_by_image, assign_fold
from nerve_core.errors import DataError, NerveCoreError
from nerve_core.evaluation.evaluate import chosen, read_rows, score_rows
from nerve_core.evaluation.methods import Setup, check_methods, is_trained_here, ready, tasks_of, version_of
from nerve_core.evaluation.pathology_rows import pathology_rows
from nerve_core.evaluation.results import ResultsStore, Run
from nerve_core.evaluation.scoring import Predicts
from nerve_core.evaluation.shifts import SHIFTS, STRENGTHS, shifted_rows
from nerve_core.training.run import copies_to_training, training_rows

TASKS = ("contours", "verdict", "robustness")
GROUPS, IMAGES, ALL = "group", "image", "all"
"""Ways to split: by group, as everything in this project; by image, to show what that does to figures; or not
at all, where nothing was learned from the sets."""

Report = Callable[[str], None]


def sets_in(data: Path) -> dict[str, Path]:
    """Manifest of each set in a folder, by the set's name.

    Raises:
        DataError: there is none.
    """
    found = {path.parent.name: path for path in sorted(data.glob("*/manifest.csv"))}
    if not found:
        raise DataError(f"{data} holds no folder with a manifest.csv; give the folder that holds the sets.")
    return found


def split_rows(manifests: Sequence[Path], how: str) -> list[Row]:
    """Rows of all sets with the side of a split in ``split``.

    Args:
        manifests: of the sets with contours.
        how: ``group``, ``image``, ``K/N`` for fold K (from 1) of N, or ``all``, which tests on every scan.
            In groups and folds, groups of which a near-copy is trained on join the training.

    Raises:
        DataError: another word.
    """
    rows = training_rows(manifests, "any", ())
    if how == GROUPS:
        return rows
    if how == IMAGES:
        return [row | {"split": side} for row, side in zip(rows, assign_by_image(rows), strict=True)]
    if how == ALL:
        return [row | {"split": "test"} for row in rows]
    fold, _, folds = how.partition("/")
    if not (fold.isdigit() and folds.isdigit() and int(folds) >= 3 and 1 <= int(fold) <= int(folds)):
        raise DataError(f"There is no split {how!r}; use group, image, all, or a fold such as 1/5.")
    sides = assign_fold(rows, int(fold) - 1, int(folds))
    return copies_to_training([row | {"split": side} for row, side in zip(rows, sides, strict=True)])


def run_benchmark(
    store: ResultsStore,
    sets: Mapping[str, Path],
    methods: Sequence[str],
    *,
    setup: Setup,
    tasks: Sequence[str] = TASKS[:2],
    splits: Sequence[str] = (GROUPS,),
    seeds: Sequence[int] = (0,),
    left_out: Sequence[str] = (),
    limit: int | None = None,
    classical: Path | None = None,
    workers: int = 1,
    report: Report = print,
) -> list[str]:
    """Measure what the store does not hold yet.

    Args:
        store: takes the results, a run at a time.
        sets: manifest by name of the set; those without contours are left out.
        methods: names, see :func:`nerve_core.evaluation.methods.known_methods`.
        setup: of the architectures trained here.
        tasks: of ``TASKS``; only the contours are measured on other splits than ``group``. Robustness is
            the contours again under every shift of :mod:`nerve_core.evaluation.shifts`.
        splits: see :func:`split_rows`; only architectures trained here are measured on other splits than
            ``group`` and ``all``, and on ``all`` they cannot be.
        seeds: of the trainings.
        left_out: sets that each architecture is also trained without, one at a time, and scored on.
        limit: most scans scored a set, spread evenly.
        classical: folder of the fitted classical methods.
        workers: threads that predict at once.
        report: takes a line about each run.

    Returns:
        One line for each method that failed; the others are measured all the same.

    Raises:
        DataError: an unknown method, task or set, or a method that would be tested on what it learned from.
    """
    check_methods(methods)
    here = [name for name in methods if is_trained_here(name)]
    if ALL in splits and here:
        raise DataError(
            f"{here[0]} is trained on the scans themselves, so it cannot be tested on all of them; leave it "
            "out, or split by group."
        )
    for name in left_out:
        if name not in sets:
            raise DataError(f"There is no set {name!r}; there are {', '.join(sets)}.")
    sets = {name: path for name, path in sets.items() if any(row["mask"] for row in read_rows(path))}
    failed = []
    for method in methods:
        here = is_trained_here(method)
        words = [str(setup)] if here else version_of(method)
        label = ", ".join([*words, *([f"at most {limit}"] if limit else [])])
        for seed in seeds if here else seeds[:1]:
            elsewhere = tuple(how for how in splits if how in (GROUPS, ALL)) or (GROUPS,)
            plans = [(how, None) for how in (splits if here else elsewhere)]
            plans += [(GROUPS, name) for name in left_out] if here else []
            for how, without in plans:
                judged = {without: sets[without]} if without else sets
                side = f"without {without}" if without else "test" if how == GROUPS else how
                wanted = [
                    run
                    for task in (tasks_of(method, tasks) if side in ("test", ALL) else TASKS[:1])
                    for one in judged
                    for run in _runs(Run(method, one, side, task, seed, label))
                ]
                if all(store.has(run) for run in wanted):
                    continue
                rows = [row for row in split_rows(list(sets.values()), how) if row["set"] != without]
                name = (
                    f"benchmark-{method}-{side}-{setup}-{seed}".replace(" ", "-")
                    .replace("/", "of")
                    .replace(",", "")
                )
                try:
                    with ready(method, rows, setup, seed, name, classical) as predictor:
                        for run in wanted:
                            if not store.has(run):
                                _measure(store, run, predictor, judged[run.set], rows, limit, workers)
                                report(f"{method}: {run.task} on {run.set} ({run.split}) measured")
                except NerveCoreError as fault:
                    failed.append(f"{method}: {fault}")
                    report(failed[-1])
    return failed


def _runs(run: Run) -> list[Run]:
    """The run itself, or one for each shift and strength, which then stand for the side of the split."""
    if run.task != "robustness":
        return [run]
    return [replace(run, split=f"{name} {strength:g}") for name in SHIFTS for strength in STRENGTHS]


def _measure(
    store: ResultsStore,
    run: Run,
    predictor: Predicts,
    manifest: Path,
    rows: Sequence[Row],
    limit: int | None,
    workers: int,
) -> None:
    """Score one set and store it."""
    tested = {row["image"] for row in rows if row["split"] == "test"}
    judged = [
        row
        for row in read_rows(manifest)
        if row["mask"] and (run.split.startswith("without") or row["image"] in tested)
    ]
    judged = chosen(judged, limit=limit)
    if run.task == "contours":
        store.add(run, score_rows(judged, predictor, clicks=True, workers=workers))
        return
    if run.task == "verdict":
        made = pathology_rows(judged, manifest.parent)
    else:
        name, strength = run.split.rsplit(" ", 1)
        made = shifted_rows(judged, name, float(strength))
    with made as written:
        store.add(run, score_rows(written, predictor, workers=workers))


def measure_costs(store: ResultsStore, methods: Sequence[str], size: int, report: Report = print) -> None:
    """Store what each architecture among the methods costs; times are of this machine."""
    from nerve_core.evaluation.cost import cost

    for name in methods:
        if is_trained_here(name) and name not in store.costs():
            store.add_cost(name, cost(name, size))
            report(f"{name}: cost measured")
