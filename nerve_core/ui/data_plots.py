"""How size, position, brightness and depth of the nerves are distributed; points lead to their scans."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.ui import data_picture
from nerve_core.ui.data_gallery import gallery
from nerve_core.ui.data_measure import BY, measured
from nerve_core.ui.data_sets import ScanSet, values

SHOWN = 12
"""Selected scans shown below a chart."""
LONGEST_NAME = 45
"""Characters of a group's name below a chart."""
CROWD = 200
"""Points from which on they are drawn small and pale, so that the box behind them is seen."""
MANY = 8
"""Different values that get a colour of their own."""
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F8C96")
"""Okabe and Ito (2008), as in theme.py."""


@dataclass(frozen=True)
class Chart:
    """One distribution: a spread by group where ``y`` stands alone, else two quantities together."""

    y: str
    y_title: str
    x: str = ""
    x_title: str = ""
    meaning: str = ""


CHARTS = {
    "Size": Chart(
        "area_percent",
        "Nerve area, % of the ultrasound region",
        meaning="All nerves of a scan together. How much of the picture is nerve: what a network finds "
        "depends on it.",
    ),
    "Area": Chart("area_mm2", "Nerve area, mm²", meaning="Only scans with a stated millimetre scale."),
    "Position": Chart(
        "depth_percent",
        "Depth, % of region height",
        "x_percent",
        "Across, % of region width",
        meaning="Centre of the largest nerve, 0 at the top left of the ultrasound region.",
    ),
    "Brightness": Chart(
        "echo_inside",
        "Mean echo inside (grey level, 0 to 255)",
        "echo_ring",
        "Mean echo of the ring around (grey level)",
        meaning="Below the dotted line the nerve is darker than what surrounds it.",
    ),
    "Depth": Chart(
        "depth_mm", "Depth of the centre, mm", meaning="Only scans with a stated millimetre scale."
    ),
    "Image size": Chart("height_px", "Height, px", "width_px", "Width, px", meaning="Of the whole frame."),
}
INK = {"light": "#1A2530", "dark": "#E4EBEF"}
"""Colour of text, as in .streamlit/config.toml."""
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage"]}
"""Of every chart: only the buttons that select and zoom."""


def show(chosen: ScanSet) -> None:
    """Measure the scans, then one chart at a time and the scans selected in it."""
    table = measured(chosen)
    if table is None:
        return
    available = [name for name, chart in CHARTS.items() if table[chart.y].notna().any()]
    if not available:
        st.info("None of these scans could be measured; see why on the image wall.")
        return
    with st.container(horizontal=True):
        name = st.segmented_control(
            "Distribution", available, default=available[0], required=True, key=f"data-chart-{chosen.mark}"
        )
        by = st.selectbox("Colour by", list(BY), format_func=BY.get, key="data-by", width=180)
    chart = CHARTS[name]
    usable = table.dropna(subset=[column for column in (chart.x, chart.y) if column])
    st.caption(f"{chart.meaning} n = {len(usable):,} scans.")
    picked = st.plotly_chart(
        drawn(usable, chart, by),
        key=f"data-plot-{chosen.mark}-{name}-{by}",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config=CONFIG,
        alt=f"{chart.y_title} of {len(usable)} scans, by {BY[by].lower()}",
    )
    _selected(chosen, usable, chart, picked["selection"]["points"], name)
    st.dataframe(summary(usable, chart, by), hide_index=True, height="content")


def drawn(table: pd.DataFrame, chart: Chart, by: str) -> go.Figure:
    """The chart as a plotly figure; ``customdata`` of each point is its index in the set."""
    figure = go.Figure()
    crowded = len(table) > CROWD
    names = list(dict.fromkeys(value for value in _order(table[by])))
    for number, name in enumerate(names):
        part = table[_folded(table[by]) == name]
        colour = data_picture.colour(name) if by == "label" else PALETTE[number % len(PALETTE)]
        marker = {"color": colour, "size": 8, "opacity": 0.75, "line": {"width": 0.5, "color": "#333"}}
        if crowded:
            marker |= {"size": 6, "opacity": 0.4, "line": {"width": 0}}
        text = [f"scan {index + 1}" for index in part["index"]]
        shared = {
            "name": f"{html.escape(name)} (n = {len(part)})",
            "marker": marker,
            "customdata": part["index"],
            "text": text,
        }
        if chart.x:
            figure.add_scatter(
                x=part[chart.x],
                y=part[chart.y],
                mode="markers",
                hovertemplate="%{text}<br>%{x:.1f}, %{y:.1f}<extra></extra>",
                **shared,
            )
        else:
            spots = number + np.random.default_rng(0).uniform(-0.3, 0.3, len(part))
            figure.add_box(
                x=[number] * len(part),
                y=part[chart.y],
                boxpoints=False,
                line={"color": INK[st.context.theme.type or "light"], "width": 1.5},
                fillcolor="rgba(0,0,0,0)",
                hoverinfo="skip",
                showlegend=False,
            )
            figure.add_scatter(
                x=spots,
                y=part[chart.y],
                mode="markers",
                hovertemplate="%{text}<br>%{y:.2f}<extra></extra>",
                **shared,
            )
    _axes(figure, table, chart, names)
    return finished(figure)


