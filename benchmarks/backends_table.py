"""Write the tables in docs/speed.md from ``benchmarks/results/backends.json``.

    python -m benchmarks.backends_table

Only what stands between the two marker comments is replaced.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.backends import TARGET
from benchmarks.marked_page import MarkedPage
from benchmarks.readme_tables import number, table
from nerve_core.config import ROOT


def section(name: str, figures: Mapping[str, Any]) -> str:
    """The table of one set of weights."""
    head = ("backend", "network, ms (95th)", "whole path, ms (95th)", "network against plain PyTorch",
            "path against plain PyTorch", "Dice lost", "AUC lost", "may be used")  # fmt: skip
    rows = [
        (
            f"`{backend}`",
            *(
                f"{number(own[f'{stage}_ms'], 1)} ({number(own[f'{stage}_p95_ms'], 1)})"
                for stage in ("network", "path")
            ),
            *(f"{number(own[f'{stage}_times'], 1)}×" for stage in ("network", "path")),
            *checked(own["check"]),
        )
        for backend, own in sorted(figures["backends"].items(), key=lambda item: item[1]["path_ms"])
    ]
    return (
        f"### `{name}` {figures['version']}\n\nMedians of {figures['runs']} runs of each in turn, "
        f"{figures['threads']} threads, {figures['processor']}; `{figures['regenerate']}`.\n\n"
        f"{table(head, rows)}"
    )


def checked(check: str | Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Losses and permission of one backend."""
    if check == "exact":
        return "0", "0", "yes: single precision"
    if not check:
        return "–", "–", "no: not checked"
    word = "yes" if check["passed"] else "no: lost too much"
    return number(check["dice_loss"], 4), number(check["auc_loss"], 4), word


PAGE = MarkedPage(ROOT / "docs" / "speed.md", "speed", section, "python -m benchmarks.backends")

if __name__ == "__main__":
    sys.exit(PAGE.write(TARGET))
