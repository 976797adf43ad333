"""Many files at once: a table of verdicts, a row of which is shown in full, and all of it to take away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from nerve_core.clinical import norms
from nerve_core.clinical.finding import Finding, Place, finding_of
from nerve_core.clinical.table import as_csv, as_excel
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


def take_away(items: Sequence[Item], model: Predictor) -> None:
    """Drawn only when opened: every scan with its measurements as CSV or Excel, made when asked for."""
    expander = st.expander(
        "All scans as a table", icon=":material/table_view:", key="batch-take-away", on_change="rerun"
    )
    if not expander.open:
        return
    with expander:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            nerve = st.selectbox(
                "All show this nerve", norms.nerves(), None, key="batch-nerve", width=200,
                placeholder="Not said", help="For norms; counts for scans with one outlined nerve.",
            )  # fmt: skip
            site = st.selectbox(
                "At this site", norms.sites(nerve) if nerve else [], key=f"batch-site-{nerve}", width=240,
                placeholder="Not said",
            )  # fmt: skip
            named = st.checkbox("With file names", key="batch-names", help="They may hold a patient's name.")
            make = st.button("Make the table", icon=":material/table_view:", type="primary", key="batch-make")
        if make:
            bar, found = st.empty(), []
            for number, item in enumerate(items, 1):
                bar.progress(number / len(items), f"Measuring scan {number} of {len(items)} …")
                found.append(finding(number, item, model, nerve, site, named))
            bar.empty()
            st.session_state["batch-made"] = (datetime.now(), found)
        if "batch-made" in st.session_state:
            _downloads(*st.session_state["batch-made"])
        st.caption(
            "A row a nerve: verdict, probability, sizes with their units, norms, model and notice. Without "
            "file names, scans are told apart by their number here and the fingerprint of the file."
        )


def finding(
    number: int, item: Item, model: Predictor, nerve: str | None, site: str | None, named: bool
) -> Finding:
    """One scan for the table, as the session looks at it now; without its file's name unless ``named``."""
    outcome = session.corrected(item, model)
    file = item.name if named else ""
    if outcome.prediction is None or outcome.scan is None:
        why = outcome.refused or outcome.error or ""
        return Finding(str(number), None, file=file, digest=item.digest, remark=why)
    one = len(outcome.prediction.nerves) == 1
    return finding_of(
        str(number),
        outcome.scan,
        outcome.prediction,
        session.view_of(item).mm_per_px is not None,
        file,
        item.digest,
        [Place(0, nerve, site)] if nerve and site and one else [],
    )


def _downloads(made: datetime, findings: Sequence[Finding]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Table (CSV)",
            lambda: as_csv(findings),
            "nerve-scans.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="batch-csv",
        )
        st.download_button(
            "Table (Excel)",
            lambda: as_excel(findings, made),
            "nerve-scans.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/download:",
            on_click="ignore",
            key="batch-xlsx",
        )
        st.caption(f"{len(findings)} scans as they were at {made:%H:%M}; make it again after changes.")


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
