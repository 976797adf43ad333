"""Write docs/trust.md from ``benchmarks/results/trust.json``.

python -m benchmarks.trust_table
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.readme_tables import number, rate, table
from benchmarks.scope import TARGET
from nerve_core.config import ROOT

PAGE = ROOT / "docs" / "trust.md"

HEAD = """# How far the answers can be trusted

Written by `python -m benchmarks.trust_table` from `benchmarks/results/trust.json`. Whatever is fitted is
fitted to training or validation groups; the figures are of test groups, with 95 % intervals by patient or
scan group. Affected nerves carry simulated pathology; no diagnosed patient was ever among them. Research use
only, not a medical device.
"""

KINDS = {
    "art": "drawings, maps", "ct": "CT", "drawn": "documents, plots, menus, noise", "mr": "MR",
    "nm": "nuclear medicine", "photo": "photographs", "sci": "microscopy and other science",
    "screen": "screenshots", "xray": "X-ray, projected from CT and MR", "all": "all",
}  # fmt: skip


def main() -> int:
    """Write the page, whole or not at all."""
    if not TARGET.exists():
        print("Nothing is measured yet; run python -m benchmarks.trust first.", file=sys.stderr)
        return 1
    text = page(json.loads(TARGET.read_text()))
    partial = PAGE.with_name(".trust.md.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, PAGE)
    return 0


def page(results: Mapping[str, Any]) -> str:
    """The whole page."""
    parts = [HEAD]
    for name, figures in results.items():
        parts.append(f"## Weights `{name}` {figures['version']}\n")
        if "scope" in figures:
            parts.append(gate(figures["scope"]))
        if "conformal" in figures:
            parts += [conformal(figures), contours(figures)]
    return "\n".join(parts)


def gate(found: Mapping[str, Any]) -> str:
    """What the learned gate and the quality checks refuse."""
    fitted = found["fitted"]
    rows = [(f"scans of nerves: {name}", count(each), rate(each)) for name, each in found["scans"].items()]
    recordings = found["muscle_recordings"]
    rows += [
        ("ultrasound of muscle, recording not seen", count(found["muscle"]), rate(found["muscle"])),
        (
            "the same by a gate that knows no muscle",
            count(found["muscle_as_unknown"]),
            rate(found["muscle_as_unknown"]),
        ),
    ]
    rows += [
        (f"no ultrasound: {KINDS.get(kind, kind)}", count(each), rate(each))
        for kind, each in found["not_ultrasound"].items()
    ]
    return (
        "### What is refused\n\n"
        "Share refused, or answered *no nerve found* because the picture is out of scope. Pictures "
        "that are no "
        "ultrasound are judged in grey (the reader refuses most colours before) and come from other sources "
        f"than the {sum(fitted['pictures'].values())} it was fitted to. Of the muscle recordings "
        f"{recordings['refused']} of {recordings['of']} were refused in at least half of their frames.\n\n"
        + table(("picture", "pictures (groups)", "refused"), rows)
        + "\n\nThe gate cannot tell another organ from another machine: scans of nerves by a machine in none "
        "of the sets are often answered *no nerve found* until the user points at the nerve, and are judged "
        "then. How many directions it keeps, its regularisation and the limits of blur and shadow were set "
        "with figures of all groups in view, so expect somewhat less on scans of your own.\n"
    )


def conformal(figures: Mapping[str, Any]) -> str:
    """Promise and measurement of the verdict's sets."""
    rows = [
        (
            f"{each['promised']:.0%}" + (" (in force)" if each["promised"] == figures["level"] else ""),
            rate(each["coverage"]),
            rate(each["coverage_affected"]),
            rate(each["coverage_unaffected"]),
            rate(each["abstained"]),
            rate(each["errors_answered"]),
        )
        for each in figures["conformal"]
    ]
    first, clear = figures["conformal"][0], figures["conformal_clear"]
    return (
        "### Verdicts with a promise\n\n"
        f"Split-conformal sets by label, calibrated by group on validation scans; "
        f"{first['coverage']['n']} test "
        f"nerves of {first['coverage']['groups']} groups: originals, shams and simulated pathology of "
        f"severity "
        "0.3 to 1. *Uncertain* is a set of both labels or none. Answering all at a probability of 0.5, "
        f"{rate(first['errors_all'])} are wrong. Of originals, shams and clear cases alone (severity "
        f"from 0.5), "
        f"{rate(clear['errors_all'])} are wrong when all are answered, and "
        f"{rate(clear['errors_answered'])} of "
        f"those answered at the level in force, with {rate(clear['abstained'])} left uncertain.\n\n"
        + table(
            (
                "promised",
                "truth in the set",
                "of affected",
                "of unaffected",
                "uncertain",
                "wrong when answered",
            ),
            rows,
        )
        + "\n"
    )


def contours(figures: Mapping[str, Any]) -> str:
    """Expected Dice and intervals of the area."""
    rows = [
        (
            name,
            f"{each['n']} ({each['groups']})",
            ranged(each["spearman"], each["spearman_ci95"]),
            number(each["error"]),
            number(each["dice_all"]),
            number(each["dice_kept"]),
        )
        for name, each in figures["expected_dice"].items()
    ]
    area = figures["area"]
    head = (
        "set",
        "scans (groups)",
        "rank correlation",
        "mean error",
        "Dice",
        "without the worst-rated tenth",
    )
    return (
        "### Expected Dice\n\nWhat the map and six looks at the scan say of the outline's quality, "
        "against its "
        "true Dice.\n\n" + table(head, rows) + "\n\n### Interval of the area\n\n"
        f"Promised to hold the true area {area['promised']:.0%} of the time; it did "
        f"{rate(area['coverage'])} on "
        f"{area['coverage']['n']} nerves. Half of the intervals reach from the area drawn divided by "
        f"{number(area['median_factor'])} to that times {number(area['median_factor'])} or less.\n"
    )


def count(found: Mapping[str, Any]) -> str:
    return f"{found['n']} ({found['groups']})"


def ranged(value: float, ends: list[float] | None) -> str:
    """A figure with its interval."""
    return number(value) if ends is None else f"{number(value)} ({number(ends[0])}–{number(ends[1])})"


if __name__ == "__main__":
    sys.exit(main())
