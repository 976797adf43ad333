"""Tables of a results store as text: Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nerve_core.evaluation.results import ResultsStore
from nerve_core.evaluation.tables import contour_table, pooled_sets, verdict_table

if TYPE_CHECKING:
    import pandas as pd

Line = Mapping[str, Any]

CONTOURS = ("method", "split", "set", "n", "groups", "dice", "dice_ci95", "iou", "hd95_px", "nsd",
            "precision", "recall", "detected", "ms", "p_best")  # fmt: skip
VERDICTS = ("method", "set", "n", "groups", "accuracy", "precision", "recall", "specificity",
            "specificity_originals", "specificity_shams", "f1", "auc", "auc_ci95", "brier",
            "calibration_slope")  # fmt: skip
COSTS = ("method", "parameters", "macs", "eager_ms", "openvino_ms", "memory_mib", "threads", "size")

NAMES = {
    "hd95_px": "HD95, px",
    "ms": "ms a scan",
    "iou": "IoU",
    "nsd": "surface Dice",
    "auc": "AUC",
    "f1": "F1",
    "p_best": "p against the best",
    "macs": "MACs",
    "eager_ms": "ms, PyTorch",
    "openvino_ms": "ms, OpenVINO",
    "memory_mib": "memory, MiB",
    "specificity_originals": "specificity, originals",
    "specificity_shams": "specificity, shams",
    "calibration_slope": "calibration slope",
}
"""Headings that are not simply the name of the column."""

WHOLE = ("n", "groups", "parameters", "macs", "size")


def all_tables(store: ResultsStore) -> dict[str, tuple[Sequence[str], list[Line]]]:
    """Columns and lines of every table that the store has results for, by name."""
    frames = {task: labelled(store.frame(task)) for task in ("contours", "verdict")}
    by = ("method", "set", "split")
    tables: dict[str, tuple[Sequence[str], list[Line]]] = {}
    for name, prefix in (("contours", ""), ("contours-click", "click_"), ("contours-pointed", "pointed_")):
        tables[name] = (CONTOURS, contour_table(frames["contours"], by, prefix))
    pooled = pooled_sets(frames["verdict"])
    tables["verdict"] = (VERDICTS, verdict_table(frames["verdict"], by) + verdict_table(pooled, by))
    tables["verdict-without-shams"] = (VERDICTS, verdict_table(pooled, by, shams=False))
    tables["costs"] = (COSTS, [{"method": name, **figures} for name, figures in store.costs().items()])
    return {name: table for name, table in tables.items() if table[1]}


def labelled(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the setup added to the name of methods that were measured in more than one."""
    several = frame.groupby("method")["setup"].transform("nunique") > 1
    return frame.assign(method=frame["method"].where(~several, frame["method"] + " (" + frame["setup"] + ")"))


def cell(column: str, value: Any) -> str:
    """One value as text."""
    if value is None or value != value:
        return "–"
    if isinstance(value, list | tuple):
        return f"{value[0]:.3f}–{value[1]:.3f}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if column in WHOLE:
        return f"{round(value):,}".replace(",", " ")
    if column == "ms" or column.endswith("_ms") or column in ("memory_mib", "hd95_px"):
        return f"{value:.1f}"
    if column.startswith("p_"):
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return f"{value:.3f}"


def heading(column: str) -> str:
    """Heading of a column."""
    if column.endswith("_ci95"):
        return "95 % CI"
    return NAMES.get(column, column.replace("_", " "))


def markdown(columns: Sequence[str], lines: Sequence[Line]) -> str:
    """A Markdown table."""
    rows = [[heading(column) for column in columns], ["---"] * len(columns)]
    rows += [[cell(column, line.get(column)) for column in columns] for line in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def comma_separated(columns: Sequence[str], lines: Sequence[Line]) -> str:
    """CSV with full precision; an interval takes two columns, ``…_low`` and ``…_high``."""
    names = [name for column in columns for name in _parts(column)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    for line in lines:
        values: list[Any] = []
        for column in columns:
            value = line.get(column)
            values += (value or [None, None]) if column.endswith("_ci95") else [value]
        table.writerow(["" if value is None else value for value in values])
    return text.getvalue().rstrip("\n")


def _parts(column: str) -> list[str]:
    return [f"{column}_low", f"{column}_high"] if column.endswith("_ci95") else [column]


def latex(columns: Sequence[str], lines: Sequence[Line]) -> str:
    """A LaTeX ``tabular`` for the booktabs package."""
    rows = [" & ".join(_escaped(cell(column, line.get(column))) for column in columns) for line in lines]
    head = " & ".join(_escaped(heading(column)) for column in columns)
    body = " \\\\\n".join(rows)
    return (
        f"\\begin{{tabular}}{{{'l' * len(columns)}}}\n\\toprule\n{head} \\\\\n\\midrule\n{body} \\\\\n"
        "\\bottomrule\n\\end{tabular}"
    )


def _escaped(text: str) -> str:
    for sign, instead in (
        ("\\", "\\textbackslash{}"),
        ("_", "\\_"),
        ("%", "\\%"),
        ("&", "\\&"),
        ("#", "\\#"),
    ):
        text = text.replace(sign, instead)
    return text.replace("–", "--").replace("<", "$<$")


FORMATS: dict[str, Callable[[Sequence[str], Sequence[Line]], str]] = {
    "markdown": markdown,
    "csv": comma_separated,
    "latex": latex,
}
