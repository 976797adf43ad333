"""Tables of a checkpoint's ``metrics.json``, in words a clinician reads; a figure not measured is a dash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MISSING = "–"

Figures = Mapping[str, Any]


def outlines(metrics: Figures) -> str | None:
    """Dice a scan set, without and with a click, and of weights that never saw the set."""
    left_out = metrics.get("leave_one_set_out") or {}
    rows = []
    for name, each in (metrics.get("contours") or {}).items():
        unseen = left_out.get(name) or {}
        count = f"{each.get('n', MISSING)} ({each.get('groups', MISSING)})"
        rows.append((name, count, *map(_dice, (each, each.get("click"), unseen, unseen.get("click")))))
    head = (
        "Scan set",
        "Scans (groups)",
        "No click",
        "One click",
        "Set never seen",
        "Set never seen, one click",
    )
    return table(head, rows)


def verdicts(metrics: Figures) -> str | None:
    """How well clear simulated pathology is told from healthy nerves, a scan set."""
    rows = []
    for name, each in (metrics.get("verdict") or {}).items():
        clear = each.get("headline") or {}
        if clear:
            rates = ("auc", "sensitivity", "specificity_originals", "specificity_shams")
            auc, *others = (_rate(clear.get(rate)) for rate in rates)
            rows.append(
                (
                    "all together" if name == "all" else name,
                    auc,
                    _number(clear.get("size_observer_auc")),
                    *others,
                )
            )
    head = (
        "Scan set",
        "AUC",
        "AUC of size alone",
        "Affected found",
        "Healthy right",
        "Controls right",
    )
    return table(head, rows)


def by_severity(metrics: Figures) -> str | None:
    """How many affected nerves are found as the simulated pathology grows."""
    every = _everything(metrics).get("by_severity") or []
    rows = [(f"{_number(each['from'])} to {_number(each['to'])}", *_found(each)) for each in every]
    return table(("Severity (0.3 mildest, 1 gross)", "AUC", "Affected found"), rows)


def by_kind(metrics: Figures) -> str | None:
    """The same for each kind of simulated pathology, clear cases."""
    every = _everything(metrics).get("by_kind") or {}
    return table(
        ("Kind, clear cases", "AUC", "Affected found"),
        [(name.replace("_", " "), *_found(each)) for name, each in every.items()],
    )


def speed(metrics: Figures) -> str | None:
    """One sentence on time."""
    bench = metrics.get("bench") or {}
    if bench.get("path_ms") is None:
        return None
    return (
        f"From the bytes of a 512 × 512 px PNG to the verdict: {bench['path_ms']:.0f} ms on "
        f"{bench.get('device', MISSING)} with {bench.get('threads', MISSING)} threads."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """A Markdown table, all columns but the first right-aligned; None without rows."""
    if not rows:
        return None
    lines = [head, (":--", *["--:"] * (len(head) - 1)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _everything(metrics: Figures) -> Figures:
    return (metrics.get("verdict") or {}).get("all") or {}


def _found(each: Figures) -> tuple[str, str]:
    return _rate(each.get("auc")), _rate(each.get("sensitivity"))


def _dice(each: Figures | None) -> str:
    return _interval((each or {}).get("dice_mean"), (each or {}).get("dice_ci95"))


def _rate(each: Figures | None) -> str:
    return _interval((each or {}).get("value"), (each or {}).get("ci95"))


def _interval(value: float | None, ci95: Sequence[float] | None) -> str:
    if value is None or not ci95:
        return _number(value)
    return f"{_number(value)} ({_number(ci95[0])}–{_number(ci95[1])})"


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"
