"""Two ways in which figures come out better than the truth, shown on the same methods."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.evaluation.tables import CLEAR
from nerve_core.evaluation.verdicts import THRESHOLD
from nerve_core.ui import metrics_results as results
from nerve_core.ui import metrics_table
from nerve_core.ui.data_ablation import DOTS, PAPER
from nerve_core.ui.data_plots import CONFIG, INK, finished
from nerve_core.ui.metrics_numbers import at_threshold, cases_of, mean_of_sets, ranking
from nerve_core.ui.metrics_table import SCANS, Column

BY_IMAGE = "image"
BY_GROUP = results.HELD_BACK
ROW_PX = 46

LEAK = (
    "Frames of one patient look alike. When some of them are in the training and others in the test (a split "
    "by image), the network is tested on what it has seen, and the figure promises more than it will keep on "
    "the next patient. Only the split by group, with whole patients or scan groups kept out, tells that."
)
SHAMS = (
    "Simulating a pathology warps and filters an image, and a network may learn to see that instead of the "
    "pathology. Controls went through the same steps without any pathology: where they are called affected, "
    "the good figures without them were not earned."
)
NO_LEAK = (
    "Nothing was measured on both splits yet: `python -m nerve_core benchmark run --data DIR --splits group "
    "image` trains each architecture on either, and `benchmark publish` puts the figures here."
)
NO_SHAMS = (
    "No verdict is measured yet: `python -m nerve_core benchmark run --data DIR --tasks verdict`, then "
    "`benchmark publish`, puts the figures here."
)


def show(contours: pd.DataFrame | None, verdict: pd.DataFrame | None) -> None:
    """Both traps, of every method in the results."""
    st.subheader("Trap 1: test frames of patients who are in the training", anchor=False)
    st.markdown(LEAK)
    lines = [] if contours is None else _leak_lines(contours, results.mark("contours"))
    if lines:
        st.plotly_chart(
            leak_chart(lines),
            key="metrics-leak",
            config=CONFIG,
            alt="Dice of each method on the split by group and on the split by image",
        )
        columns = (
            Column("method", "Method"),
            Column("by_group", "Dice, split by group"),
            Column("by_image", "Dice, split by image"),
            Column("gain", "Promised too much"),
            Column("n", "Images (n)", 0),
            Column("groups", "Groups", 0),
        )
        metrics_table.show("trap-split", columns, lines)
        st.caption(
            "Means of the sets that both splits share, every set alike; n is of the split by group. "
            "Intervals are 95 %, by group."
        )
    else:
        results.empty(NO_LEAK)
    st.subheader("Trap 2: a test without controls", anchor=False)
    st.markdown(SHAMS)
    lines = [] if verdict is None else _sham_lines(verdict, results.mark("verdict"))
    if not lines:
        results.empty(NO_SHAMS)
        return
    columns = (
        Column("method", "Method"),
        Column("auc_without", "AUC without"),
        Column("auc", "AUC with"),
        Column("accuracy_without", "Accuracy without"),
        Column("accuracy", "Accuracy with"),
        Column("originals", "Healthy right"),
        Column("shams", "Controls right"),
        *SCANS,
    )
    metrics_table.show("trap-controls", columns, lines)
    if said := trained_without(lines):
        st.markdown(said)
    st.caption(
        f"Without and with controls in the test. Severity {CLEAR:g} and more, threshold {THRESHOLD:g}; 95 % "
        "intervals by group. “Healthy right” is of the scans as they are."
    )


def trained_without(lines: list[dict[str, Any]]) -> str:
    """A sentence on two networks trained alike, with controls and without; empty where they are not both."""
    found = {
        trap: line["shams"]
        for trap in (results.WITH_SHAMS, results.WITHOUT_SHAMS)
        for line in lines
        if line["name"].startswith(trap)
    }
    if len(found) < 2:
        return ""
    with_, without = found[results.WITH_SHAMS], found[results.WITHOUT_SHAMS]
    return (
        "**The training needs them too.** Of two networks trained alike, the one that learned from controls "
        f"calls {100 * with_:.0f} % of the test’s controls healthy, the one that never saw any "
        f"{100 * without:.0f} %: "
        + (
            "without them it learns what simulating does to an image."
            if without < with_
            else "here their absence did no harm."
        )
    )


@st.cache_data(max_entries=4, show_spinner="Comparing the two splits …")
def _leak_lines(_frame: pd.DataFrame, changed: int) -> list[dict[str, Any]]:
    return leak_lines(_frame)


def leak_lines(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A line a method that was measured on both splits in one setup, the largest gain first.

    Returns:
        ``method, by_group, by_image`` (mean Dice over the sets that both have, with ``…_ci95``), ``gain``
        and ``n, groups`` of the split by group.
    """
    lines = []
    frame = frame[frame["split"].isin((BY_GROUP, BY_IMAGE)) & results.column(frame, "dice").notna()]
    for method, rows in frame.groupby("method", sort=False):
        sides = [rows[rows["split"] == split] for split in (BY_GROUP, BY_IMAGE)]
        shared = set.intersection(*(set(side["set"]) for side in sides))
        fair, leaky = (mean_of_sets(side[side["set"].isin(shared)], "dice") for side in sides)
        if fair is None or leaky is None:
            continue
        lines.append(
            {
                "method": results.spoken(str(method)),
                "by_group": fair["dice"],
                "by_group_ci95": fair["dice_ci95"],
                "by_image": leaky["dice"],
                "by_image_ci95": leaky["dice_ci95"],
                "gain": leaky["dice"] - fair["dice"],
                "n": fair["n"],
                "groups": fair["groups"],
            }
        )
    return sorted(lines, key=lambda line: -line["gain"])


