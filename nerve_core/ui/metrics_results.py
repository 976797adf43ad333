"""The published results as the Metrics page reads them, and the choice of the method that it shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import streamlit as st

from nerve_core.config import settings
from nerve_core.errors import DataError
from nerve_core.evaluation.published import published
from nerve_core.evaluation.result_text import labelled

SHIPPED = "weights:"
"""Begins the name of a method that is a set of shipped weights, as in evaluation/methods.py."""
WITH_SHAMS, WITHOUT_SHAMS = "trap:shams", "trap:no-shams"
"""Two verdict networks trained alike, but for sham controls among what they learned from; as there."""
NAMES = {
    WITH_SHAMS: "Brief training with controls",
    WITHOUT_SHAMS: "Brief training without controls",
}
HELD_BACK = "test"
"""The side of the split by group on which every headline rests."""
NEEDED = ("method", "set", "split", "setup", "image", "group", "site", "nerve", "device", "kind")
EMPTY = (
    "Nothing is measured yet. `python -m nerve_core benchmark run --data DIR` scores every method, image by "
    "image, on the scans in DIR and goes on where it stopped; `python -m nerve_core benchmark publish` then "
    "writes the files that this page shows. Figures stored with the weights themselves stand on the page "
    "“Model and limits”."
)


def empty(what: str = EMPTY) -> None:
    """What is shown where there are no results."""
    st.info(what, icon=":material/science:")


def load(task: str) -> pd.DataFrame | None:
    """Every measured image of ``contours`` or ``verdict``; shared by all sessions, never to be changed.

    Returns:
        The published columns, ``group`` made unique over the sets, ``method`` with its setup where it was
        measured in several; None where nothing is published.

    Raises:
        DataError: the file is damaged.
    """
    return _load(task, str(settings().results), mark(task))


def mark(task: str) -> int:
    """Time of the last change of a task's file; 0 where there is none."""
    path = settings().results / f"benchmark-{task}.parquet"
    return path.stat().st_mtime_ns if path.is_file() else 0


@st.cache_resource(max_entries=6, show_spinner=False)
def _load(task: str, folder: str, changed: int) -> pd.DataFrame | None:
    frame = published(task, Path(folder))
    if frame is None:
        return None
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise DataError(
            f"benchmark-{task}.parquet lacks {', '.join(missing)}; write it again with python -m nerve_core "
            "benchmark publish."
        )
    frame = frame.fillna(dict.fromkeys(NEEDED, ""))
    return labelled(frame.assign(group=frame["set"] + "/" + frame["group"], bare=frame["method"]))


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """A figure of every image; NaN where the file has no such column."""
    return frame[name] if name in frame else pd.Series(float("nan"), index=frame.index)


def of(frame: pd.DataFrame | None, method: str) -> pd.DataFrame | None:
    """A method's images of the held-back groups; None where it has none."""
    if frame is None:
        return None
    rows = frame[(frame["method"] == method) & (frame["split"] == HELD_BACK)]
    return rows if len(rows) else None


def everything() -> dict[str, pd.DataFrame | None]:
    """Results by task; what cannot be read is said on the page, and the rest is shown all the same."""
    found: dict[str, pd.DataFrame | None] = {}
    for task in ("contours", "verdict"):
        try:
            found[task] = load(task)
        except DataError as error:
            st.error(str(error), icon=":material/error:")
            found[task] = None
    return found


def methods(frames: Iterable[pd.DataFrame | None]) -> list[str]:
    """Names of the methods measured on held-back groups, those in use first."""
    found: set[str] = set()
    for frame in frames:
        if frame is not None:
            found |= set(frame.loc[frame["split"] == HELD_BACK, "method"])
    used = SHIPPED + settings().weights
    # The weights in use first, then other weights; what only shows a trap comes last.
    return sorted(
        found,
        key=lambda name: (
            not name.startswith(used),
            not name.startswith(SHIPPED),
            name.startswith(tuple(NAMES)),
            name,
        ),
    )


def spoken(method: str) -> str:
    """A method's name as people would say it."""
    if method.startswith(SHIPPED):
        return f"Weights “{method.removeprefix(SHIPPED)}”"
    for name, words in NAMES.items():
        if method.startswith(name):
            return words + method.removeprefix(name)
    words = method.replace(":", ": ").replace("_", " ")
    return words[:1].upper() + words[1:]


def pick(frames: Iterable[pd.DataFrame | None]) -> str:
    """The method that the page is about; empty where nothing is published."""
    names = methods(frames)
    if len(names) < 2:
        return names[0] if names else ""
    return st.selectbox(
        "Method", names, format_func=spoken, key="metrics-method", persist_state="session", width=420
    )
