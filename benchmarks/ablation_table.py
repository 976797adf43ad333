"""Write docs/ablation.md from ``benchmarks/results/ablation.json``.

python -m benchmarks.ablation_table
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from benchmarks.ablation import HOME, LEFT_OUT, TARGET, VARIANTS, WRIST
from benchmarks.readme_tables import MISSING, dice, table
from nerve_core.config import ROOT

PAGE = ROOT / "docs" / "ablation.md"

INTRO = """# What each kind of training data adds

`python -m benchmarks.ablation` trains the same small contour network again and again and changes only what
the row names; `python -m benchmarks.ablation_table` writes this page. Figures are Dice with the 95 % interval
by group, one training each, so differences below about 0.03 may be chance. The network that translated the
phantoms learned from usgra and femoral, without contours, so for that row the looks of usgra are not new.
"""


def main() -> int:
    """Rewrite the page, whole or not at all."""
    partial = PAGE.with_name(".ablation.md.partial")
    partial.write_text(page(json.loads(TARGET.read_text())["rows"]), encoding="utf-8")
    os.replace(partial, PAGE)
    return 0


def page(rows: Mapping[str, Any]) -> str:
    """The tables, in Markdown, of the rows measured."""
    rows = {name: rows[name] for name in VARIANTS if name in rows}
    setup = next(iter(rows.values()))["setup"]
    how = (
        f"Input {setup['size']} px, {setup['steps']} steps of {setup['batch']} samples; "
        f"at most {setup['most']} scans scored in a set."
    )
    parts = [INTRO + how]
    for click in (False, True):
        title = "With one click on the largest nerve" if click else "Without a click"
        parts += [f"## {title}", "On sets never seen (each row trained without the column's set):"]
        unseen = (*LEFT_OUT, WRIST)
        parts.append(table(("training", *unseen), [line(row, unseen, click) for row in rows.values()]))
        home = sorted({name for row in rows.values() for name in row["without"].get(HOME, {})})
        if home:
            parts += ["On the test groups of sets trained on:"]
            parts.append(table(("training", *home), [line(row, home, click, HOME) for row in rows.values()]))
    return "\n\n".join(parts) + "\n"


def line(
    row: Mapping[str, Any], sets: list[str] | tuple[str, ...], click: bool, run: str = ""
) -> tuple[str, ...]:
    """One row: its name, then a figure a set; ``run`` is the training, by default that without the set."""
    cells = []
    for name in sets:
        figures = row["without"].get(run or name, {}).get(name)
        cells.append(dice(figures.get("click") if click else figures) if figures else MISSING)
    return (row["what"], *cells)


if __name__ == "__main__":
    raise SystemExit(main())
