"""Whether a method is as good for every set, site, nerve and device, and for nerves of any size and depth."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.ui import compare_results
from nerve_core.ui import robustness_results as results
from nerve_core.ui.compare_results import Line
from nerve_core.ui.data_plots import INK, finished
from nerve_core.ui.robustness_curves import ink_of, order_of

MOST = 4
"""Methods in the chart at once."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def show() -> None:
    """Choice of subgroups and methods, a chart with intervals, the same as a table."""
    with st.spinner("Reading the results …"):
        available = results.available()
    if not available:
        st.info(compare_results.how_to("contours"), icon=":material/science:")
        return
    clicks = {"No click": "", "One click": "click_"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Subgroups by", available, format_func=results.BY.get, key="robustness-by", width=280
        )
        click = st.segmented_control(
            "Pointing", list(clicks), default="No click", required=True, key="robustness-click"
        )
    lines = results.subgroups(by, clicks[click])
    if not lines:
        st.info("These results hold no figures with a click.", icon=":material/ads_click:")
        return
    methods = order_of(lines)
    titles = compare_results.titles(methods)
    chosen = st.multiselect(
        "Methods",
        methods,
        default=methods[:2],
        format_func=titles.get,
        max_selections=MOST,
        key=f"robustness-group-methods-{click}",
        placeholder="Choose at least one",
    )
    shown = [line for line in lines if line["method"] in chosen]
    if not shown:
        st.info("Choose at least one method.", icon=":material/groups:")
        return
    st.plotly_chart(
        drawn(shown, chosen, titles),
        key=f"robustness-groups-{by}-{click}",
        config={"displayModeBar": False},
        alt=f"Dice by {results.BY[by].lower()} with 95 % intervals",
    )
    st.caption(
        "Dots are the mean Dice on unseen groups, lines the 95 % interval by group. "
        f"Subgroups of fewer than {results.FEWEST} scans are left out, and so are scans that state nothing. "
        "Where intervals overlap widely, no difference is shown; sites and devices differ between sets, so a "
        "difference may be that of the sets."
    )
    st.dataframe(
        table(shown, by, titles),
        hide_index=True,
        height="content",
        column_config={"Dice": st.column_config.NumberColumn(format="%.3f")},
        alt="The same figures as a table",
    )


def drawn(lines: Sequence[Line], chosen: Sequence[str], titles: Mapping[str, str]) -> go.Figure:
    """A row a subgroup, its name above; a dot with its interval a method."""
    parts = list(dict.fromkeys(line["part"] for line in lines))
    theme = st.context.theme.type or "light"
    figure = go.Figure()
    for number, method in enumerate(chosen):
        own = [line for line in lines if line["method"] == method]
        shift = (number - (len(chosen) - 1) / 2) * 0.2
        low = [line["dice"] - (line["dice_ci95"] or [line["dice"]])[0] for line in own]
        high = [(line["dice_ci95"] or [line["dice"]])[-1] - line["dice"] for line in own]
        figure.add_scatter(
            x=[line["dice"] for line in own],
            y=[parts.index(line["part"]) + shift for line in own],
            mode="markers",
            name=html.escape(titles[method]),
            marker={"size": 10, "color": ink_of(number), "symbol": SYMBOLS[number % len(SYMBOLS)]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": high,
                "arrayminus": low,
                "color": ink_of(number),
                "thickness": 2,
            },
            customdata=[[html.escape(line["part"]), line["n"], line["groups"]] for line in own],
            hovertemplate=(
                "%{customdata[0]}<br>Dice %{x:.2f}, n = %{customdata[1]} scans of %{customdata[2]} groups"
                "<extra></extra>"
            ),
        )
    for place, part in enumerate(parts):
        n = max(line["n"] for line in lines if line["part"] == part)
        figure.add_annotation(
            x=0,
            y=place - 0.42,
            xref="paper",
            text=f"{html.escape(part)} (n = {n:,})",
            showarrow=False,
            xanchor="left",
            font={"size": 13, "color": INK[theme]},
        )
    figure.update_layout(
        height=64 * len(parts) + 110,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": None},
        xaxis={"title": "Dice", "range": [0, 1], "dtick": 0.2, "fixedrange": True},
        yaxis={
            "range": [len(parts) - 0.6, -0.8],
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return finished(figure)


def table(lines: Sequence[Line], by: str, titles: Mapping[str, str]) -> pd.DataFrame:
    """The figures shown."""
    return pd.DataFrame(
        {
            results.BY[by]: line["part"],
            "Method": titles[line["method"]],
            "Dice": line["dice"],
            "95 % interval": "" if not line["dice_ci95"] else "{:.3f}–{:.3f}".format(*line["dice_ci95"]),
            "Scans (n)": line["n"],
            "Groups (n)": line["groups"],
        }
        for line in lines
    )
