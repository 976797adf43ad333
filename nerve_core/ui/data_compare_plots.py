"""Two sets in one chart: how alike their nerves are in size, place, depth and brightness."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.ui import data_measure
from nerve_core.ui.data_gallery import gallery
from nerve_core.ui.data_plots import CONFIG, finished
from nerve_core.ui.data_scan import plain
from nerve_core.ui.data_sets import ScanSet

COLOURS = ("#0072B2", "#E69F00")
"""Blue and orange of Okabe and Ito (2008), for the first and the second set."""
BINS = 20
SHOWN = 6
"""Selected scans of each set shown below the chart."""


@dataclass(frozen=True)
class Quantity:
    """One quantity: its column in the prepared table and its name with the unit."""

    column: str
    title: str


QUANTITIES = {
    "Size": Quantity("area_percent", "Nerve area, % of the ultrasound region"),
    "Area": Quantity("area_mm2", "Nerve area, mm²"),
    "Across": Quantity("x_percent", "Centre of the largest nerve, % of the region's width"),
    "Depth": Quantity("depth_percent", "Depth of the centre, % of the region's height"),
    "Depth in mm": Quantity("depth_mm", "Depth of the centre, mm"),
    "Brightness inside": Quantity("echo_inside", "Mean grey level inside the nerves (0 to 255)"),
    "Contrast": Quantity("contrast", "Mean grey level inside less around (−255 to 255)"),
    "Whole picture": Quantity("echo_region", "Mean grey level of the whole region (0 to 255)"),
}


def show(first: ScanSet, second: ScanSet) -> None:
    """Measure both, then one quantity at a time, drawn over each other."""
    measured = [data_measure.measured(each) for each in (first, second)]
    tables = [table for table in measured if table is not None]
    if len(tables) < 2:
        return
    names = (first.name, second.name)
    usable = [
        name
        for name, quantity in QUANTITIES.items()
        if all(table[quantity.column].notna().sum() > 1 for table in tables)
    ]
    if not usable:
        st.info("Nothing could be measured in both sets; the check in “Split and leakage” says why.")
        return
    key = f"compare-{first.mark}-{second.mark}"
    name = st.segmented_control("Quantity", usable, default=usable[0], required=True, key=f"{key}-quantity")
    quantity = QUANTITIES[name]
    picked = st.plotly_chart(
        overlaid(tables, names, quantity),
        key=f"{key}-plot-{name}",
        on_select="rerun",
        selection_mode=("points", "box"),
        config=CONFIG,
        alt=f"{quantity.title}: {first.name} and {second.name}",
    )
    _selected((first, second), tables, quantity, picked["selection"]["points"], key)
    st.dataframe(
        summary(tables, names, usable),
        hide_index=True,
        height="content",
        column_config={"Distance": st.column_config.NumberColumn("Distance (0 to 1)", format="%.2f")},
    )
    st.caption(
        "“Distance” is the largest gap between the two sets' cumulative shares (Kolmogorov and Smirnov): 0 "
        "is the same distribution, 1 means that they nowhere overlap."
    )


def overlaid(tables: Sequence[pd.DataFrame], names: tuple[str, str], quantity: Quantity) -> go.Figure:
    """Share of each set's scans by value, in common bins; ``customdata`` of a bar is (set, from, to)."""
    column = quantity.column
    parts = [table.dropna(subset=[column]) for table in tables]
    every = np.concatenate([part[column].to_numpy(float) for part in parts])
    edges = np.linspace(every.min(), every.max() if np.ptp(every) else every.min() + 1, BINS + 1)
    spans = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    figure = go.Figure()
    for number, (part, name) in enumerate(zip(parts, names, strict=True)):
        bins = np.clip(np.digitize(part[column], edges) - 1, 0, BINS - 1)
        counts = np.bincount(bins, minlength=BINS)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=100 * counts / len(part),
            width=np.diff(edges),
            name=f"{html.escape(name)} (n = {len(part):,})",
            marker={"color": COLOURS[number], "opacity": 0.6, "line": {"width": 1, "color": COLOURS[number]}},
            customdata=[[number, low, high] for low, high in spans],
            text=[
                f"{low:.1f} to {high:.1f}: {n} scans" for (low, high), n in zip(spans, counts, strict=True)
            ],
            textposition="none",
            hovertemplate="%{text} (%{y:.0f} %)<extra></extra>",
        )
    figure.update_layout(
        barmode="overlay",
        height=380,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.25, "x": 0, "title": None},
        xaxis_title=quantity.title,
        yaxis_title="Share of the set's scans, %",
    )
    return finished(figure)


def chosen_in(
    tables: Sequence[pd.DataFrame], quantity: Quantity, points: Sequence[dict]
) -> tuple[list[int], list[int]]:
    """Indices into each set of the scans in the bars that are selected."""
    found: tuple[list[int], list[int]] = ([], [])
    for point in points:
        number, low, high = np.ravel(point["customdata"])[:3]
        table = tables[int(number)]
        # Rounding on the way through the browser must not lose a scan at the edge of a bar.
        slack = 1e-6 * max(abs(low), abs(high), 1.0)
        inside = table[quantity.column].between(low - slack, high + slack)
        found[int(number)].extend(table.loc[inside, "index"].tolist())
    return found[0], found[1]


def _selected(
    sets: tuple[ScanSet, ScanSet],
    tables: Sequence[pd.DataFrame],
    quantity: Quantity,
    points: Sequence[dict],
    key: str,
) -> None:
    found = chosen_in(tables, quantity, points)
    if not any(found):
        st.caption("Click a bar to see its scans; for many, take the box above the chart.")
        return
    for number, (each, indices) in enumerate(zip(sets, found, strict=True)):
        if indices:
            more = f", the first {SHOWN} shown" if len(indices) > SHOWN else ""
            st.markdown(f"**{len(indices):,} selected** of {plain(each.name)}{more}.")
            gallery(each.rows, indices[:SHOWN], key=f"{key}-picked-{number}")


def summary(
    tables: Sequence[pd.DataFrame], names: tuple[str, str], quantities: Sequence[str]
) -> pd.DataFrame:
    """Median and quartiles of each quantity in both sets, and how far apart the two are."""
    from scipy.stats import ks_2samp

    lines = []
    for name in quantities:
        quantity = QUANTITIES[name]
        line: dict[str, object] = {"Quantity": quantity.title}
        values = [table[quantity.column].dropna().to_numpy(float) for table in tables]
        for each, found in zip(names, values, strict=True):
            low, middle, high = np.percentile(found, [25, 50, 75])
            line[f"{each}: median (middle half)"] = (
                f"{middle:.1f} ({low:.1f} to {high:.1f}), n = {len(found)}"
            )
        line["Distance"] = round(float(ks_2samp(*values).statistic), 2)
        lines.append(line)
    return pd.DataFrame(lines)
