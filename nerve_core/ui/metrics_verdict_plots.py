"""The charts that follow the threshold: counts, ROC, precision and recall, calibration, probabilities."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from nerve_core.inference.prediction import AFFECTED, NO_NERVE, UNAFFECTED
from nerve_core.ui.data_ablation import DOTS, PAPER, REFERENCE
from nerve_core.ui.data_plots import INK, finished
from nerve_core.ui.metrics_numbers import Bin, Cases, Point
from nerve_core.ui.theme import VERDICT_COLOURS, rgb

HEIGHT = 360
STEPS = 20
"""Bars of the chart of probabilities."""
CALLS = (("affected", AFFECTED), ("unaffected", UNAFFECTED), ("no nerve", NO_NERVE))


def confusion(point: Point) -> str:
    """HTML table of truth against call; the deeper the colour, the larger the share of the row."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("Called affected", "Called unaffected",
                                                               "No nerve found"))  # fmt: skip
    rows = ""
    for truth in ("affected", "unaffected"):
        total = sum(point.counts[truth, call] for call, _ in CALLS)
        cells = ""
        for call, verdict in CALLS:
            count = point.counts[truth, call]
            share = count / total if total else 0.0
            red, green, blue = rgb(VERDICT_COLOURS[verdict])
            sign = "✓ right" if truth == call else "✗ wrong"
            cells += (
                f"<td style='background:rgba({red},{green},{blue},{0.06 + 0.38 * share:.2f})'>"
                f"<b>{count:,}</b><br>{100 * share:.0f} % · {sign}</td>"
            )
        rows += f"<tr><th scope='row'>{html.escape(truth.capitalize())}<br><small>n = {total:,}</small></th>"
        rows += f"{cells}</tr>"
    return (
        "<style>.metrics-confusion{border-collapse:separate;border-spacing:4px;width:100%}"
        ".metrics-confusion :is(th,td){padding:0.6rem 0.4rem;text-align:center;border-radius:0.3rem}"
        ".metrics-confusion th{font-weight:600;font-size:0.9rem}"
        "@media (max-width:480px){.metrics-confusion :is(th,td){font-size:0.8rem;padding:0.4rem 0.2rem}}"
        "</style><table class='metrics-confusion'><thead><tr><th scope='col'>Truth</th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def roc_chart(alarms: np.ndarray, hits: np.ndarray, point: Point) -> go.Figure:
    """Hits over false alarms, the chosen threshold marked."""
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": REFERENCE},
                       name="chance", hoverinfo="skip")  # fmt: skip
    _curve(figure, alarms, hits, "False alarms %{x:.2f}<br>found %{y:.2f}")
    _mark(figure, 1 - (point.figures["specificity"] or 0.0), point.figures["recall"], point)
    return _square(figure, "Healthy called affected (share)", "Affected found (share)")


def precision_recall_chart(recall: np.ndarray, precision: np.ndarray, point: Point) -> go.Figure:
    """Precision over recall, the chosen threshold marked."""
    figure = go.Figure()
    _curve(figure, recall, precision, "Found %{x:.2f}<br>right when called affected %{y:.2f}")
    if point.figures["precision"] is not None:
        _mark(figure, point.figures["recall"], point.figures["precision"], point)
    return _square(figure, "Affected found (share)", "Called affected and right (share)")


def calibration_chart(bins: Sequence[Bin], point: Point) -> go.Figure:
    """How often images of a probability are affected, with a band of 95 % by group, beside the diagonal."""
    figure, ink = go.Figure(), DOTS[_theme()]
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": REFERENCE},
                       name="perfect", hoverinfo="skip")  # fmt: skip
    banded = [one for one in bins if one.ci95]
    if len(banded) > 1:
        red, green, blue = rgb(ink)
        around = [*banded, *reversed(banded)]
        edge = [one.ci95[1] for one in banded] + [one.ci95[0] for one in reversed(banded)]
        figure.add_scatter(
            x=[one.predicted for one in around], y=edge, fill="toself", mode="none", hoverinfo="skip",
            fillcolor=f"rgba({red},{green},{blue},0.22)", name="95 % interval",
        )  # fmt: skip
    figure.add_scatter(
        x=[one.predicted for one in bins],
        y=[one.observed for one in bins],
        mode="lines+markers",
        line={"color": ink, "width": 2},
        marker={"size": 9, "color": ink},
        customdata=[(one.n, one.groups) for one in bins],
        hovertemplate="Said %{x:.2f}, affected %{y:.2f}<br>n = %{customdata[0]:,} images of "
        "%{customdata[1]:,} groups<extra></extra>",
        name="images",
    )
    figure.add_vline(point.threshold, line={"color": INK[_theme()], "width": 1.5, "dash": "dash"})
    return _square(figure, "Probability that the model gives", "Share that is affected")


