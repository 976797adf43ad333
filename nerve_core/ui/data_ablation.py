"""What each kind of training data and each method adds, as measured with one small network."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.config import settings
from nerve_core.errors import DataError
from nerve_core.ui import data_licences
from nerve_core.ui.data_plots import CONFIG, INK, finished
from nerve_core.ui.data_scan import plain

HOME = "none"
"""The training that leaves no set out; its scores are of the test groups of every set."""
UNSEEN, AT_HOME = "Sets never seen", "Test patients of sets seen"
DOTS = {"light": "#0072B2", "dark": "#56B4E9"}
"""The two blues of Okabe and Ito (2008)."""
PAPER = {"light": "#FFFFFF", "dark": "#10161B"}
REFERENCE = "#7F8C96"
"""Grey: the first row, which the others are read against."""
ROW_PX = 46
"""Height of a row: its name above its dot, so that long names fit on a phone."""

HOW = (
    "Nothing is measured yet. `python -m benchmarks.ablation --data DIR --phantoms MANIFEST` trains one "
    "small network for each row and writes the figures that are shown here; it goes on where it stopped."
)


@dataclass(frozen=True)
class Dot:
    """One figure: Dice of one training on one set.

    Attributes:
        what: what the network was trained with.
        scored: the set it was scored on.
        unseen: whether no scan of that set, or of its kind, was trained on.
        click: whether one click on the largest nerve helped.
        dice: mean Dice, 0 to 1.
        low: lower end of the 95 % interval by group.
        high: upper end.
        n: scans scored.
        groups: groups (patients, or sweeps) they are of.
    """

    what: str
    scored: str
    unseen: bool
    click: bool
    dice: float
    low: float
    high: float
    n: int
    groups: int


def show(_: object = None) -> None:
    """A panel a set, a dot a training, without and with a click; the same as a table."""
    st.markdown(
        "Which scans, made scans and methods are worth training with? The same network is trained again and "
        "again; only what a row names changes. Each panel is a set of scans, and the further right a dot, "
        "the better the outlines."
    )
    path = settings().results / "ablation.json"
    if not path.is_file():
        st.info(HOW, icon=":material/science:")
        return
    stored = read(path)
    dots, setup = dots_of(stored, path), setup_of(stored)
    if not dots:
        st.info(HOW, icon=":material/science:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        click = st.segmented_control(
            "Pointing", ["No click", "One click"], default="No click", required=True, key="ablation-click"
        )
        views = [view for view in (UNSEEN, AT_HOME) if any(dot.unseen == (view == UNSEEN) for dot in dots)]
        view = views[0]
        if len(views) > 1:
            view = st.segmented_control(
                "Scored on", views, default=views[0], required=True, key="ablation-view"
            )
    shown = [dot for dot in dots if dot.click == (click == "One click") and dot.unseen == (view == UNSEEN)]
    rows = ordered(dot.what for dot in dots)
    panels = list(dict.fromkeys(dot.scored for dot in shown))
    st.caption(caption(setup, rows[0]))
    known = data_licences.known_sets()
    places = st.columns(2, gap="large") if len(panels) > 1 else [st.container(width=760)]
    for number, name in enumerate(panels):
        with places[number % len(places)]:
            here = [dot for dot in shown if dot.scored == name]
            st.subheader(title(name, here), anchor=False)
            if name in known:
                st.caption(plain(known[name].title))
            st.plotly_chart(
                panel(here, rows),
                key=f"ablation-{view}-{name}",
                config=CONFIG,
                alt=f"Dice on {name} by training, with 95 % intervals",
            )
    st.dataframe(
        table(shown, rows),
        hide_index=True,
        height="content",
        column_config={
            "Trained with": st.column_config.TextColumn(width="large"),
            "Dice": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="The same figures as a table",
    )


def read(path: Path) -> Mapping[str, Any]:
    """What ``python -m benchmarks.ablation`` wrote.

    Raises:
        DataError: the file is damaged.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(stored["rows"], dict):
            return stored
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise DataError(damaged(path))


def damaged(path: Path) -> str:
    """The sentence on a file that is not as it should be."""
    return f"The results in {path.name} are damaged; take the file away and measure again."


