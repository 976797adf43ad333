"""Write the measured part of docs/records.md from ``benchmarks/results/records.json``.

python -m benchmarks.records_table
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.marked_page import MarkedPage
from benchmarks.readme_tables import table
from benchmarks.records import OUT, TARGET_MS
from nerve_core.config import ROOT

COUNTS = ("kills", "accepted", "lost", "half", "problems", "in_flight", "stray")
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def section(name: str, figures: Mapping[str, Any]) -> str:
    """Markdown of one entry of the results."""
    return {"times": times, "kills": kills}[name](figures)


def times(found: Mapping[str, Any]) -> str:
    """Median and 95th percentile of what the pages ask for, a column a database."""
    first = next(iter(found.values()))
    repeats = next(iter(first["acts"].values()))["n"]
    rows = [[name, *(_ms(figures["acts"][name]) for figures in found.values())] for name in first["acts"]]
    slowest = max(act["p95_ms"] for figures in found.values() for act in figures["acts"].values())
    loads = ", ".join(f"{figures['load']:g}" for figures in found.values())
    return (
        f"**Times** with {first['patients']:,} patients and {first['scans']:,} scans, {first['cores']} "
        f"cores, one process, each asked {repeats} times, permission and audit entry included; load of the "
        f"machine {loads}. Median (95th percentile), and after the dot the program's "
        f"own time on the processor, in ms; the target is {TARGET_MS} ms, the slowest 95th "
        f"percentile {slowest:.0f} ms.\n\n" + table(["asked for", *(NAMES[key] for key in found)], rows)
    )


def kills(found: Mapping[str, Any]) -> str:
    """What came of the writers that were killed."""
    rows = [[NAMES[key], *(f"{figures[name]:,}" for name in COUNTS)] for key, figures in found.items()]
    heads = ["", "kills", "accepted", "lost", "half-written", "broken", "whole, not yet told"]
    return (
        "**Kills**: 8 writers saved scans and readings, and all were killed (SIGKILL) at a random moment, "
        "again and again on the same records. After each kill the database was opened and checked, every "
        "file read, and the audit log verified.\n\n" + table([*heads, "files without a row"], rows)
    )


def _ms(act: Mapping[str, float]) -> str:
    own = f" · {act['processor_ms']:.0f}" if "processor_ms" in act else ""
    return f"{act['median_ms']:.0f} ({act['p95_ms']:.0f}){own}"


PAGE = MarkedPage(ROOT / "docs" / "records.md", "measured", section, "python -m benchmarks.records")

if __name__ == "__main__":
    raise SystemExit(PAGE.write(OUT))
