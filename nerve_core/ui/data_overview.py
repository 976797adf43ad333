"""What is in a set: how many scans, groups and contours, by site, nerve, label and device."""

from __future__ import annotations

import html
from collections import Counter, defaultdict
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from nerve_core.data.manifest import LABELS, Row
from nerve_core.ui import data_picture
from nerve_core.ui.data_sets import ScanSet, values

COLUMNS = {"site": "Site", "nerve": "Nerve", "label": "Label", "device": "Device"}
NONE = "not stated"
MOST = 10
"""Bars shown of one column; the table below has them all."""

_STYLE = """<style>
.bars { margin: 0 0 0.5rem; font-size: 0.9rem; }
.bars .row { margin: 0.35rem 0; }
.bars .head { display: flex; justify-content: space-between; gap: 0.75rem; }
.bars .head span:last-child { white-space: nowrap; opacity: 0.8; }
.bars .bar { display: flex; height: 0.5rem; border-radius: 0.25rem; overflow: hidden;
  background: color-mix(in srgb, currentColor 12%, transparent); }
.bars i { display: block; height: 100%; }
</style>"""


def show(chosen: ScanSet) -> None:
    """Counts as figures, bars and a table."""
    rows = chosen.rows
    groups = Counter((row.get("set", ""), row["group"]) for row in rows)
    contours = sum(bool(row.get("mask")) for row in rows)
    with st.container(horizontal=True, gap="large"):
        st.metric("Scans", f"{len(rows):,}", width="content")
        st.metric("Groups", f"{len(groups):,}", width="content", help="Patients, or sweeps of one patient.")
        st.metric("Scans a group, at most", f"{max(groups.values()):,}", width="content")
        st.metric("With a contour", f"{contours:,}", width="content")
    if chosen.simulated:
        st.caption(":material/science: All scans of this set are simulated: no patient, no volunteer.")
    elif chosen.generated:
        st.caption(
            ":material/draw: All scans of this set were drawn by a network that learned from other scans: no "
            "figure may rest on them."
        )
    legend()
    for pair in (("site", "nerve"), ("label", "device")):
        for place, column in zip(st.columns(2, gap="large"), pair, strict=True):
            with place:
                st.subheader(f"{COLUMNS[column]} (n = {len(rows):,} scans)", anchor=False)
                st.html(_STYLE + bars(rows, column))
    st.subheader("The same as a table", anchor=False)
    st.dataframe(
        table(rows),
        hide_index=True,
        height="content",
        column_config={"Value": st.column_config.TextColumn(width=280)},
        alt="Counts by site, nerve, label and device",
    )


def legend() -> None:
    """What the colours mean."""
    names = [*LABELS, "no label"]
    entries = "".join(
        f'<span style="margin-right:1rem;white-space:nowrap"><i style="display:inline-block;width:.7rem;'
        f'height:.7rem;border-radius:50%;margin-right:.35rem;background:{data_picture.colour(name)}"></i>'
        f"{name}</span>"
        for name in names
    )
    st.html(f'<div style="font-size:.85rem;opacity:.9">{entries}</div>')


def counts(rows: Sequence[Row], column: str) -> list[tuple[str, dict[str, int]]]:
    """(value, scans by label) of a column, the most frequent value first, the empty one last."""
    by_value: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys((*LABELS, ""), 0))
    for row in rows:
        label = row.get("label", "")
        by_value[row.get(column, "")][label if label in LABELS else ""] += 1
    return [(value, by_value[value]) for value in values(rows, column)]


def bars(rows: Sequence[Row], column: str) -> str:
    """HTML of one bar a value, as long as its share of the scans, coloured by label."""
    found = counts(rows, column)
    lines = []
    for value, labels in found[:MOST]:
        n = sum(labels.values())
        parts = "".join(
            f'<i style="width:{100 * count / len(rows):.2f}%;background:{data_picture.colour(label)}" '
            f'title="{label or "no label"}: {count:,} scans"></i>'
            for label, count in labels.items()
            if count
        )
        lines.append(
            f'<div class="row"><div class="head"><span>{html.escape(value or NONE)}</span>'
            f'<span>{n:,} ({100 * n / len(rows):.0f} %)</span></div><div class="bar">{parts}</div></div>'
        )
    if len(found) > MOST:
        rest = sum(sum(labels.values()) for _, labels in found[MOST:])
        lines.append(f"<div>{len(found) - MOST:,} more values with {rest:,} scans: see the table.</div>")
    return f'<div class="bars">{"".join(lines)}</div>'


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """Every value of every column with its scans, groups and labels."""
    lines = []
    for column, title in COLUMNS.items():
        groups: dict[str, set[tuple[str, str]]] = defaultdict(set)
        masks: Counter[str] = Counter()
        for row in rows:
            groups[row.get(column, "")].add((row.get("set", ""), row["group"]))
            masks[row.get(column, "")] += bool(row.get("mask"))
        for value, labels in counts(rows, column):
            lines.append(
                {
                    "By": title,
                    "Value": value or NONE,
                    "Scans (n)": sum(labels.values()),
                    "Groups (n)": len(groups[value]),
                    "With contour (n)": masks[value],
                    "Affected (n)": labels["affected"],
                    "Unaffected (n)": labels["unaffected"],
                    "No label (n)": labels[""],
                }
            )
    return pd.DataFrame(lines)
