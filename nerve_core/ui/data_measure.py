"""Measuring a set for its charts: with progress, once a session, and only when the user wants to wait."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from nerve_core.data.statistics import ScanNumbers, frame_of, key_of, measure_rows, spread
from nerve_core.ui.data_overview import NONE
from nerve_core.ui.data_sets import ScanSet

MOST = 1_000
"""Scans measured of one set; of a larger one an evenly spread part."""
AT_ONCE = 60
"""So many unread scans are measured without asking."""
BY = {"label": "Label", "site": "Site", "nerve": "Nerve", "device": "Device"}
"""Columns by which scans are told apart."""
NUMBERS = ("area_mm2", "depth_mm", "echo_inside", "echo_ring", "echo_region", "height_px", "width_px")


def measured(chosen: ScanSet) -> pd.DataFrame | None:
    """The table that is drawn, kept in this session; None until the user wants to wait for many scans."""
    indices = spread(chosen.rows, MOST)
    numbers = _numbers(chosen, indices)
    if numbers is None:
        return None
    table = prepared(chosen, indices, numbers)
    if len(chosen.rows) > MOST:
        st.caption(f"Of {len(chosen.rows):,} scans, {MOST:,} evenly spread over the list are measured.")
    failed = len(numbers) - len(table)
    if failed:
        some = "1 scan" if failed == 1 else f"{failed:,} scans"
        st.warning(
            f"Left out: {some} of “{chosen.name}” could not be measured. The check in “Split and leakage” "
            "says why.",
            icon=":material/broken_image:",
        )
    return table


def _numbers(chosen: ScanSet, indices: Sequence[int]) -> list[ScanNumbers] | None:
    known: dict = st.session_state.setdefault("data-numbers", {})
    rows = [chosen.rows[index] for index in indices]
    unread = sum(key_of(row) not in known for row in rows)
    if unread > AT_ONCE:
        place = st.empty()
        asking = place.container()
        asking.markdown(
            f"{unread:,} scans of “{chosen.name}” have to be read once for this, which takes about "
            f"{max(1, round(unread * 0.1 / 60))} min on a small machine."
        )
        words, key = f"Measure {unread:,} scans", f"measure-{chosen.mark}"
        if not asking.button(words, type="primary", icon=":material/straighten:", key=key):
            return None
        place.empty()
    bar = st.empty()

    def progress(done: int, total: int) -> None:
        bar.progress(done / total, f"Measuring scan {done + 1:,} of {total:,} …")

    numbers = measure_rows(rows, known, progress)
    bar.empty()
    return numbers


def prepared(chosen: ScanSet, indices: Sequence[int], numbers: Sequence[ScanNumbers]) -> pd.DataFrame:
    """The table of the scans that could be measured.

    Manifest columns, numbers, shares in percent, ``contrast`` (echo inside less around) and ``index`` into
    the set.
    """
    table = frame_of([chosen.rows[index] for index in indices], numbers)
    table["index"] = list(indices)
    for column in BY:
        given = table[column] if column in table else pd.Series("", index=table.index)
        table[column] = given.replace("", NONE)
    for name, share in (("area", "area_share"), ("x", "x_share"), ("depth", "depth_share")):
        table[f"{name}_percent"] = 100 * pd.to_numeric(table[share])
    for column in NUMBERS:
        table[column] = pd.to_numeric(table[column])
    table["contrast"] = table["echo_inside"] - table["echo_ring"]
    return table.loc[table["problem"] == ""].reset_index(drop=True)
