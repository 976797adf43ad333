"""A table of results: readable on a phone, and as CSV and LaTeX to take away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from nerve_core.evaluation.result_text import FORMATS, Line, cell
from nerve_core.ui import theme
from nerve_core.ui.data_scan import plain
from nerve_core.ui.figures import MISSING

SUFFIXES = {"csv": ("csv", "text/csv"), "latex": ("tex", "application/x-tex")}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        key: of the value in a line; its interval, if any, stands under ``key_ci95``.
        title: heading, with the unit.
        digits: after the point; ``n`` and the like take none.
    """

    key: str
    title: str
    digits: int = 2


SCANS = (Column("n", "Images (n)", 0), Column("groups", "Groups", 0))
"""How many images, and of how many patients or scan groups."""


def markdown(columns: Sequence[Column], lines: Sequence[Line]) -> str | None:
    """The table as Markdown, intervals in brackets, words to the left; None without lines."""
    if not lines:
        return None
    words = [all(isinstance(line.get(column.key), str) for line in lines) for column in columns]
    rows = [[column.title for column in columns], [":--" if left else "--:" for left in words]]
    rows += [[_shown(column, line) for column in columns] for line in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(column: Column, line: Line) -> str:
    value, ci95 = line.get(column.key), line.get(f"{column.key}_ci95")
    if value is None or value != value:
        return MISSING
    if isinstance(value, str):
        return plain(value)
    if not column.digits:
        return cell("n", value)
    text = f"{value:.{column.digits}f}"
    return f"{text} ({ci95[0]:.{column.digits}f}–{ci95[1]:.{column.digits}f})" if ci95 else text


def as_file(kind: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
    """The table as ``csv`` or ``latex``, every interval in columns of its own."""
    keys: list[str] = []
    for column in columns:
        ci95 = f"{column.key}_ci95"
        keys += [column.key, *([ci95] if any(ci95 in line for line in lines) else [])]
    return FORMATS[kind](keys, lines) + "\n"


def show(name: str, columns: Sequence[Column], lines: Sequence[Line]) -> None:
    """The table and its two downloads.

    Args:
        name: of the files, and unique on the page.
        columns: in order.
        lines: without any, nothing is shown.
    """
    text = markdown(columns, lines)
    if text is None:
        return
    with st.container(key=theme.table_key(f"metrics-{name}")):
        st.markdown(text)
    downloads(name, columns, lines)


def downloads(name: str, columns: Sequence[Column], lines: Sequence[Line]) -> None:
    """The buttons that give the table as a file of each kind."""
    with st.container(horizontal=True):
        for kind, (suffix, mime) in SUFFIXES.items():
            st.download_button(
                kind.upper() if kind == "csv" else "LaTeX",
                as_file(kind, columns, lines),
                f"{name}.{suffix}",
                mime,
                key=f"metrics-{name}-{kind}",
                icon=":material/download:",
                type="tertiary",
                on_click="ignore",
            )
