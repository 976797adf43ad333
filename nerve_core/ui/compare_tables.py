"""The tables of the benchmark: filtered, sorted, joined with costs, and exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from nerve_core.ui import compare_claims, compare_pareto, verdict
from nerve_core.ui import compare_results as results
from nerve_core.ui.compare_results import Line, bare

MEAN, TOGETHER = "Mean of all sets", "All sets together"
POINTING = {"No click": "", "One click": "click_", "One click, that nerve alone": "pointed_"}
COST_COLUMNS = ("parameters", "macs", "openvino_ms", "memory_mib")

CONTOUR_COLUMNS = ("method", "dice", "dice_ci95", "n", "groups", "iou", "nsd", "hd95_px", "precision",
                   "recall", "detected", "ms", *COST_COLUMNS)  # fmt: skip
VERDICT_COLUMNS = ("method", "auc", "auc_ci95", "n", "groups", "accuracy", "precision", "recall",
                   "specificity", "specificity_originals", "specificity_shams", "f1", "brier",
                   "calibration_slope")  # fmt: skip

_NUMBER = st.column_config.NumberColumn
COLUMNS: dict[str, tuple[str, Any]] = {
    "method": ("Method", st.column_config.TextColumn(width=230)),
    "n": ("Scans (n)", _NUMBER(format="localized")),
    "groups": ("Groups (n)", _NUMBER(format="localized", help="Patients or sweeps the scans are of.")),
    "dice": ("Dice", _NUMBER(format="%.3f", help="Overlap with the outline drawn by hand, 0 to 1.")),
    "dice_ci95": ("95 % interval", st.column_config.TextColumn(help="Bootstrap by group.")),
    "iou": ("IoU", _NUMBER(format="%.3f", help="Overlap as a share of both outlines together, 0 to 1.")),
    "nsd": ("Surface Dice", _NUMBER(format="%.3f", help="Share of the two outlines that lie together.")),
    "hd95_px": ("HD95, px", _NUMBER(format="%.1f", help="95th percentile of the outlines' distance.")),
    "precision": ("Precision", _NUMBER(format="%.3f")),
    "recall": ("Recall", _NUMBER(format="%.3f", help="Sensitivity.")),
    "detected": ("Detected", _NUMBER(format="percent", help="Scans with a nerve of which a part was found.")),
    "ms": ("Time a scan, ms", _NUMBER(format="%.0f", help="Median, on the machine of the benchmark.")),
    "p_best": (
        "p against the best",
        _NUMBER(format="%.3f", help="Two-sided paired Wilcoxon test of group means, Holm's correction."),
    ),
    "parameters": ("Parameters, millions", _NUMBER(format="%.2f")),
    "macs": ("MACs, billions", _NUMBER(format="%.2f", help="Multiply–accumulates of one pass.")),
    "openvino_ms": ("Network alone, ms", _NUMBER(format="%.1f", help="OpenVINO, one thread.")),
    "memory_mib": ("Memory, MiB", _NUMBER(format="%.0f", help="Weights and the most held at once.")),
    "accuracy": ("Accuracy", _NUMBER(format="%.3f")),
    "specificity": ("Specificity", _NUMBER(format="%.3f", help="Originals and shams.")),
    "specificity_originals": ("Specificity, originals", _NUMBER(format="%.3f")),
    "specificity_shams": (
        "Specificity, shams",
        _NUMBER(format="%.3f", help="Healthy scans that went through the simulator, no pathology added."),
    ),
    "f1": ("F1", _NUMBER(format="%.3f")),
    "auc": ("AUC", _NUMBER(format="%.3f")),
    "auc_ci95": ("AUC, 95 % interval", st.column_config.TextColumn(help="Bootstrap by group.")),
    "brier": (
        "Brier score",
        _NUMBER(format="%.3f", help="Mean squared error of the probability; 0 is best."),
    ),
    "calibration_slope": (
        "Calibration slope",
        _NUMBER(format="%.2f", help="1 is right; below 1 the probabilities are too extreme."),
    ),
}
"""Heading and display of each column."""

P_IN_WORDS = (
    "**p against the best**: how often chance alone would set a method this far below or above the best one "
    "of the table if both were equally good on groups such as these; below 0.05 the difference is hardly "
    "chance, above it neither is shown to be better. The best has none, nor have sets of fewer than six "
    "groups."
)


def show() -> None:
    """Outlines or verdicts; one table, its export, the chart against cost, and the thesis' claims."""
    with st.spinner("Reading the results …"):
        contours, verdicts = results.frame("contours"), results.frame("verdict")
    if contours is None and verdicts is None:
        st.info(results.how_to("contours"), icon=":material/science:")
        return
    kinds = [
        name
        for name, found in (("Outlines", contours), ("Verdicts", verdicts))
        if found is not None and len(found)
    ]
    if not kinds:
        st.info(results.how_to("contours"), icon=":material/science:")
        return
    costs = results.costs()
    kind = kinds[0]
    if len(kinds) > 1:
        kind = st.segmented_control("Table of", kinds, default=kinds[0], required=True, key="compare-kind")
    if kind == "Outlines":
        _outlines(contours, costs)
    else:
        _verdicts(verdicts)
    with st.expander("What the thesis claims, beside this", icon=":material/menu_book:"):
        compare_claims.show(
            results.mean_lines(results.UNSEEN, ""), results.verdict_lines(pooled=True, shams=True)
        )


