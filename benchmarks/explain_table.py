"""Write the tables on maps of evidence in docs/explain.md from ``benchmarks/results/explain.json``.

    python -m benchmarks.explain_table

Only what stands between the two marker comments is replaced.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.explain import TARGET
from benchmarks.readme_tables import number, rate, table
from nerve_core.config import ROOT
from nerve_core.errors import DataError
from nerve_core.explain.methods import METHODS

PAGE = ROOT / "docs" / "explain.md"
BEGIN = "<!-- maps: begin -->"
END = "<!-- maps: end -->"
SIDES = {"val": "validation groups, where method and layer were chosen", "test": "test groups"}
KINDS = {
    "rim": "bright part of the rim",
    "fascicle": "one dark fascicle",
    "dent": "dent",
    "bulge": "dark bulge",
}


def main() -> int:
    """Rewrite the page, whole or not at all."""
    try:
        if not TARGET.exists():
            raise DataError("Nothing is measured yet; run python -m benchmarks.explain first.")
        text = rewritten(PAGE.read_text(encoding="utf-8"), json.loads(TARGET.read_text()))
    except DataError as fault:
        print(fault, file=sys.stderr)
        return 1
    partial = PAGE.with_name(".explain.md.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, PAGE)
    return 0


def rewritten(page: str, results: Mapping[str, Any]) -> str:
    """The page with fresh tables between its markers.

    Raises:
        DataError: a marker is missing.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise DataError(f"docs/explain.md must hold {BEGIN} and {END} once each.")
    before, rest = page.split(BEGIN)
    parts = [section(name, figures) for name, figures in results.items()]
    return f"{before}{BEGIN}\n" + "\n\n".join(parts) + f"\n{END}{rest.split(END)[1]}"


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


if __name__ == "__main__":
    raise SystemExit(main())