def probability_chart(cases: Cases, point: Point) -> go.Figure:
    """How many images have which probability: affected upwards, healthy ones downwards."""
    figure, edges = go.Figure(), np.linspace(0, 1, STEPS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    healthy = cases.labels == 0
    kinds = (
        ("affected", cases.labels == 1, 1, AFFECTED, ""),
        ("healthy, as scanned", healthy & ~cases.sham, -1, UNAFFECTED, ""),
        ("healthy, controls", healthy & cases.sham, -1, UNAFFECTED, "/"),
    )
    top = 1
    for name, of, sign, verdict, pattern in kinds:
        count = np.histogram(cases.p[of & ~np.isnan(cases.p)], edges)[0]
        if of.any():
            figure.add_bar(
                x=middle,
                y=sign * count,
                width=1 / STEPS * 0.92,
                customdata=count,
                name=f"{name} (n = {int(of.sum()):,})",
                marker={
                    "color": VERDICT_COLOURS[verdict],
                    "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": INK["light"], "size": 6},
                },
                hovertemplate=f"{name}, probability about %{{x:.2f}}: %{{customdata:,}}<extra></extra>",
            )
            top = max(top, int(count.max()))
    figure.add_vline(point.threshold, line={"color": INK[_theme()], "width": 1.5, "dash": "dash"})
    figure.update_layout(barmode="relative")
    figure = _framed(figure, "Probability that the model gives", "Images (healthy downwards)")
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0}, height=HEIGHT + 40
    )
    figure.update_xaxes(range=[-0.01, 1.01], dtick=0.2)
    step = max(1, int(round(top / 3, 1 - len(str(top // 3)))))
    ticks = [step * each for each in range(-6, 7)]
    figure.update_yaxes(tickvals=ticks, ticktext=[f"{abs(each):,}" for each in ticks])
    return figure


def _theme() -> str:
    return st.context.theme.type or "light"


def _curve(figure: go.Figure, x: np.ndarray, y: np.ndarray, hover: str) -> None:
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"color": DOTS[_theme()], "width": 2.5}, hovertemplate=f"{hover}"
        "<extra></extra>",
    )  # fmt: skip


def _mark(figure: go.Figure, x: float, y: float, point: Point) -> None:
    """The operating point: a diamond in the colour of the text, its threshold beside it."""
    right = x < 0.5
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers+text",
        text=[f" threshold {point.threshold:.2f} "],
        textposition=f"{'bottom' if y > 0.5 else 'top'} {'right' if right else 'left'}",
        textfont={"color": INK[_theme()], "size": 13},
        marker={
            "symbol": "diamond",
            "size": 14,
            "color": INK[_theme()],
            "line": {"width": 2, "color": PAPER[_theme()]},
        },
        name="operating point",
        hovertemplate="Threshold " + f"{point.threshold:.2f}<br>%{{x:.3f}}, %{{y:.3f}}<extra></extra>",
    )


def _square(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure = _framed(figure, x, y)
    figure.update_xaxes(range=[-0.02, 1.02], dtick=0.2)
    figure.update_yaxes(range=[-0.02, 1.02], dtick=0.2)
    return figure


def _framed(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 10, "b": 8},
        showlegend=False,
        xaxis={"title": x, "zeroline": False},
        yaxis={"title": y, "zeroline": False},
    )
    return finished(figure)
