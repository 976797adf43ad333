"""The published robustness results: curves with their start at the scans as they are, and subgroups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from nerve_core.evaluation.bootstrap import mean_ci95
from nerve_core.ui import compare_results
from nerve_core.ui.compare_results import UNSEEN, Line, Stamp, interval_over_sets, path_of, stamp
from nerve_core.ui.metrics_subgroups import NOT_STATED, parts, ways

if TYPE_CHECKING:
    import pandas as pd

BY = {
    "set": "Set of scans",
    "site": "Site on the body",
    "nerve": "Nerve",
    "device": "Device",
    "size": "Size of the nerve in the picture",
    "depth": "Depth of the nerve in the picture",
    "brightness": "Brightness of the picture",
}
"""Ways to part the scans, as on the Metrics page."""
FEWEST = 5
"""Scans from which a subgroup is shown."""


def curves() -> list[Line]:
    """Dice by method, shift and strength as ``robustness_curves`` gives it, and a line of strength 0 for each
    shift of a method whose same scans were measured unchanged."""
    robust, plain = stamp(path_of("robustness")), stamp(path_of("contours"))
    return [] if robust is None else _curves(str(path_of("robustness").parent), robust, plain)


@st.cache_data(show_spinner="Working out the curves …", max_entries=4)
def _curves(folder: str, robust: Stamp, plain: Stamp | None) -> list[Line]:
    import pandas as pd

    from nerve_core.evaluation.tables import robustness_curves, unchanged

    shifted = compare_results.frame("robustness")
    if shifted is None or shifted.empty:
        return []
    contours = None if plain is None else compare_results.frame("contours")
    starts = None if contours is None else unchanged(contours, shifted)
    every = shifted if starts is None else pd.concat([starts.assign(split="none 0"), shifted])
    lines = robustness_curves(every)
    if starts is None:
        return lines
    begun = {}
    for method, rows in starts.groupby("method"):
        dice = float(rows.groupby("set")["dice"].mean().mean())
        groups = int((rows["set"] + "/" + rows["group"].astype(str)).nunique())
        begun[method] = {
            "strength": 0.0,
            "n": len(rows),
            "groups": groups,
            "dice": dice,
            "dice_ci95": interval_over_sets(rows, "dice"),
            "loss": 0.0,
        }
    pairs = dict.fromkeys((line["method"], line["shift"]) for line in lines)
    return [
        {"method": method, "shift": shift, **begun[method]} for method, shift in pairs if method in begun
    ] + lines


def available() -> list[str]:
    """Those of ``BY`` in which the scans of unseen groups differ; empty where nothing is published."""
    table = compare_results.frame("contours")
    table = None if table is None else table[table["side"] == UNSEEN]
    if table is None or table.empty:
        return []
    found = ways(table)
    return [by for by in BY if by in found]


def subgroups(by: str, prefix: str) -> list[Line]:
    """Dice of each method in each subgroup of unseen groups, without shifts.

    Args:
        by: key of ``BY``.
        prefix: ``""`` without a click, ``click_`` with one.

    Returns:
        ``method, part, n, groups, dice, dice_ci95``, parts by name, sizes from small to large; parts of fewer
        than ``FEWEST`` scans are left out.
    """
    found = stamp(path_of("contours"))
    return [] if found is None else _subgroups(str(path_of("contours").parent), found, by, prefix)


@st.cache_data(show_spinner="Working out the subgroups …", max_entries=16)
def _subgroups(folder: str, stamped: Stamp, by: str, prefix: str) -> list[Line]:
    from nerve_core.evaluation.result_text import labelled

    table = compare_results.frame("contours")
    return [] if table is None else parts_of(labelled(table[table["side"] == UNSEEN]), by, prefix)


def parts_of(table: pd.DataFrame, by: str, prefix: str = "") -> list[Line]:
    """The work of :func:`subgroups` on a frame."""
    metric = f"{prefix}dice"
    if metric not in table:
        return []
    table = table[table[metric].notna()]
    if by not in table or not table[by].notna().any():
        return []
    # Scans as they are have no source; without the column their own sizes count.
    found = parts(table[table[by].notna()].drop(columns="source_image", errors="ignore"), by)
    if set(found) <= {NOT_STATED}:
        return []
    lines = []
    for part, rows in found.items():
        for method, own in rows.groupby("method", sort=False):
            if len(own) < FEWEST:
                continue
            groups = (own["set"] + "/" + own["group"].astype(str)).tolist()
            lines.append(
                {
                    "method": method,
                    "part": part,
                    "n": len(own),
                    "groups": len(set(groups)),
                    "dice": float(own[metric].mean()),
                    "dice_ci95": mean_ci95(own[metric].to_numpy(float), groups),
                }
            )
    return lines


def losses(lines: Sequence[Line], strengths: Sequence[float] = (0.5, 1.0)) -> list[dict[str, Any]]:
    """What each method loses by each shift at some strengths: ``method, shift, dice 0``, and ``dice S`` and
    ``loss S`` for each strength; the largest loss at the last strength first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        own = found.setdefault(
            (line["method"], line["shift"]), {"method": line["method"], "shift": line["shift"]}
        )
        if line["strength"] == 0:
            own["dice 0"] = line["dice"]
        elif line["strength"] in strengths:
            own[f"dice {line['strength']:g}"] = line["dice"]
            own[f"loss {line['strength']:g}"] = line["loss"]
    last = f"loss {strengths[-1]:g}"
    return sorted(found.values(), key=lambda own: -(own.get(last) or 0.0))
