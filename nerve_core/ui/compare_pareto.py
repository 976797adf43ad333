"""Dice against what a method costs, with the methods that no other beats in both."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from nerve_core.ui.compare_results import bare
from nerve_core.ui.data_plots import INK, finished


@dataclass(frozen=True)
class Cost:
    """One way to count what a method costs.

    Attributes:
        title: of the axis, with its unit.
        of_network: key among the published costs; empty for the time measured with the scans.
        scale: what a value is divided by.
        meaning: what stands below the chart.
    """

    title: str
    of_network: str = ""
    scale: float = 1.0
    meaning: str = ""


COSTS = {
    "Time a scan": Cost(
        "Time a scan, ms (logarithmic)",
        meaning="The whole way from the decoded scan to the outline, median over the scans, on the machine "
        "of the benchmark; other work on it at the time makes it longer.",
    ),
    "Network's time": Cost(
        "One pass of the network, ms (logarithmic)",
        "openvino_ms",
        meaning="The network alone, OpenVINO, one thread; only of networks that were measured alone.",
    ),
    "Operations": Cost(
        "Multiply–accumulates, billions (logarithmic)",
        "macs",
        1e9,
        "One pass of the network; only of networks that were measured alone.",
    ),
    "Parameters": Cost(
        "Parameters, millions (logarithmic)",
        "parameters",
        1e6,
        "How large the network is; only of networks that were measured alone.",
    ),
}

KINDS = {"Shipped weights": "#D55E00", "Network": "#0072B2", "Classical": "#7F8C96"}
SYMBOLS = {"Shipped weights": "star", "Network": "circle", "Classical": "diamond"}
LIGHTER = {"#0072B2": "#56B4E9"}
"""The blue that is seen on a dark page."""
LONGEST = 34
"""Characters of a method's name in the chart."""


def front(cost: Sequence[float | None], gain: Sequence[float | None]) -> list[int]:
    """Indices of the points that no other beats, cheapest first: the Pareto front.

    A point is beaten by one that costs no more and gains no less, and is better in one of the two; of equal
    points the first stays. Points without a cost or a gain are left out.

    >>> front([1, 2, 3, None], [0.5, 0.4, 0.6, 0.9])
    [0, 2]
    """
    usable = [
        i
        for i, pair in enumerate(zip(cost, gain, strict=True))
        if all(value is not None and value == value for value in pair)
    ]
    kept: list[int] = []
    for i in sorted(usable, key=lambda i: (cost[i], -gain[i], i)):
        if not kept or gain[i] > gain[kept[-1]]:
            kept.append(i)
    return kept


def kind_of(method: str, costs: Mapping[str, Any]) -> str:
    """Which of ``KINDS`` a method is of."""
    from nerve_core.evaluation.methods import WEIGHTS, is_trained_here

    if method.startswith(WEIGHTS):
        return "Shipped weights"
    return "Network" if is_trained_here(bare(method)) or bare(method) in costs else "Classical"


def values_of(
    lines: Sequence[Mapping[str, Any]], costs: Mapping[str, Mapping[str, Any]], by: Cost
) -> list[float | None]:
    """What each line's method costs, in the unit of ``by``; None where that is not known."""
    found = []
    for line in lines:
        value = costs.get(bare(line["method"]), {}).get(by.of_network) if by.of_network else line.get("ms")
        found.append(value / by.scale if isinstance(value, int | float) and value > 0 else None)
    return found


def show(
    lines: Sequence[Mapping[str, Any]], costs: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]
) -> None:
    """The chart of one table's lines and the choice of its horizontal axis."""
    available = [name for name, by in COSTS.items() if any(values_of(lines, costs, by))]
    if not available:
        st.info("No times or costs are published with these results.", icon=":material/timer_off:")
        return
    name = st.segmented_control("Against", available, default=available[0], required=True, key="compare-cost")
    values = values_of(lines, costs, COSTS[name])
    st.plotly_chart(
        drawn(lines, values, COSTS[name], titles, [kind_of(line["method"], costs) for line in lines]),
        key=f"compare-pareto-{name}",
        config={"displayModeBar": False},
        alt=f"Dice of {sum(value is not None for value in values)} methods against {COSTS[name].title}",
    )
    st.caption(
        f"{COSTS[name].meaning} The dotted line joins the methods that no other beats: none is both cheaper "
        "and better. Better is up, cheaper is left."
    )


def drawn(
    lines: Sequence[Mapping[str, Any]],
    values: Sequence[float | None],
    by: Cost,
    titles: Mapping[str, str],
    kinds: Sequence[str],
) -> go.Figure:
    """The chart: a point a method, by kind; the Pareto front as a line, its methods by name."""
    theme = st.context.theme.type or "light"
    figure = go.Figure()
    best = front(values, [line["dice"] for line in lines])
    figure.add_scatter(
        x=[values[i] for i in best],
        y=[lines[i]["dice"] for i in best],
        mode="lines",
        line={"dash": "dot", "color": INK[theme], "width": 1.5, "shape": "hv"},
        hoverinfo="skip",
        name="not beaten",
    )
    for kind, ink in KINDS.items():
        own = [i for i, found in enumerate(kinds) if found == kind and values[i] is not None]
        if own:
            figure.add_scatter(
                x=[values[i] for i in own],
                y=[lines[i]["dice"] for i in own],
                mode="markers",
                name=f"{kind} (n = {len(own)})",
                marker={
                    "size": 14 if kind == "Shipped weights" else 10,
                    "symbol": SYMBOLS[kind],
                    "color": LIGHTER.get(ink, ink) if theme == "dark" else ink,
                    "line": {"width": 1, "color": INK[theme]},
                },
                text=[html.escape(titles[lines[i]["method"]]) for i in own],
                hovertemplate="%{text}<br>Dice %{y:.3f}, %{x:.3g}<extra></extra>",
            )
    for i in best:
        words = titles[lines[i]["method"]]
        figure.add_annotation(
            x=_log10(values[i]),
            y=lines[i]["dice"],
            text=html.escape(words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"),
            showarrow=False,
            yshift=15,
            xanchor="left" if i == best[0] else "right",
            font={"size": 12, "color": INK[theme]},
        )
    top = max((line["dice"] for line in lines), default=1.0)
    figure.update_layout(
        height=430,
        margin={"l": 10, "r": 10, "t": 20, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0, "title": None},
        xaxis={"type": "log", "title": by.title},
        yaxis={"title": "Dice", "range": [0, min(1.05, top + 0.1)]},
    )
    return finished(figure)


def _log10(value: float | None) -> float:
    return math.log10(value or 1.0)
