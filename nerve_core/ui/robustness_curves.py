"""Dice against the strength of each shift, a small chart a shift and a line a method; losses as a table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.ui import compare_results, robustness_words
from nerve_core.ui import robustness_results as results
from nerve_core.ui.compare_results import Line
from nerve_core.ui.data_plots import PALETTE, finished
from nerve_core.ui.theme import rgb

DASHES = ("solid", "dash", "dot")
LIGHTER = {"#0072B2": "#2E8FD6"}
"""The blue that is seen on a dark page."""
MOST = 6
"""Methods in the charts at once."""
ACROSS = 3


def show() -> None:
    """Choice of methods, a chart a shift, and the table."""
    with st.spinner("Reading the results …"):
        lines = results.curves()
    if not lines:
        st.info(compare_results.how_to("robustness"), icon=":material/science:")
        return
    methods = order_of(lines)
    titles = compare_results.titles(methods)
    chosen = st.multiselect(
        "Methods",
        methods,
        default=methods[:3],
        format_func=titles.get,
        max_selections=MOST,
        key="robustness-methods",
        placeholder="Choose at least one",
    )
    if not chosen:
        st.info("Choose at least one method.", icon=":material/show_chart:")
        return
    inks = {method: ink_of(number) for number, method in enumerate(chosen)}
    st.caption(said_of([line for line in lines if line["method"] in chosen]))
    _legend(chosen, titles)
    shifts = [name for name in robustness_words.SHIFTS if any(line["shift"] == name for line in lines)]
    shifts += sorted({line["shift"] for line in lines} - set(shifts))
    for start in range(0, len(shifts), ACROSS):
        for column, shift in zip(st.columns(ACROSS), shifts[start : start + ACROSS], strict=False):
            with column:
                st.markdown(f"**{robustness_words.title(shift)}**")
                own = [line for line in lines if line["shift"] == shift and line["method"] in chosen]
                st.plotly_chart(
                    panel(own, chosen, titles, inks),
                    key=f"robustness-{shift}",
                    config={"displayModeBar": False},
                    alt=f"Dice against the strength of the shift {shift}",
                )
                st.caption(robustness_words.meaning(shift))
    st.subheader("What each shift costs", anchor=False)
    st.dataframe(
        table(lines, titles),
        hide_index=True,
        height=420,
        placeholder="–",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("Dice unchanged", "Dice at 0.5", "Loss at 0.5", "Dice at 1", "Loss at 1")
        },
        alt="Loss of Dice by method and shift at strengths 0.5 and 1",
    )
    st.caption(
        "Loss: Dice on the scans as they are less Dice on the shifted ones; every set weighs alike. A dash: "
        "the method was not measured on the same scans unchanged."
    )


def order_of(lines: Sequence[Line]) -> list[str]:
    """Methods, shipped weights first, then by what is left of them over all shifts."""
    sums: dict[str, list[float]] = {}
    for line in lines:
        sums.setdefault(line["method"], []).append(line["dice"])
    return sorted(
        sums, key=lambda name: (not name.startswith("weights:"), -sum(sums[name]) / len(sums[name]))
    )


def ink_of(number: int) -> str:
    """Colour of the method of that number."""
    ink = PALETTE[number % len(PALETTE)]
    return LIGHTER.get(ink, ink) if st.context.theme.type == "dark" else ink


def said_of(lines: Sequence[Line]) -> str:
    """How many scans and groups the curves are of, and how to read them."""

    def span(name: str) -> str:
        found = sorted({line[name] for line in lines})
        return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"

    return (
        f"n = {span('n')} scans of {span('groups')} groups (patients or sweeps) at each point, unseen in "
        "training; every set weighs alike. Lines are the mean Dice without a click, bands the 95 % interval "
        "by group. Strength 0 is the scan as it is; at 1 a sonographer would repeat it."
    )


def _legend(chosen: Sequence[str], titles: Mapping[str, str]) -> None:
    parts = []
    for number, method in enumerate(chosen):
        drawn = {"solid": "solid", "dash": "dashed", "dot": "dotted"}[DASHES[number % len(DASHES)]]
        parts.append(
            "<span style='white-space:nowrap'><span style='display:inline-block;width:34px;"
            f"vertical-align:middle;border-top:3px {drawn} {ink_of(number)}'></span> "
            f"{html.escape(titles[method])}</span>"
        )
    st.html("<div style='font-size:0.95rem'>" + " &nbsp; ".join(parts) + "</div>")


def panel(
    lines: Sequence[Line], chosen: Sequence[str], titles: Mapping[str, str], inks: Mapping[str, str]
) -> go.Figure:
    """One shift: a line and a band a method."""
    figure = go.Figure()
    for number, method in enumerate(chosen):
        own = sorted((line for line in lines if line["method"] == method), key=lambda line: line["strength"])
        if not own:
            continue
        ink = inks[method]
        x = [line["strength"] for line in own]
        if all(line["dice_ci95"] for line in own):
            low, high = zip(*(line["dice_ci95"] for line in own), strict=True)
            figure.add_scatter(
                x=[*x, *x[::-1]],
                y=[*high, *low[::-1]],
                fill="toself",
                fillcolor=f"rgba{(*rgb(ink), 0.16)}",
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                mode="lines",
            )
        figure.add_scatter(
            x=x,
            y=[line["dice"] for line in own],
            mode="lines+markers",
            name=html.escape(titles[method]),
            line={"color": ink, "width": 2.5, "dash": DASHES[number % len(DASHES)]},
            marker={"size": 6},
            customdata=[_interval(line) for line in own],
            hovertemplate="%{fullData.name}<br>strength %{x}: Dice %{y:.2f}%{customdata}<extra></extra>",
        )
    figure.update_layout(
        height=220,
        margin={"l": 8, "r": 8, "t": 6, "b": 8},
        showlegend=False,
        xaxis={"title": "Strength", "range": [-0.04, 1.04], "dtick": 0.25, "fixedrange": True},
        yaxis={"title": "Dice", "range": [0, 1.03], "dtick": 0.25, "fixedrange": True},
    )
    return finished(figure)


def _interval(line: Line) -> str:
    own = line["dice_ci95"]
    interval = f" ({own[0]:.2f} to {own[1]:.2f})" if own else ""
    return f"{interval}, n = {line['n']:,} scans of {line['groups']:,} groups"


def table(lines: Sequence[Line], titles: Mapping[str, str]) -> pd.DataFrame:
    """Losses of every method at strengths 0.5 and 1."""
    return pd.DataFrame(
        {
            "Method": titles[own["method"]],
            "Shift": robustness_words.title(own["shift"]),
            "Dice unchanged": own.get("dice 0"),
            "Dice at 0.5": own.get("dice 0.5"),
            "Loss at 0.5": own.get("loss 0.5"),
            "Dice at 1": own.get("dice 1"),
            "Loss at 1": own.get("loss 1"),
        }
        for own in results.losses(lines)
    )