@st.cache_data(max_entries=4, show_spinner="Comparing with and without controls …")
def _sham_lines(_frame: pd.DataFrame, changed: int) -> list[dict[str, Any]]:
    return sham_lines(_frame)


def sham_lines(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A line a method with a verdict on controls: figures without and with them, shipped weights first."""
    lines = []
    rows_of = {name: results.of(frame, name) for name in frame["method"].unique()}
    for method in sorted(rows_of, key=lambda name: (not name.startswith(results.SHIPPED), name)):
        rows = rows_of[method]
        if rows is None:
            continue
        full, bare = (cases_of(rows, CLEAR, shams) for shams in (True, False))
        if not (bare.both and full.sham.any()):
            continue
        healthy = rows[results.column(rows, "label") == 0]
        sham = results.column(healthy, "sham") == 1
        line: dict[str, Any] = {"method": results.spoken(method), "name": method}
        for end, cases in (("", full), ("_without", bare)):
            figures = at_threshold(cases, THRESHOLD).figures
            line[f"accuracy{end}"] = figures["accuracy"]
            line[f"accuracy{end}_ci95"] = figures["accuracy_ci95"]
            line[f"auc{end}"], line[f"auc{end}_ci95"] = ranking(cases)
        for name, part in (("originals", healthy[~sham]), ("shams", healthy[sham])):
            figures = at_threshold(cases_of(part, CLEAR, True), THRESHOLD).figures
            line[name], line[f"{name}_ci95"] = figures["specificity"], figures["specificity_ci95"]
        lines.append(line | {"n": len(full.labels), "groups": len(set(full.groups))})
    return lines


def leak_chart(lines: list[dict[str, Any]]) -> go.Figure:
    """A row a method: a full dot for the split by group, a ring for the split by image, a line between."""
    figure, theme = go.Figure(), st.context.theme.type or "light"
    places = list(range(len(lines)))
    for place, line in zip(places, lines, strict=True):
        figure.add_scatter(
            x=[line["by_group"], line["by_image"]],
            y=[place, place],
            mode="lines",
            line={"color": DOTS[theme], "width": 3},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_annotation(
            x=0,
            y=place - 0.36,
            xref="paper",
            xanchor="left",
            showarrow=False,
            text=f"{line['method']}: <b>{line['gain']:+.2f}</b>",
            font={"size": 13, "color": INK[theme]},
        )
    for key, name, fill in (
        ("by_group", "split by group", DOTS[theme]),
        ("by_image", "split by image", PAPER[theme]),
    ):
        figure.add_scatter(
            x=[line[key] for line in lines],
            y=places,
            mode="markers",
            name=name,
            text=[line["method"] for line in lines],
            marker={"size": 12, "color": fill, "line": {"width": 2.5, "color": DOTS[theme]}},
            hovertemplate="%{text}<br>" + name + ": Dice %{x:.2f}<extra></extra>",
        )
    figure.update_layout(
        height=ROW_PX * len(lines) + 110,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title": "Dice", "range": [0, 1], "dtick": 0.2, "zeroline": False},
        yaxis={
            "range": [len(lines) - 0.6, -0.75],
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return finished(figure)
