"""How a set is split by group, and what is wrong with it: leaks, duplicates, damaged files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from nerve_core.data.check import Finding, check_rows
from nerve_core.data.manifest import Row
from nerve_core.data.splits import assign
from nerve_core.ui.data_gallery import gallery
from nerve_core.ui.data_scan import plain
from nerve_core.ui.data_sets import ScanSet

SIDES = {"train": "Training", "val": "Validation", "test": "Test"}
AT_ONCE = 60
"""Scans that are checked without asking."""
SHOWN = 12
"""Scans of a finding shown as pictures."""


def show(chosen: ScanSet) -> None:
    """The split as counts, then the findings of the check."""
    st.subheader("Split", anchor=False)
    st.markdown(
        "By group, set by set: 80 % for training, 10 % for validation and 10 % for the test, so that no "
        "group stands on two sides. Seed 0, the same split that training and evaluation use."
    )
    st.dataframe(split_table(chosen.rows), hide_index=True, height="content")
    st.subheader("Check", anchor=False)
    findings = _findings(chosen)
    if findings is None:
        return
    if not findings:
        st.success("Nothing is wrong with this set.", icon=":material/check_circle:")
    for number, finding in enumerate(findings):
        _show(chosen, finding, number)


def split_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Scans and groups on each side, and how many groups stand on more than one."""
    sides = assign(rows)
    scans = Counter(sides)
    groups = {
        side: {_group(row) for row, at in zip(rows, sides, strict=True) if at == side} for side in SIDES
    }
    lines = []
    for side, title in SIDES.items():
        others = set().union(*(groups[other] for other in SIDES if other != side))
        here = [row for row, at in zip(rows, sides, strict=True) if at == side]
        lines.append(
            {
                "Side": title,
                "Scans (n)": scans[side],
                "Share (%)": round(100 * scans[side] / len(rows), 1),
                "Groups (n)": len(groups[side]),
                "Groups on another side too (n)": len(groups[side] & others),
                "Affected (n)": sum(row.get("label") == "affected" for row in here),
                "Unaffected (n)": sum(row.get("label") == "unaffected" for row in here),
            }
        )
    return pd.DataFrame(lines)


def _group(row: Row) -> tuple[str, str]:
    return row.get("set", ""), row["group"]


def _findings(chosen: ScanSet) -> list[Finding] | None:
    """Findings of the set, kept in this session; None until the user wants to wait for many."""
    kept: dict[str, list[Finding]] = st.session_state.setdefault("data-findings", {})
    if chosen.mark in kept:
        return kept[chosen.mark]
    if len(chosen.rows) > AT_ONCE:
        place = st.empty()
        asking = place.container()
        asking.markdown(
            "Looks for unreadable files, near-duplicates, leaks between groups and burnt-in text."
        )
        words = f"Check {len(chosen.rows):,} scans"
        if not asking.button(words, type="primary", icon=":material/fact_check:"):
            return None
        place.empty()
    bar = st.progress(0.0, "Checking …")
    kept[chosen.mark] = check_rows(
        chosen.rows,
        lambda share: bar.progress(min(share, 1.0), f"Checking, {100 * share:.0f} % of the scans …"),
    )
    bar.empty()
    return kept[chosen.mark]


def _show(chosen: ScanSet, finding: Finding, number: int) -> None:
    title = finding.kind.replace("-", " ").capitalize()
    with st.container():
        say, icon = (st.error, ":material/error:") if finding.serious else (st.warning, ":material/info:")
        say(f"**{title}.** {plain(finding.message)}", icon=icon)
        some = "Show the scan" if len(finding.rows) == 1 else f"Show the {len(finding.rows):,} scans"
        if finding.rows and st.toggle(some, key=f"data-finding-{chosen.mark}-{number}"):
            if len(finding.rows) > SHOWN:
                st.caption(f"The first {SHOWN} of {len(finding.rows):,} scans.")
            gallery(chosen.rows, finding.rows[:SHOWN], key=f"data-found-{chosen.mark}-{number}")
