"""Write the tables of figures in README.md from ``checkpoints/*/metrics.json``.

    python -m benchmarks.readme_tables

Only what stands between the two marker comments is replaced. A figure that was not measured is a dash.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nerve_core.config import ROOT, settings
from nerve_core.errors import DataError

BEGIN = "<!-- figures: begin -->"
END = "<!-- figures: end -->"
MISSING = "–"


def main() -> int:
    """Rewrite README.md, whole or not at all."""
    readme = ROOT / "README.md"
    try:
        text = rewritten(readme.read_text(encoding="utf-8"), load(settings().checkpoints))
    except DataError as fault:
        print(fault, file=sys.stderr)
        return 1
    partial = readme.with_name(".README.md.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, readme)
    return 0


def load(checkpoints: Path) -> list[dict[str, Any]]:
    """Every ``metrics.json`` under the folder; ``research`` first, the others by name."""
    files = sorted(
        checkpoints.glob("*/metrics.json"),
        key=lambda file: (file.parent.name != "research", file.parent.name),
    )
    return [{"name": file.parent.name, **json.loads(file.read_text(encoding="utf-8"))} for file in files]


def rewritten(readme: str, checkpoints: Sequence[Mapping[str, Any]]) -> str:
    """The README with fresh tables between its markers.

    Raises:
        DataError: a marker is missing, or there is nothing to report.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise DataError(f"README.md must hold {BEGIN} and {END} once each.")
    if not checkpoints:
        raise DataError("No checkpoint has a metrics.json; run python -m benchmarks.regenerate first.")
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    sections = "\n\n".join(section(metrics) for metrics in checkpoints)
    return f"{before}{BEGIN}\n{sections}\n{END}{after}"


def section(metrics: Mapping[str, Any]) -> str:
    """All tables of one checkpoint, in Markdown."""
    parts = [f"### Weights `{metrics['name']}` {metrics.get('version', '')}".rstrip()]
    if metrics.get("contours"):
        parts += ["Contours, on groups never trained on (Dice, 95 % interval by group):", contours(metrics)]
    if metrics.get("verdict"):
        parts += [
            "Verdict, on pathology written into those scans (mean, 95 % interval by group):",
            verdict(metrics),
        ]
    if metrics.get("bench"):
        parts.append(speed(metrics["bench"]))
    return "\n\n".join(parts)


def contours(metrics: Mapping[str, Any]) -> str:
    """Dice a set: without a click, with one, and of weights that never saw the set."""
    left_out = metrics.get("leave_one_set_out") or {}
    rows = []
    for name, figures in metrics["contours"].items():
        unseen = left_out.get(name) or {}
        rows.append(
            (
                name,
                _count(figures),
                dice(figures),
                dice(figures.get("click")),
                dice(unseen),
                dice(unseen.get("click")),
            )
        )
    return table(
        (
            "set",
            "scans (groups)",
            "no click",
            "one click",
            "set never seen, no click",
            "set never seen, one click",
        ),
        rows,
    )


def verdict(metrics: Mapping[str, Any]) -> str:
    """AUC, sensitivity and specificity a set at severity ≥ 0.5."""
    rows = []
    for name, figures in metrics["verdict"].items():
        headline = figures.get("headline") or {}
        if not headline:
            continue
        rows.append(
            (
                name,
                rate(headline.get("auc")),
                number(headline.get("size_observer_auc")),
                rate(headline.get("sensitivity")),
                rate(headline.get("specificity_originals")),
                rate(headline.get("specificity_shams")),
            )
        )
    return table(
        ("set", "AUC", "AUC of size alone", "sensitivity", "specificity, originals", "specificity, shams"),
        rows,
    )


def speed(bench: Mapping[str, Any]) -> str:
    """One sentence on time."""
    return (
        f"From the bytes of a 512² PNG to the verdict: {number(bench.get('path_ms'), 0)} ms on "
        f"{bench.get('device', MISSING)} with {bench.get('threads', MISSING)} threads "
        f"({bench.get('backend', MISSING)}, {bench.get('size', MISSING)}², network "
        f"{number(bench.get('network_ms'), 0)} ms); "
        f"{number(bench.get('eager_path_ms'), 0)} ms in plain PyTorch."
    )


def dice(figures: Mapping[str, Any] | None) -> str:
    """``0.70 (0.66–0.73)``."""
    figures = figures or {}
    return interval(figures.get("dice_mean"), figures.get("dice_ci95"))


def rate(figures: Mapping[str, Any] | None) -> str:
    """``0.95 (0.93–0.97)`` of ``{value, ci95}``."""
    figures = figures or {}
    return interval(figures.get("value"), figures.get("ci95"))


def interval(value: float | None, ci95: Sequence[float] | None) -> str:
    """A figure with its interval, where there is one."""
    if value is None or not ci95:
        return number(value)
    return f"{number(value)} ({number(ci95[0])}–{number(ci95[1])})"


def number(value: float | None, digits: int = 2) -> str:
    """A figure, or a dash where it was not measured."""
    return MISSING if value is None else f"{value:.{digits}f}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    head = tuple(head)
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _count(figures: Mapping[str, Any]) -> str:
    return f"{figures.get('n', MISSING)} ({figures.get('groups', MISSING)})"


if __name__ == "__main__":
    raise SystemExit(main())
