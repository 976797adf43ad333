"""Write the tables on enhancement in docs/generative.md from ``benchmarks/results/enhancement.json``.

    python -m benchmarks.enhancement_table

Only what stands between the two marker comments is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.enhancement import TARGET
from benchmarks.marked_page import MarkedPage
from benchmarks.readme_tables import number, rate, table
from nerve_core.config import ROOT

PAGE = ROOT / "docs" / "generative.md"
SIDES = {"val": "validation groups", "test": "test groups"}


def section(name: str, figures: Mapping[str, Any]) -> str:
    """All tables of one set of weights."""
    parts = [f"### Contours of the weights `{name}` {figures['version']}"]
    for side, words in SIDES.items():
        parts += [f"Dice without a click, {words} (95 % interval by group):", contours(figures[side]["sets"])]
    test = figures["test"]
    parts += ["Likeness to the undegraded scan, test groups (PSNR in dB / SSIM):", likeness(test["sets"])]
    parts += ["One fault alone, all test groups together:", by_fault(test["faults"])]
    return "\n\n".join(parts)


def contours(sets: Mapping[str, Any]) -> str:
    """Dice by set and condition, and what enhancement and CLAHE change, scan by scan."""
    head = ("set", "scans (groups)", "as it was", "as it was, enhanced", "poor", "poor, enhanced",
            "poor, CLAHE", "gain by enhancement", "gain by CLAHE")  # fmt: skip
    rows = []
    for name, conditions in sets.items():
        count = f"{conditions['poor']['n']} ({conditions['poor']['groups']})"
        shown = ("original", "original_enhanced", "poor", "poor_enhanced", "poor_clahe")
        gains = (signed(conditions[key]["dice_gain"]) for key in ("poor_enhanced", "poor_clahe"))
        rows.append((name, count, *(rate(conditions[key]["dice"]) for key in shown), *gains))
    return table(head, rows)


def likeness(sets: Mapping[str, Any]) -> str:
    """PSNR and SSIM by set."""
    shown = ("poor", "poor_enhanced", "poor_clahe", "original_enhanced")
    rows = [
        (
            name,
            *(
                f"{number(conditions[key]['psnr']['value'], 1)} / {number(conditions[key]['ssim']['value'])}"
                for key in shown
            ),
        )
        for name, conditions in sets.items()
    ]
    return table(("set", "poor", "poor, enhanced", "poor, CLAHE", "as it was, enhanced"), rows)


def by_fault(faults: Mapping[str, Any]) -> str:
    """Dice and likeness by what was wrong."""
    rows = []
    for name, conditions in faults.items():
        poor, better = conditions["poor"], conditions["poor_enhanced"]
        rows.append(
            (
                name,
                rate(poor["dice"]),
                rate(better["dice"]),
                signed(better["dice_gain"]),
                f"{number(poor['psnr']['value'], 1)} → {number(better['psnr']['value'], 1)}",
            )
        )
    return table(("fault", "poor", "poor, enhanced", "gain", "PSNR, dB"), rows)


def signed(figures: Mapping[str, Any]) -> str:
    """A difference with its sign and its interval."""
    text, ci95 = f"{figures['value']:+.3f}", figures["ci95"]
    return f"{text} ({ci95[0]:+.3f} to {ci95[1]:+.3f})" if ci95 else text


TABLES = MarkedPage(PAGE, "enhancement", section, "python -m benchmarks.enhancement")


def main() -> int:
    """Rewrite the page, whole or not at all."""
    return TABLES.write(TARGET)


if __name__ == "__main__":
    raise SystemExit(main())
