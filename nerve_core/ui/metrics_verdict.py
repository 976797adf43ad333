"""The verdict under a threshold that moves: counts, curves, figures, and the same by part."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from nerve_core.evaluation.tables import CLEAR
from nerve_core.evaluation.verdicts import THRESHOLD
from nerve_core.ui import metrics_results as results
from nerve_core.ui import metrics_subgroups, metrics_table
from nerve_core.ui import metrics_verdict_plots as plots
from nerve_core.ui.data_plots import CONFIG
from nerve_core.ui.metrics_numbers import (
    Cases,
    Point,
    at_threshold,
    cases_of,
    precision_recall,
    ranking,
    reliability,
    roc,
)
from nerve_core.ui.metrics_table import SCANS, Column

FIGURES = (
    ("accuracy", "Accuracy", "called right, of all images"),
    ("recall", "Recall (sensitivity)", "found, of the affected"),
    ("specificity", "Specificity", "called healthy, of the healthy"),
    ("precision", "Precision", "affected, of those called affected"),
    ("f1", "F1", "precision and recall in one figure"),
)
COLUMNS = (
    *SCANS,
    Column("affected", "Affected", 0),
    Column("recall", "Affected found"),
    Column("specificity", "Healthy right"),
    Column("accuracy", "Accuracy"),
    Column("auc", "AUC"),
)


def show(method: str, frame: pd.DataFrame | None) -> None:
    """Controls, then everything that follows them."""
    if frame is None:
        results.empty("No verdict is measured for this method. " + results.EMPTY)
        return
    st.markdown(
        "An image is called affected when the model’s probability reaches the threshold. Lower it and more "
        "affected nerves are found, with more false alarms; raise it and it is the other way round. The "
        f"dashboard uses {THRESHOLD:g}, and says “uncertain” just around it."
    )
    threshold, severity, sets, shams = _controls(frame)
    rows = frame[frame["set"].isin(sets)] if sets else frame
    cases = cases_of(rows, severity, shams)
    if not cases.both:
        st.warning("Affected and healthy images are both needed; choose more sets or a lower severity.")
        return
    key = (method, results.mark("verdict"), tuple(sorted(sets)), severity, shams)
    point = at_threshold(cases, threshold)
    _figures(point, cases, key)
    _curves(point, cases, key)
    by = metrics_subgroups.choose(rows, "metrics-verdict-by")
    parts = {
        name: cases_of(part, 0.0 if by == "severity" else severity, shams)
        for name, part in metrics_subgroups.parts(rows, by).items()
    }
    lines = part_lines(parts, threshold, by, _rankings(parts, key, by))
    columns = (Column(by, metrics_subgroups.BY[by]), *COLUMNS)
    metrics_table.show(f"verdict-by-{by}", columns, lines)


def _controls(frame: pd.DataFrame) -> tuple[float, float, list[str], bool]:
    """Threshold, least severity, sets (none for all) and whether shams count."""
    left, right = st.columns(2, gap="large")
    with left:
        threshold = st.slider(
            "Threshold: called affected from this probability on",
            0.01,
            0.99,
            THRESHOLD,
            0.01,
            key="metrics-threshold",
            persist_state="session",
        )
        shams = st.toggle(
            "Controls among the healthy",
            True,
            key="metrics-shams",
            persist_state="session",
            help="Control images went through the simulation without any pathology. Without them, a model "
            "that only sees that an image was changed would look good.",
        )
    with right:
        severity = st.slider(
            "Affected from this severity on (0.3 mild, 0.5 clear, 1 gross)",
            0.0,
            1.0,
            CLEAR,
            0.05,
            key="metrics-severity",
            persist_state="session",
        )
        names = sorted(frame["set"].unique())
        sets = st.pills(
            "Scan sets (none chosen: all)",
            names,
            selection_mode="multi",
            key="metrics-sets",
            persist_state="session",
        )
    return threshold, severity, [name for name in sets or [] if name in names], shams


def _figures(point: Point, cases: Cases, key: tuple[Any, ...]) -> None:
    """Counts on the left, figures with their intervals on the right."""
    counts, figures = st.columns(2, gap="large")
    with counts:
        st.subheader("Truth and call", anchor=False)
        st.html(plots.confusion(point))
        st.caption("An image in which no nerve is found counts as an error, whatever its truth.")
    with figures:
        st.subheader(f"At the threshold of {point.threshold:.2f}", anchor=False)
        auc, auc_ci95 = _ranking(cases, key)
        metrics_table.show(
            "verdict-figures",
            (Column("figure", "Figure"), Column("value", "Value (95 % CI)", 3), Column("meaning", "Share")),
            [
                *(
                    {
                        "figure": name,
                        "value": point.figures[each],
                        "value_ci95": point.figures[f"{each}_ci95"],
                        "meaning": meaning,
                    }
                    for each, name, meaning in FIGURES
                ),
                {
                    "figure": "AUC",
                    "value": auc,
                    "value_ci95": auc_ci95,
                    "meaning": "pairs ranked right; no threshold",
                },
            ],
        )
        st.caption(f"n = {len(cases.labels):,} images of {len(set(cases.groups)):,} groups.")


def _curves(point: Point, cases: Cases, key: tuple[Any, ...]) -> None:
    lines = _drawn(cases, key)
    charts = (
        (
            "ROC",
            "Every threshold at once: the closer to the upper left, the better; the dotted line is chance.",
            plots.roc_chart(*lines["roc"], point),
        ),
        (
            "Precision and recall",
            "What finding more of the affected costs in false alarms: the closer to the upper right, the "
            "better. It depends on how many images are affected.",
            plots.precision_recall_chart(*lines["precision_recall"], point),
        ),
        (
            "Calibration",
            "Whether a probability means what it says: of images called 80 % likely, 80 % should be "
            "affected. On the dotted line it does; the band is the 95 % interval by group. "
            "Images without a nerve have no probability.",
            plots.calibration_chart(lines["reliability"], point),
        ),
        (
            "Probabilities",
            "Right of the dashed threshold, images are called affected. Bars upwards are affected, bars "
            "downwards healthy.",
            plots.probability_chart(cases, point),
        ),
    )
    places = [*st.columns(2, gap="large"), *st.columns(2, gap="large")]
    for place, (name, meaning, figure) in zip(places, charts, strict=True):
        with place:
            st.subheader(name, anchor=False)
            st.caption(meaning)
            alt = f"{name} of the verdict, threshold {point.threshold:.2f}"
            st.plotly_chart(figure, key=f"metrics-{name}", config=CONFIG, alt=alt)


def part_lines(
    parts: dict[str, Cases], threshold: float, by: str, rankings: dict[str, tuple[Any, Any]]
) -> list[dict[str, Any]]:
    """A line a part: ``by, n, groups, affected``, the figures at the threshold and the AUC, with 95 %."""
    lines = []
    for name, cases in parts.items():
        auc, auc_ci95 = rankings[name]
        lines.append(
            {
                by: name,
                "n": len(cases.labels),
                "groups": len(set(cases.groups)),
                "affected": int(cases.labels.sum()),
                **at_threshold(cases, threshold).figures,
                "auc": auc,
                "auc_ci95": auc_ci95,
            }
        )
    return lines


# What does not depend on the threshold is kept, so that moving it stays quick.
@st.cache_data(max_entries=64, show_spinner=False)
def _ranking(_cases: Cases, key: tuple[Any, ...]) -> tuple[Any, Any]:
    return ranking(_cases)


@st.cache_data(max_entries=64, show_spinner=False)
def _rankings(_parts: dict[str, Cases], key: tuple[Any, ...], by: str) -> dict[str, tuple[Any, Any]]:
    return {name: ranking(cases) for name, cases in _parts.items()}


@st.cache_data(max_entries=64, show_spinner=False)
def _drawn(_cases: Cases, key: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "roc": roc(_cases),
        "precision_recall": precision_recall(_cases),
        "reliability": reliability(_cases),
    }
