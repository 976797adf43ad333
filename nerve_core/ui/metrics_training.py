"""How the trainings on this computer went: loss and validation figures, step by step."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from nerve_core.config import ROOT
from nerve_core.errors import DataError
from nerve_core.ui.data_ablation import DOTS
from nerve_core.ui.data_plots import CONFIG, PALETTE, finished
from nerve_core.ui.metrics_results import empty

RUNS = ROOT / "runs"
"""Where trainings are written, as in training/run.py, which would bring in torch."""
STAGES = {"contour": "outlines", "verdict": "verdict"}
HISTORIES = ("history/version_*/metrics.csv", "metrics.csv")
"""Where a stage's history may lie, in its folder; a resumed training adds a version."""
NONE = (
    "No training has run on this computer. `python -m nerve_core train --manifest FILE` trains a network, "
    "and its curves then appear here."
)
CLICK = "val/click_"
DICE = "val/dice_"


def runs(folder: Path) -> dict[str, list[Path]]:
    """Files of each training's history in order, by ``NAME, outlines`` or ``NAME, verdict``; newest first."""
    found: dict[str, list[Path]] = {}
    for home in sorted(folder.glob("*/*")):
        if home.name in STAGES:
            for pattern in HISTORIES:
                files = sorted(home.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
                if files:
                    found[f"{home.parent.name}, {STAGES[home.name]}"] = files
                    break
    return dict(sorted(found.items(), key=lambda item: -item[1][-1].stat().st_mtime_ns))


def show() -> None:
    """One training at a time."""
    st.markdown(
        "A network learns in steps. Its loss, the error on the scans that it learns from, should fall and "
        "level out; the figures on validation groups, which it does not learn from, should rise. Where the "
        "loss goes on falling and those fall too, it learns by heart."
    )
    found = runs(RUNS)
    if not found:
        empty(NONE)
        return
    name = st.selectbox("Training", list(found), key="metrics-run", width=420)
    files = found[name]
    table = _read(tuple(map(str, files)), max(path.stat().st_mtime_ns for path in files))
    charts = {
        "Loss": ("Of the scans learned from; lower is better.", loss_chart(table)),
        "Validation": (
            "On groups that are not learned from; higher is better. Dotted: with one click.",
            validation_chart(table),
        ),
        "Learning rate": ("How large a step is.", rate_chart(table)),
    }
    shown = {title: chart for title, chart in charts.items() if chart[1].data}
    if not shown:
        st.info("This training has not written a figure yet; look again in a few minutes.")
    places = [*st.columns(2, gap="large"), *st.columns(2, gap="large")]
    for place, (title, (meaning, figure)) in zip(places, shown.items(), strict=False):
        with place:
            st.subheader(title, anchor=False)
            st.caption(meaning)
            st.plotly_chart(
                figure, key=f"metrics-{title}-{name}", config=CONFIG, alt=f"{title} of the training {name}"
            )


@st.cache_data(max_entries=16, show_spinner=False)
def _read(files: tuple[str, ...], changed: int) -> pd.DataFrame:
    return history([Path(file) for file in files])


def history(files: list[Path]) -> pd.DataFrame:
    """A line a step with what was written at it, the later version of a step that was done twice.

    Raises:
        DataError: a file is damaged.
    """
    parts = []
    for path in files:
        try:
            part = pd.read_csv(path)
            parts.append(part.apply(pd.to_numeric).groupby("step").last())
        except (OSError, ValueError, KeyError, UnicodeDecodeError):
            raise DataError(
                f"The history {path.parent.parent.name}/{path.parent.name}/{path.name} is damaged; its "
                "curves cannot be drawn."
            ) from None
    joined = pd.concat(parts)
    return joined.groupby(level=0).last().sort_index()


def loss_chart(table: pd.DataFrame) -> go.Figure:
    """Loss by step."""
    return _chart(table, {"train/loss": ("loss", "")}, "Loss")


def rate_chart(table: pd.DataFrame) -> go.Figure:
    """Learning rate by step; one line where all parts of the network share it."""
    columns = {name: (name.rsplit("/", 1)[-1], "") for name in table if str(name).startswith("lr-")}
    kept: dict[str, tuple[str, str]] = {}
    for name in columns:
        if not any(table[name].equals(table[other]) for other in kept):
            kept[name] = columns[name]
    return _chart(table, kept, "Learning rate")


def validation_chart(table: pd.DataFrame) -> go.Figure:
    """Dice of every set, solid without a click and dotted with one; or the AUC of the verdict."""
    lines = {name: (str(name).removeprefix(DICE), "") for name in table if str(name).startswith(DICE)}
    lines |= {name: (str(name).removeprefix(CLICK), "dot") for name in table if str(name).startswith(CLICK)}
    if lines:
        return _chart(table, lines, "Dice", top=1.0)
    return _chart(table, {"val/auc": ("AUC", "")}, "AUC", top=1.0)


def _chart(
    table: pd.DataFrame, lines: dict[str, tuple[str, str]], title: str, top: float | None = None
) -> go.Figure:
    figure, theme = go.Figure(), st.context.theme.type or "light"
    names = sorted({name for name, _ in lines.values()})
    for column, (name, dash) in lines.items():
        if column not in table or not table[column].notna().any():
            continue
        known = table[column].dropna()
        colour = DOTS[theme] if len(names) == 1 else PALETTE[names.index(name) % len(PALETTE)]
        figure.add_scatter(
            x=known.index,
            y=known,
            mode="lines+markers" if len(known) < 100 else "lines",
            name=f"{name}, one click" if dash else name,
            line={"color": colour, "width": 2, "dash": dash or "solid"},
            marker={"size": 5},
            hovertemplate=f"{name}, step %{{x:,}}: %{{y:.3g}}<extra></extra>",
        )
    figure.update_layout(
        height=380,
        margin={"l": 8, "r": 8, "t": 10, "b": 8},
        showlegend=len(figure.data) > 1,
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
        xaxis={"title": "Step of the training"},
        yaxis={"title": title, "zeroline": False},
    )
    if top is not None:
        figure.update_yaxes(range=[0, top])
    return finished(figure)
