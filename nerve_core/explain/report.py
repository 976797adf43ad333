"""The explanation of one nerve on one page, to take away: PDF or PNG, drawn with matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from nerve_core.explain.sensitivity import Row
from nerve_core.inference.prediction import NOTICE

COLOUR_MAPS = {
    "cividis": "Cividis (blue to yellow)",
    "viridis": "Viridis (violet to yellow)",
    "magma": "Magma (black to pale yellow)",
    "gray": "Grey",
}
"""Maps whose brightness rises evenly, so that they read the same for every colour vision and in print."""

A4 = (8.27, 11.69)
"""Inches."""

FORMATS = ("pdf", "png")


@dataclass(frozen=True, eq=False)
class Page:
    """What goes on the page.

    Attributes:
        title: verdict and probability in words.
        facts: short lines below it: nerve, size, weights, method.
        pixels: uint8 (H, W) scan.
        outline: (N, 2) px, x then y.
        heat: float32 (H, W), 0 to 1.
        reading: the map in one sentence.
        truth: how far the map can be trusted, in one sentence.
        rows: the sensitivity table; may be empty.
        colours: key of ``COLOUR_MAPS``.
        opacity: of the map over the scan, 0 to 1.
    """

    title: str
    facts: Sequence[str]
    pixels: np.ndarray
    outline: np.ndarray
    heat: np.ndarray
    reading: str
    truth: str
    rows: Sequence[Row]
    colours: str = "cividis"
    opacity: float = 0.6


def overlay(
    pixels: np.ndarray, heat: np.ndarray, colours: str = "cividis", opacity: float = 0.6
) -> np.ndarray:
    """A map laid over a scan: uint8 (H, W, 3), RGB. Where there is no heat the scan shows through.

    Args:
        pixels: uint8 (H, W).
        heat: float (H, W), 0 to 1.
        colours: a colour map of matplotlib.
        opacity: of the hottest place, 0 to 1.
    """
    share = opacity * np.clip(heat, 0, 1)[..., None] ** 0.5
    painted = 255 * colormaps[colours](np.clip(heat, 0, 1))[..., :3]
    return np.rint(pixels[..., None] * (1 - share) + painted * share).astype(np.uint8)


def close_up(mask: np.ndarray, margin: float = 0.6, least: int = 48) -> tuple[slice, slice]:
    """Rows and columns around a nerve, with a margin of its longer side, inside the picture."""
    x, y, width, height = cv2.boundingRect((np.asarray(mask) > 0).astype(np.uint8))
    side = max(round((1 + 2 * margin) * max(width, height)), least)
    top, left = (int(max(0, start + size / 2 - side / 2)) for start, size in ((y, height), (x, width)))
    return slice(top, min(top + side, mask.shape[0])), slice(left, min(left + side, mask.shape[1]))


def page(content: Page, form: str = "pdf") -> bytes:
    """One A4 page.

    Args:
        content: what goes on it.
        form: ``pdf`` or ``png``.

    Raises:
        ValueError: another format.
    """
    if form not in FORMATS:
        raise ValueError(f"A page is written as {' or '.join(FORMATS)}, not as {form!r}.")
    figure = Figure(figsize=A4, facecolor="white")
    figure.text(0.08, 0.955, "Why this verdict?", size=11, color="#444444")
    figure.text(0.08, 0.925, content.title, size=17, weight="bold")
    figure.text(0.08, 0.908, "\n".join(content.facts), size=9, va="top", linespacing=1.5)
    mask = np.zeros(content.pixels.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(content.outline).astype(np.int32)], 1)
    part = close_up(mask)
    pictures = (
        ("Scan, outline of the nerve", np.repeat(content.pixels[..., None], 3, 2), True),
        (
            "Evidence, brighter: more",
            overlay(content.pixels, content.heat, content.colours, content.opacity),
            True,
        ),
    )
    for k, (name, picture, lined) in enumerate(pictures):
        axes = figure.add_axes((0.08 + 0.44 * k, 0.53, 0.41, 0.29))
        axes.imshow(picture)
        if lined:
            closed = np.vstack([content.outline, content.outline[:1]])
            axes.plot(*closed.T, color="white", linewidth=0.9)
        axes.set_xlim(part[1].start - 0.5, part[1].stop - 0.5)
        axes.set_ylim(part[0].stop - 0.5, part[0].start - 0.5)
        axes.set_title(name, size=9, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
    words = "\n".join(fill(text, 105) for text in (content.reading, content.truth) if text)
    figure.text(0.08, 0.51, words, size=10, va="top", linespacing=1.5)
    if content.rows:
        _table(figure, content.rows)
    figure.text(0.08, 0.03, fill(NOTICE, 100), size=9, weight="bold")
    out = io.BytesIO()
    # No dates or names in the file: the same explanation gives the same bytes.
    metadata = {"CreationDate": None} if form == "pdf" else {"Software": None}
    figure.savefig(out, format=form, dpi=150, metadata=metadata)
    return out.getvalue()


def _table(figure: Figure, rows: Sequence[Row]) -> None:
    figure.text(0.08, 0.425, "What would change it", size=11, weight="bold", va="top")
    height = min(0.018, 0.33 / (len(rows) + 1))
    for k, texts in enumerate([("Change", "Probability", "Shift", "Verdict"), *map(_cells, rows)]):
        y = 0.4 - k * height
        turned = k > 0 and rows[k - 1].turned
        for x, text in zip((0.08, 0.55, 0.66, 0.76), texts, strict=True):
            figure.text(x, y, text, size=8, va="top", weight="bold" if turned or k == 0 else "normal")


def points(shift: float) -> str:
    """A change of a probability in points of a hundred, with its sign."""
    whole = round(100 * shift)
    return f"{whole:+d} points".replace("-", "−") if whole else "0 points"


def _cells(row: Row) -> tuple[str, str, str, str]:
    if row.p_affected is None or row.shift is None:
        return row.change, "–", "–", row.verdict
    verdict = row.verdict + (" (turned)" if row.turned else "")
    return row.change, f"{100 * row.p_affected:.0f} %", points(row.shift), verdict
