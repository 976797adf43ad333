"""Many files at once: a table of verdicts, a row of which is shown in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from nerve_core.ui import session, words
from nerve_core.ui.session import Item, Summary

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

TABLE = "batch-table"


def run(items: Sequence[Item], model: Predictor) -> list[Summary]:
    """Summary of every item; a progress bar while there is something to wait for."""
    found: list[Summary] = []
    bar = st.empty()
    for number, item in enumerate(items):
        if not session.known(item, model):
            bar.progress(number / len(items), f"Analysing scan {number + 1} of {len(items)} …")
        found.append(session.summarise(item, model))
    bar.empty()
    return found


def table(items: Sequence[Item], summaries: Sequence[Summary], now: Item) -> None:
    """One row a file, a mark at the one shown now; a click on a row shows that one instead."""
    rows = [
        {
            "": "▶" if item.id == now.id else "",
            "File": item.name,
            "Verdict": "cannot be used" if summary.verdict is None else words.HEADLINES[summary.verdict],
            "Probability": "" if summary.p_affected is None else words.percent(summary.p_affected),
            "Nerves": None if summary.verdict is None else summary.nerves,
            "Frames": None if summary.verdict is None else summary.frames,
            "Remark": summary.message,
        }
        for item, summary in zip(items, summaries, strict=True)
    ]
    st.dataframe(
        pd.DataFrame(rows),
        key=TABLE,
        hide_index=True,
        on_select=lambda: _select(items),
        selection_mode="single-cell",
        placeholder="",
        height=min(38 + 35 * len(rows), 248),
        column_config={
            "": st.column_config.TextColumn("", width=24),
            "File": st.column_config.TextColumn(width=280),
            "Remark": st.column_config.TextColumn(width="large"),
        },
    )
    st.caption("Click a row to see that scan.")


def shown(items: Sequence[Item]) -> Item:
    """The item chosen last; files that have just arrived come first."""
    seen: set[str] = st.session_state.setdefault("seen", set())
    new = [item.id for item in items if item.id not in seen]
    if seen and new:
        st.session_state["shown"] = new[0]
    st.session_state["seen"] = {item.id for item in items}
    wanted = st.session_state.get("shown")
    return next((item for item in items if item.id == wanted), items[0])


def _select(items: Sequence[Item]) -> None:
    cells = st.session_state[TABLE]["selection"]["cells"]
    if cells and cells[0][0] < len(items):
        st.session_state["shown"] = items[cells[0][0]].id