def setup_of(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Input size, steps, batch and most scans scored, of the first row."""
    return next(iter(stored["rows"].values()), {}).get("setup", {})


def dots_of(stored: Mapping[str, Any], path: Path) -> list[Dot]:
    """Every figure in the results, in their order.

    Raises:
        DataError: the file is damaged.
    """
    dots = []
    try:
        for row in stored["rows"].values():
            for without, scores in row["without"].items():
                for scored, found in scores.items():
                    for click, each in ((False, found), (True, found.get("click"))):
                        if each:
                            low, high = each["dice_ci95"] or (each["dice_mean"],) * 2
                            dots.append(
                                Dot(
                                    str(row["what"]),
                                    str(scored),
                                    without != HOME,
                                    click,
                                    float(each["dice_mean"]),
                                    float(low),
                                    float(high),
                                    int(each["n"]),
                                    int(each["groups"]),
                                )
                            )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DataError(damaged(path)) from None
    return dots


def caption(setup: Mapping[str, Any], first: str) -> str:
    """How it was measured, and how much may be read into it."""
    how = ""
    if {"size", "steps", "batch", "most"} <= setup.keys():
        how = (
            f" ({setup['size']} × {setup['size']} px, {setup['steps']} steps of {setup['batch']} scans; at "
            f"most {setup['most']} scans scored in a set)"
        )
    return (
        f"A small network at a fixed number of steps{how}: it shows what helps, not how good the shipped "
        "weights are. Dots are the mean Dice (overlap with the outline drawn by hand, 0 none to 1 the same), "
        "lines the 95 % interval by group. Each row was trained once, so differences below about 0.03 may be "
        f"chance. The dotted line is the first row, “{first}”."
    )


def title(name: str, dots: Sequence[Dot]) -> str:
    """Heading of a panel."""
    n = max(dot.n for dot in dots)
    said = name[:1].upper() + name[1:]
    return f"{said}, left out of training (n = {n:,})" if dots[0].unseen else f"{said} (n = {n:,})"


def panel(dots: Sequence[Dot], rows: Sequence[str]) -> go.Figure:
    """One set: a row a training in the order of ``rows``, names above their dots, 95 % intervals as lines."""
    by_row = {dot.what: dot for dot in dots}
    order = [what for what in rows if what in by_row]
    theme = st.context.theme.type or "light"
    figure = go.Figure()
    for place, what in enumerate(order):
        dot = by_row[what]
        figure.add_scatter(
            x=[dot.dice],
            y=[place],
            mode="markers",
            name=html.escape(what),
            marker={"size": 11, "color": DOTS[theme]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [dot.high - dot.dice],
                "arrayminus": [dot.dice - dot.low],
                "color": DOTS[theme],
                "thickness": 2,
            },
            hovertemplate=(
                f"{html.escape(what)}<br>Dice {dot.dice:.2f}, 95 % interval {dot.low:.2f} to {dot.high:.2f}"
                f"<br>n = {dot.n:,} scans of {dot.groups:,} groups<extra></extra>"
            ),
        )
        figure.add_annotation(
            x=0,
            y=place - 0.36,
            xref="paper",
            text=f"{html.escape(what)}: <b>{dot.dice:.2f}</b>",
            showarrow=False,
            xanchor="left",
            font={"size": 13, "color": INK[theme]},
            bgcolor=PAPER[theme],  # the dotted line does not cross the words
            borderpad=1,
        )
    if rows[0] in by_row:
        figure.add_vline(by_row[rows[0]].dice, line={"dash": "dot", "color": REFERENCE, "width": 1.5})
    figure.update_layout(
        height=ROW_PX * len(order) + 70,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        xaxis={"title": "Dice", "range": [0, 1], "dtick": 0.2, "zeroline": False},
        yaxis={
            "range": [len(order) - 0.6, -0.75],
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return finished(figure)


def ordered(rows: Iterable[str]) -> list[str]:
    """Different rows, those with fewer ingredients first, so that each builds on rows above it."""
    return sorted(dict.fromkeys(rows), key=lambda what: what.startswith("+") * (1 + what.count(",")))


def table(dots: Sequence[Dot], rows: Sequence[str]) -> pd.DataFrame:
    """The figures shown, a set after the other, each in the order of ``rows``."""
    sets = list(dict.fromkeys(dot.scored for dot in dots))
    dots = sorted(dots, key=lambda dot: (sets.index(dot.scored), rows.index(dot.what)))
    return pd.DataFrame(
        {
            "Scored on": dot.scored,
            "Trained with": dot.what,
            "Dice": dot.dice,
            "95 % interval": f"{dot.low:.2f} to {dot.high:.2f}",
            "Scans (n)": dot.n,
            "Groups (n)": dot.groups,
        }
        for dot in dots
    )
