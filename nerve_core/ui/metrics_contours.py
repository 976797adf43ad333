"""How good the outlines are: their spread by set, tables by part, and the worst and best one click away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.evaluation.tables import contour_table
from nerve_core.ui import metrics_case, metrics_subgroups, metrics_table
from nerve_core.ui import metrics_results as results
from nerve_core.ui.data_ablation import DOTS
from nerve_core.ui.data_plots import CONFIG, CROWD, INK, finished
from nerve_core.ui.metrics_case import Case
from nerve_core.ui.metrics_table import SCANS, Column

POINTING = {
    "": ("No click", "The model alone, all nerves of the image."),
    "click_": ("One click", "With a click on the thickest point of the largest nerve; all nerves."),
    "pointed_": ("The clicked nerve", "With that click, the clicked nerve alone."),
}
LISTED = 8
"""Worst and best cases listed."""
COLUMNS = (
    *SCANS,
    Column("dice", "Dice"),
    Column("iou", "IoU"),
    Column("nsd", "Surface Dice"),
    Column("hd95_px", "HD95, px", 1),
    Column("precision", "Precision"),
    Column("recall", "Recall"),
    Column("detected", "Nerve hit"),
)
MEANING = (
    "Dice and IoU: overlap with the outline drawn by hand, 0 none to 1 the same. Surface Dice: share of the "
    "two outlines that lie close to each other. HD95: distance that 95 % of the outline stay within, in "
    "pixels. Precision: share of the drawn area that is nerve; recall: share of the nerve that is drawn. "
    "Nerve hit: share of images with any overlap. Intervals are 95 %, by group."
)


def show(method: str, frame: pd.DataFrame | None) -> None:
    """Spread, worst and best, tables."""
    if frame is None:
        results.empty("No outline is measured for this method. " + results.EMPTY)
        return
    known = [prefix for prefix in POINTING if results.column(frame, f"{prefix}dice").notna().any()]
    if not known:
        results.empty("No outline is measured for this method. " + results.EMPTY)
        return
    prefix = known[0]
    if len(known) > 1:
        prefix = st.segmented_control(
            "Pointing",
            known,
            format_func=lambda each: POINTING[each][0],
            default=known[0],
            required=True,
            key="metrics-pointing",
        )
        prefix = prefix if prefix in known else known[0]
    rows = frame[frame[f"{prefix}dice"].notna()].reset_index(drop=True)
    st.subheader("Spread of the Dice by set", anchor=False)
    st.caption(
        f"{POINTING[prefix][1]} Each point is an image (n = {len(rows):,} of {rows['group'].nunique():,} "
        "groups) and opens with a click; the box holds the middle half, its line is the median."
    )
    key = f"metrics-spread-{method}-{prefix}"

    def clicked() -> None:
        picked = st.session_state[key]["selection"]["points"]
        if picked:
            metrics_case.ask_for(case_of(rows, int(np.ravel(picked[0]["customdata"])[0]), prefix))

    st.plotly_chart(
        spread(rows, f"{prefix}dice"),
        key=key,
        on_select=clicked,
        selection_mode="points",
        config=CONFIG,
        alt=f"Dice of {len(rows)} images by set",
    )
    _extremes(method, rows, prefix)
    by = metrics_subgroups.choose(rows, "metrics-contours-by")
    metrics_table.show(
        f"outlines-by-{by}",
        (Column(by, metrics_subgroups.BY[by]), *COLUMNS),
        _part_lines(rows, by, prefix, results.mark("contours"), method),
    )
    st.caption(MEANING)


@st.cache_data(max_entries=32, show_spinner=False)
def _part_lines(_rows: pd.DataFrame, by: str, prefix: str, changed: int, method: str) -> list[dict[str, Any]]:
    return part_lines(_rows, by, prefix)


def part_lines(rows: pd.DataFrame, by: str, prefix: str) -> list[dict[str, Any]]:
    """A line a part, as :func:`nerve_core.evaluation.tables.contour_table` gives it."""
    parts = metrics_subgroups.parts(rows, by)
    return [
        line | {by: name} for name, part in parts.items() for line in contour_table(part, ("method",), prefix)
    ]


def spread(rows: pd.DataFrame, metric: str) -> go.Figure:
    """A box a set and a point an image; ``customdata`` of a point is its place in ``rows``."""
    figure, theme = go.Figure(), st.context.theme.type or "light"
    sets = sorted(rows["set"].unique())
    small = len(rows) > CROWD
    for number, name in enumerate(sets):
        part = rows[rows["set"] == name]
        figure.add_box(
            x=[number] * len(part),
            y=part[metric],
            boxpoints=False,
            line={"color": INK[theme], "width": 1.5},
            fillcolor="rgba(0,0,0,0)",
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=number + np.random.default_rng(0).uniform(-0.3, 0.3, len(part)),
            y=part[metric],
            mode="markers",
            marker={"color": DOTS[theme], "size": 7 if small else 9, "opacity": 0.5 if small else 0.75},
            customdata=part.index,
            text=[f"{image}" for image in part["image"].str.rsplit("/", n=1).str[-1]],
            hovertemplate="%{text}<br>Dice %{y:.2f}<extra></extra>",
        )
    ticks = [f"{name}<br>n = {int((rows['set'] == name).sum()):,}" for name in sets]
    figure.update_layout(
        height=420,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        showlegend=False,
        yaxis={"title": "Dice", "range": [-0.02, 1.02], "zeroline": False},
        xaxis={"tickvals": list(range(len(sets))), "ticktext": ticks, "range": [-0.6, len(sets) - 0.4]},
    )
    return finished(figure)


def case_of(rows: pd.DataFrame, index: int, prefix: str) -> Case:
    """The image at a place of the table."""
    row = rows.loc[index]
    return Case(
        row["bare"], row["set"], row["image"], str(row.get("frame", "")), prefix, float(row[f"{prefix}dice"])
    )


def extremes(rows: pd.DataFrame, metric: str, most: int = LISTED) -> tuple[list[int], list[int]]:
    """Places of the worst images, worst first, and of the best, best first; no image is in both."""
    order = rows.sort_values([metric, "set", "image"]).index.tolist()
    worst = order[: min(most, (len(order) + 1) // 2)]
    return worst, order[: -most - 1 : -1][: len(order) - len(worst)]


def _extremes(method: str, rows: pd.DataFrame, prefix: str) -> None:
    metric = f"{prefix}dice"
    here = metrics_case.sets_here(rows["set"].unique())
    away = sorted(set(rows["set"]) - set(here))
    words = f"On this computer: {', '.join(here)}." if here else "None of these sets is on this computer."
    if away:
        words += f" Of {', '.join(away)} only the names are known here; a case says how to make it available."
    places = st.columns(2, gap="large")
    for place, name, found in zip(places, ("Worst", "Best"), extremes(rows, metric), strict=True):
        with place:
            st.subheader(f"{name} cases", anchor=False)
            with st.container(gap=None):
                for index in found:
                    row = rows.loc[index]
                    file = row["image"].rsplit("/", 1)[-1]
                    named = metrics_case.said(row["set"], file, str(row.get("frame", "")))
                    st.button(
                        f"**{row[metric]:.2f}** {named}",
                        key=f"metrics-case-{prefix}-{name}-{index}",
                        icon=":material/image:" if row["set"] in here else ":material/image_not_supported:",
                        type="tertiary",
                        on_click=metrics_case.ask_for,
                        args=(case_of(rows, index, prefix),),
                    )
    st.caption(words)
    listed = [
        {"set": row["set"], "image": row["image"], "group": row["group"], "dice": float(row[metric])}
        for row in rows.sort_values(metric).to_dict("records")
    ]
    with st.expander(f"All {len(listed):,} images as a table", icon=":material/table:"):
        st.dataframe(
            pd.DataFrame(listed),
            hide_index=True,
            column_config={"dice": st.column_config.NumberColumn("Dice", format="%.3f")},
            alt="Dice of every image, the worst first",
        )
        metrics_table.downloads(
            "outlines-by-image",
            (
                Column("set", "Set"),
                Column("image", "Image"),
                Column("group", "Group"),
                Column("dice", "Dice", 3),
            ),
            listed,
        )
