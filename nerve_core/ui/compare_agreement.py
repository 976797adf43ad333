"""Where methods agree on one scan: how many call each pixel nerve, and how alike each two outlines are."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import plotly.graph_objects as go
import streamlit as st

from nerve_core.ui.data_plots import finished
from nerve_core.ui.theme import rgb

RAMP = ("#0072B2", "#56B4E9", "#F0E442", "#E69F00", "#D55E00")
"""From few methods to all: blues, yellow, orange, vermilion of Okabe and Ito (2008)."""
OPACITY = 0.6


def count_map(masks: Sequence[np.ndarray]) -> np.ndarray:
    """How many of N masks (H, W), nonzero inside nerves, hold each pixel: uint8 (H, W), 0 to N."""
    return np.sum([np.asarray(mask) > 0 for mask in masks], axis=0, dtype=np.uint8)


def pairwise_dice(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Sørensen–Dice coefficient of each two of N masks (H, W): float64 (N, N), 1 where both are empty."""
    flat = np.stack([np.asarray(mask).ravel() > 0 for mask in masks]).astype(np.float32)
    common = (flat @ flat.T).astype(float)
    sizes = np.diag(common)
    both = sizes[:, None] + sizes[None, :]
    return np.divide(2 * common, both, out=np.ones_like(common), where=both > 0)


def shares(counts: np.ndarray, n: int) -> list[int]:
    """Pixels that exactly 1, 2, … N methods call nerve."""
    return np.bincount(counts.ravel(), minlength=n + 1)[1 : n + 1].tolist()


def in_words(counts: np.ndarray, n: int) -> str:
    """One sentence on how far the methods agree."""
    found = shares(counts, n)
    total = sum(found)
    if total == 0:
        return f"None of the {n} methods found a nerve."
    return (
        f"All {n} methods agree on {found[-1]:,} px², {100 * found[-1] / total:.0f} % of the {total:,} px² "
        "that at least one of them calls nerve."
    )


def colour_of(count: int, n: int) -> str:
    """``#RRGGBB`` of the pixels that ``count`` of ``n`` methods call nerve."""
    place = (count - 1) / max(n - 1, 1) * (len(RAMP) - 1)
    low = min(int(place), len(RAMP) - 2)
    share = place - low
    mixed = (1 - share) * np.array(rgb(RAMP[low])) + share * np.array(rgb(RAMP[low + 1]))
    return "#" + "".join(f"{round(value):02X}" for value in mixed)


def picture(pixels: np.ndarray, counts: np.ndarray, n: int) -> np.ndarray:
    """The scan uint8 (H, W) with the number of methods as colours: uint8 (H, W, 3), RGB."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    palette = np.zeros((n + 1, 3), np.float32)
    for count in range(1, n + 1):
        palette[count] = rgb(colour_of(count, n))
    painted = (1 - OPACITY) * grey + OPACITY * palette[counts]
    return np.where(counts[..., None] > 0, np.rint(painted).astype(np.uint8), grey)


def legend(counts: np.ndarray, n: int) -> None:
    """What the colours mean, with the area of each in px²."""
    parts = [
        f"<span style='white-space:nowrap'><span style='color:{colour_of(count, n)}'>&#9632;</span> "
        f"{f'all {n}' if count == n else f'{count} of {n}'}: {area:,} px²</span>"
        for count, area in enumerate(shares(counts, n), 1)
    ]
    st.html("<div style='font-size:0.9rem;opacity:0.85'>" + " &nbsp; ".join(parts) + "</div>")


def heat_map(dice: np.ndarray, names: Mapping[int, str]) -> go.Figure:
    """Pairwise Dice (N, N) as a table of colours with the figures in it, methods by number alone.

    Args:
        dice: of each two methods.
        names: of the methods by their number on the page, in the order of ``dice``.
    """
    theme = st.context.theme.type or "light"
    numbers = [str(number) for number in names]
    titles = [html.escape(name) for name in names.values()]
    ends = ["#FFFFFF", "#0072B2"] if theme == "light" else ["#10161B", "#2E86C1"]
    figure = go.Figure(
        go.Heatmap(
            z=dice,
            x=numbers,
            y=numbers,
            customdata=[[f"{one}<br>against {other}" for other in titles] for one in titles],
            zmin=0,
            zmax=1,
            colorscale=[[0, ends[0]], [1, ends[1]]],
            showscale=False,
            xgap=2,
            ygap=2,
            # Plotly itself writes dark on pale cells and white on strong ones.
            texttemplate="%{z:.2f}",
            textfont={"size": 13},
            hovertemplate="%{customdata}: Dice %{z:.2f}<extra></extra>",
        )
    )
    figure.update_layout(
        height=70 + 38 * len(names),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={"type": "category", "side": "top", "fixedrange": True, "showgrid": False},
        yaxis={
            "type": "category",
            "autorange": "reversed",
            "fixedrange": True,
            "showgrid": False,
            "automargin": True,
        },
    )
    return finished(figure)
