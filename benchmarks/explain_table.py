"""Write the tables on maps of evidence in docs/explain.md from ``benchmarks/results/explain.json``.

    python -m benchmarks.explain_table

Only what stands between the two marker comments is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.explain import TARGET
from benchmarks.marked_page import MarkedPage
from benchmarks.readme_tables import number, rate, table
from nerve_core.config import ROOT
from nerve_core.explain.methods import METHODS

PAGE = ROOT / "docs" / "explain.md"
SIDES = {"val": "validation groups, where method and layer were chosen", "test": "test groups"}
KINDS = {
    "rim": "bright part of the rim",
    "fascicle": "one dark fascicle",
    "dent": "dent",
    "bulge": "dark bulge",
}


def section(name: str, figures: Mapping[str, Any]) -> str:
    """All tables of one set of weights, the test side first."""
    parts = [f"### Weights `{name}` {figures['version']}"]
    for side in ("test", "val"):
        if side not in figures:
            continue
        found = figures[side]
        parts += [f"{SIDES[side].capitalize()}, {found['scans']} scans: `{found['regenerate']}`"]
        parts += [methods(found["methods"]), cases(found)]
    return "\n\n".join(parts)


def methods(found: Mapping[str, Any]) -> str:
    """One row a method and layer."""
    head = ("method", "layer", "n (groups)", "pointing", "density", "undone", "inserted", "random: density",
            "random: pointing", "CPU, ms")  # fmt: skip
    rows = []
    for one in found.values():
        chance = one.get("random_weights")
        rows.append(
            (
                METHODS[one["method"]].title,
                one["layer"] or "–",
                f"{one['n']} ({one['groups']})",
                rate(one["pointing"]),
                rate(one["density"]),
                rate(one.get("undone")),
                rate(one.get("inserted")),
                number(chance["density"]["value"]) if chance else "–",
                number(chance["pointing"]["value"]) if chance else "–",
                number(one.get("cpu_ms"), 0),
            )
        )
    return table(head, rows)


def cases(found: Mapping[str, Any]) -> str:
    """One row a kind of change, with the first method's figures."""
    first = next(iter(found["methods"].values()))
    title = METHODS[first["method"]].title
    rows = []
    for kind, count in found["cases"].items():
        one = first["kinds"].get(kind)
        figures = (rate(one["pointing"]), rate(one["density"])) if one else ("–", "–")
        rows.append((KINDS.get(kind, kind), str(count["tried"]), str(count["turned"]), *figures))
    return table(("change", "written", "turned the verdict", f"{title}: pointing", f"{title}: density"), rows)


TABLES = MarkedPage(PAGE, "maps", section, "python -m benchmarks.explain")


def main() -> int:
    """Rewrite the page, whole or not at all."""
    return TABLES.write(TARGET)


if __name__ == "__main__":
    raise SystemExit(main())