def _outlines(table: pd.DataFrame, costs: Mapping[str, Mapping[str, Any]]) -> None:
    sides = sorted(table["side"].unique(), key=lambda side: (side != results.UNSEEN, side))
    pointing = [name for name, prefix in POINTING.items() if f"{prefix}dice" in table]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = st.selectbox(
            "Judged on", sides, format_func=results.side_in_words, key="compare-side", width=360
        )
        sets = sorted(table.loc[table["side"] == side, "set"].unique())
        several = [MEAN] if len(sets) > 1 else []
        chosen = st.selectbox("Set of scans", [*several, *sets], key="compare-set", width=200)
        click = st.selectbox("Pointing", pointing, key="compare-click", width=240)
    prefix = POINTING[click]
    every = results.contour_lines(side, prefix)
    if chosen == MEAN:
        lines = results.mean_lines(side, prefix)
        left = sorted({line["method"] for line in every} - {line["method"] for line in lines})
        columns = (*CONTOUR_COLUMNS[:5], *(f"dice {name}" for name in sets), *CONTOUR_COLUMNS[5:])
    else:
        lines, left = [line for line in every if line["set"] == chosen], []
        columns = (*CONTOUR_COLUMNS[:5], "p_best", *CONTOUR_COLUMNS[5:])
    if not lines:
        st.info("No method was measured on every set; choose one set.", icon=":material/filter_alt:")
        return
    st.caption(
        ("Every set weighs alike. " if chosen == MEAN else "")
        + "Outlines are compared with those drawn by hand. Click a heading to sort."
        + (f" Not measured on every set and left out: {', '.join(left)}." if left else "")
    )
    lines = [line | _cost(costs.get(bare(line["method"]), {})) for line in lines]
    titles = results.titles([line["method"] for line in lines])
    _table(lines, columns, titles, f"outlines-{chosen}")
    if chosen != MEAN:
        st.caption(P_IN_WORDS)
    st.subheader("Better outlines, at what price", anchor=False)
    compare_pareto.show(lines, costs, titles)


def _verdicts(table: pd.DataFrame) -> None:
    verdict.notice()
    sets = sorted(table["set"].unique())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Set of scans",
            [*([TOGETHER] if len(sets) > 1 else []), *sets],
            key="compare-verdict-set",
            width=220,
        )
        shams = st.toggle(
            "With sham controls",
            value=True,
            key="compare-shams",
            help="Without them a method that only sees that a scan was worked on looks as good as one that "
            "sees the pathology.",
        )
    lines = results.verdict_lines(pooled=chosen == TOGETHER, shams=shams)
    if chosen != TOGETHER:
        lines = [line for line in lines if line["set"] == chosen]
    if not lines:
        st.info(results.how_to("verdict"), icon=":material/science:")
        return
    st.caption(
        "Simulated pathology of severity 0.5 and above against the same scans as they were"
        f"{' and shams' if shams else ', **without shams: these figures look better than they are**'}; "
        "unseen groups, called affected from 50 % on. A scan in which no nerve is found counts as an error."
    )
    _table(lines, VERDICT_COLUMNS, results.titles([line["method"] for line in lines]), f"verdicts-{chosen}")


def _cost(figures: Mapping[str, Any]) -> Line:
    """The costs that the table joins, as they are published."""
    return {name: figures.get(name) for name in COST_COLUMNS}


def _table(lines: Sequence[Line], columns: Sequence[str], titles: Mapping[str, str], name: str) -> None:
    """One table and its files."""
    columns = [
        column
        for column in columns
        if column not in COST_COLUMNS or any(line.get(column) is not None for line in lines)
    ]
    st.dataframe(
        data_frame(lines, columns, titles),
        hide_index=True,
        height=min(38 + 35 * len(lines), 640),
        column_config={heading(column): _config(column) for column in columns},
        placeholder="–",
        alt=f"{len(lines)} methods, best first",
    )
    from nerve_core.evaluation.result_text import FORMATS

    stem = "benchmark-" + name.lower().replace(" ", "-")
    with st.container(horizontal=True):
        for kind, suffix, mime in (("csv", "csv", "text/csv"), ("latex", "tex", "application/x-tex")):
            st.download_button(
                f"Table ({'CSV' if kind == 'csv' else 'LaTeX'})",
                FORMATS[kind](columns, lines) + "\n",
                f"{stem}.{suffix}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"compare-{kind}",
            )


def heading(column: str) -> str:
    """Heading of a column; those of single sets are called after the set."""
    return COLUMNS[column][0] if column in COLUMNS else column.removeprefix("dice ")


def _config(column: str) -> Any:
    if column in COLUMNS:
        return COLUMNS[column][1]
    return _NUMBER(format="%.3f", help=f"Dice on the set {column.removeprefix('dice ')}.")


def data_frame(lines: Sequence[Line], columns: Sequence[str], titles: Mapping[str, str]) -> pd.DataFrame:
    """The lines as shown: methods in words, intervals as text, large numbers in millions and billions."""
    return pd.DataFrame([{heading(c): _cell(c, line.get(c), titles) for c in columns} for line in lines])


def _cell(column: str, value: Any, titles: Mapping[str, str]) -> Any:
    if column == "method":
        return titles[value]
    if column.endswith("_ci95"):
        return "" if value is None else f"{value[0]:.3f}–{value[1]:.3f}"
    if value is None:
        return float("nan")
    return value / {"parameters": 1e6, "macs": 1e9}.get(column, 1)