def finished(figure: go.Figure) -> go.Figure:
    """The figure with its words in the colour of the page's own text, where a click selects.

    Streamlit's own grey is too pale. While a box or lasso is the tool in hand, it lets no click select; so
    none of them is to begin with.
    """
    ink = INK[st.context.theme.type or "light"]
    figure.update_layout(legend_font_color=ink)
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(title_font_color=ink, tickfont_color=ink)
    return figure


def _axes(figure: go.Figure, table: pd.DataFrame, chart: Chart, names: Sequence[str]) -> None:
    figure.update_layout(
        height=430,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        # Below the chart, since the buttons that choose how to select lie above it.
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0, "title": None},
        showlegend=bool(chart.x),
        xaxis_title=chart.x_title or None,
        yaxis_title=chart.y_title,
        yaxis_rangemode="tozero",
    )
    if not chart.x:
        ticks = [str(trace.name)[:LONGEST_NAME] for trace in figure.data if trace.name]
        figure.update_xaxes(
            tickvals=list(range(len(names))), ticktext=ticks, range=[-0.6, len(names) - 0.4], automargin=True
        )
    if chart.x == "x_percent":
        figure.update_xaxes(range=[0, 100])
        figure.update_yaxes(range=[100, 0])
    if chart.x == "echo_ring":
        top = float(table[[chart.x, chart.y]].max().max()) if len(table) else 255.0
        figure.add_shape(type="line", x0=0, y0=0, x1=top, y1=top, line={"dash": "dot", "color": "#7F8C96"})


def _order(column: pd.Series) -> list[str]:
    return values([{"v": value} for value in _folded(column)], "v")


def _folded(column: pd.Series) -> pd.Series:
    """Rare values under one name, so that every colour can be told apart."""
    frequent = column.value_counts().index[: MANY - 1]
    if column.nunique() <= MANY:
        return column
    return column.where(column.isin(frequent), "others")


def _selected(chosen: ScanSet, table: pd.DataFrame, chart: Chart, points: list[dict], name: str) -> None:
    """The scans picked in the chart, or in a range given by hand, which needs no mouse."""
    indices = [int(value) for point in points for value in np.ravel(point.get("customdata", []))]
    low, high = float(table[chart.y].min()), float(table[chart.y].max())
    if not indices and low < high:
        with st.expander("Choose by numbers instead of in the chart", icon=":material/keyboard:"):
            span = st.slider(
                chart.y_title, low, high, (low, high), key=f"data-range-{chosen.mark}-{name}", format="%.1f"
            )
        if span != (low, high):
            indices = table.loc[table[chart.y].between(*span), "index"].tolist()
    if not indices:
        st.caption("Click a point to see its scan; for many, take the box or the lasso above the chart.")
        return
    st.markdown(
        f"**{len(indices):,} selected** of {len(table):,} scans"
        + (f", the first {SHOWN} shown." if len(indices) > SHOWN else ".")
    )
    gallery(chosen.rows, indices[:SHOWN], key=f"data-picked-{chosen.mark}")


def summary(table: pd.DataFrame, chart: Chart, by: str) -> pd.DataFrame:
    """Number, median and quartiles by group, for each quantity of the chart."""
    lines = []
    for column, title in ((chart.x, chart.x_title), (chart.y, chart.y_title)):
        if not column:
            continue
        for name in _order(table[by]):
            found = table.loc[_folded(table[by]) == name, column]
            low, middle, high = found.quantile([0.25, 0.5, 0.75])
            lines.append(
                {
                    "Quantity": title,
                    BY[by]: name,
                    "Scans (n)": len(found),
                    "Median": round(middle, 2),
                    "25 % below": round(low, 2),
                    "25 % above": round(high, 2),
                }
            )
    return pd.DataFrame(lines)
