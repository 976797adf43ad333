"""The published benchmark as the Compare and Robustness pages read it, worked out once for each file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from nerve_core.config import settings
from nerve_core.errors import DataError
from nerve_core.evaluation.bootstrap import mean_ci95

if TYPE_CHECKING:
    import pandas as pd

Line = dict[str, Any]
Stamp = tuple[int, int]

RUN = "python -m nerve_core benchmark run --data DIR"
PUBLISH = "python -m nerve_core benchmark publish"

COLUMNS = {
    "contours": ("dice", "has_nerve", "site", "nerve", "device", "frame"),
    "verdict": ("label", "severity", "sham"),
    "robustness": ("dice",),
}
"""What a file of a task cannot be read without, beside the columns that every one has."""
EVERY = ("method", "set", "split", "seed", "setup", "image", "group")

UNSEEN, BY_IMAGE, LEFT_OUT = "test", "image", "left out"
SPLITS = {
    UNSEEN: "Unseen groups (patients or sweeps)",
    BY_IMAGE: "Unseen images of the same groups: looks better than it is",
    LEFT_OUT: "Unseen sets, each left out of training",
}
"""Sides that a method can be judged on, in words; folds say how many they are."""


def how_to(task: str) -> str:
    """What to do where nothing is published yet."""
    run = f"{RUN} --tasks robustness" if task == "robustness" else RUN
    return (
        f"Nothing is measured yet. `{run}` measures every method image by image and goes on where it "
        f"stopped; `{PUBLISH}` then writes the results that are shown here."
    )


def path_of(task: str) -> Path:
    """Where the results of a task are published."""
    return settings().results / f"benchmark-{task}.parquet"


def stamp(path: Path) -> Stamp | None:
    """Time (ns) and size of a file, which change when it is written anew; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def frame(task: str) -> pd.DataFrame | None:
    """One line an image, with its side of the split in ``side``; None where nothing is published.

    Raises:
        DataError: the file is damaged, or of another kind.
    """
    path = path_of(task)
    found = stamp(path)
    return None if found is None else _frame(task, str(path.parent), found)


@st.cache_data(show_spinner="Reading the results …", max_entries=8)
def _frame(task: str, folder: str, stamped: Stamp) -> pd.DataFrame:
    from nerve_core.evaluation.published import published

    table = published(task, Path(folder))
    if table is None or not {*EVERY, *COLUMNS[task]} <= set(table.columns):
        raise DataError(f"benchmark-{task}.parquet holds no results of this kind; write it again: {PUBLISH}.")
    return table.assign(side=table["split"].map(side_of))


def costs() -> dict[str, dict[str, Any]]:
    """Costs by method; empty where none are published.

    Raises:
        DataError: the file is damaged.
    """
    from nerve_core.evaluation.published import published_costs

    found = published_costs(settings().results)
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise DataError(f"benchmark-costs.json is damaged; write it again: {PUBLISH}.")
    return found


def side_of(split: str) -> str:
    """The side in one word: folds of one cross-validation, and the sets left out in turn, belong together.

    >>> side_of("2/5"), side_of("without ubpd"), side_of("test")
    ('5 folds', 'left out', 'test')
    """
    if folds := re.fullmatch(r"\d+/(\d+)", split):
        return f"{folds[1]} folds"
    return LEFT_OUT if split.startswith("without ") else split


def side_in_words(side: str) -> str:
    """A side for a menu."""
    if side.endswith(" folds"):
        return f"Cross-validation by group, {side}"
    return SPLITS.get(side, side)


def contour_lines(side: str, prefix: str) -> list[Line]:
    """The benchmark's table of outlines, by method and set, on one side.

    Args:
        side: a value of ``side`` in :func:`frame`.
        prefix: as in :func:`nerve_core.evaluation.tables.contour_table`.
    """
    path = path_of("contours")
    found = stamp(path)
    return [] if found is None else _contour_lines(str(path.parent), found, side, prefix)


@st.cache_data(show_spinner="Working out intervals and tests …", max_entries=32)
def _contour_lines(folder: str, stamped: Stamp, side: str, prefix: str) -> list[Line]:
    from nerve_core.evaluation.result_text import labelled
    from nerve_core.evaluation.tables import contour_table

    table = _frame("contours", folder, stamped)
    return contour_table(labelled(table[table["side"] == side]), prefix=prefix)


def mean_lines(side: str, prefix: str) -> list[Line]:
    """Mean over sets of every figure, each set alike, of the methods measured on all of them, best first.

    Each line has ``method, n, groups, dice, dice_ci95``, the other metrics, ``detected``, ``ms`` and the Dice
    of each set under ``dice SET``.
    """
    path = path_of("contours")
    found = stamp(path)
    return [] if found is None else _mean_lines(str(path.parent), found, side, prefix)


@st.cache_data(show_spinner="Working out intervals …", max_entries=32)
def _mean_lines(folder: str, stamped: Stamp, side: str, prefix: str) -> list[Line]:
    from nerve_core.evaluation.result_text import labelled
    from nerve_core.evaluation.tables import CONTOUR_METRICS, mean_over_sets

    lines = _contour_lines(folder, stamped, side, prefix)
    sets = sorted({line["set"] for line in lines})
    means = {metric: mean_over_sets(lines, metric, sets) for metric in (*CONTOUR_METRICS, "detected", "ms")}
    table = _frame("contours", folder, stamped)
    table = labelled(table[table["side"] == side])
    found = []
    for method in means["dice"]:
        own = {line["set"]: line for line in lines if line["method"] == method}
        found.append(
            {
                "method": method,
                "n": sum(line["n"] for line in own.values()),
                "groups": sum(line["groups"] for line in own.values()),
                **{metric: values.get(method) for metric, values in means.items()},
                "dice_ci95": interval_over_sets(table[table["method"] == method], f"{prefix}dice"),
                **{f"dice {name}": own[name]["dice"] for name in sets},
            }
        )
    return found


def interval_over_sets(rows: pd.DataFrame, metric: str) -> list[float] | None:
    """95 % interval, by group, of the mean in which each set weighs alike; None with under two groups."""
    rows = rows[rows[metric].notna()]
    if rows.empty:
        return None
    sizes = rows.groupby("set")[metric].transform("size")
    values = (rows[metric] / sizes * len(rows) / rows["set"].nunique()).to_numpy(float)
    return mean_ci95(values, (rows["set"] + "/" + rows["group"].astype(str)).tolist())


def verdict_lines(pooled: bool, shams: bool) -> list[Line]:
    """The benchmark's table of verdicts on unseen groups: by set, or of all sets together as ``all``."""
    path = path_of("verdict")
    found = stamp(path)
    return [] if found is None else _verdict_lines(str(path.parent), found, pooled, shams)


@st.cache_data(show_spinner="Working out intervals …", max_entries=8)
def _verdict_lines(folder: str, stamped: Stamp, pooled: bool, shams: bool) -> list[Line]:
    from nerve_core.evaluation.result_text import labelled
    from nerve_core.evaluation.tables import verdict_table

    table = labelled(_frame("verdict", folder, stamped))
    table = table[table["side"] == UNSEEN]
    if "p_affected" not in table:
        table = table.assign(p_affected=float("nan"))
    if pooled:
        # Two sets may both have a group "1".
        table = table.assign(group=table["set"] + "/" + table["group"].astype(str), set="all")
    return verdict_table(table, shams=shams)


def titles(methods: Sequence[str]) -> dict[str, str]:
    """What each method is, in words; the setup that tells two of the same name apart stays behind it."""
    from nerve_core.evaluation.methods import known_methods

    known = known_methods()
    found = {}
    for method in methods:
        name, setup = re.fullmatch(r"(.*?)( \(.*\))?", method, re.DOTALL).groups()
        found[method] = known.get(name, name) + (setup or "")
    return found


def bare(method: str) -> str:
    """Name of a method without the setup behind it.

    >>> bare("unet (128 px, 200 steps of 16)")
    'unet'
    """
    return method.split(" (")[0]
