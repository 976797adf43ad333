"""Published sizes of healthy nerves and diagnostic cut-offs, each with its source: evidence beside a verdict.

The sources disagree, and no number decides alone. Rows come from two tables of the literature that ship with
the program; what is known of a row's limits stands in :data:`KINDS` and in ``secondary``.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent

RANGE, POOLED_CI, POOLED, LIMIT = (
    "reference range",
    "95% CI of pooled mean",
    "pooled mean",
    "upper limit of normal",
)
KINDS = {
    RANGE: "range of healthy people",
    LIMIT: "upper limit used in practice",
    POOLED_CI: "average of healthy people, with the 95 % interval of that average; no limit",
    POOLED: "average of healthy people; no limit",
}
"""What the figures of a row mean, in words."""

SECONDARY = ("secondary", "MUR study", "medifind", "radiologykey", "Practical Neurology")
"""Signs of sources that quote others: context, on which nothing may rest."""


@dataclass(frozen=True)
class Norm:
    """The cross-sectional area of one healthy nerve at one site, by one source.

    Attributes:
        nerve, site: as the source has them.
        kind: of ``KINDS``.
        mean, sd: mm², None where not given.
        low, high: mm², ends of the range or interval; ``high`` alone for a limit.
        n: how many people, as the source says it; empty where not given.
        population: who they were.
        source: the paper.
    """

    nerve: str
    site: str
    kind: str
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    n: str
    population: str
    source: str

    @property
    def secondary(self) -> bool:
        """Whether the source quotes others."""
        return is_secondary(self.source)

    def z(self, area_mm2: float) -> float | None:
        """Standard deviations from the mean; None where the source gives none of healthy people."""
        if self.kind != RANGE or self.mean is None or not self.sd:
            return None
        return (area_mm2 - self.mean) / self.sd

    def said_of(self, area_mm2: float) -> str:
        """What the source says of an area, in words that decide nothing."""
        if self.kind == RANGE and self.low is not None and self.high is not None:
            place = "below" if area_mm2 < self.low else "above" if area_mm2 > self.high else "within"
            return f"{place} the range of {self.low:g} to {self.high:g} mm²"
        if self.kind == LIMIT and self.high is not None:
            return f"{'above' if area_mm2 > self.high else 'not above'} the limit of {self.high:g} mm²"
        return f"average {self.mean:g} mm²; says nothing of limits"


@dataclass(frozen=True)
class CutOff:
    """A published diagnostic rule.

    Attributes:
        condition: what it is for.
        site, parameter: what is measured, and where.
        operator, threshold, unit: the rule as published.
        sensitivity, specificity: per cent as published; empty where not given.
        note: how it was found.
        source: the paper.
    """

    condition: str
    site: str
    parameter: str
    operator: str
    threshold: str
    unit: str
    sensitivity: str
    specificity: str
    note: str
    source: str

    @property
    def secondary(self) -> bool:
        """Whether the source quotes others."""
        return is_secondary(self.source)

    @property
    def rule(self) -> str:
        """The rule on one line."""
        unit = {"mm2": " mm²", "mm": " mm"}.get(self.unit, "")
        return f"{self.parameter} {self.operator} {self.threshold}{unit}".replace("  ", " ").strip()


def is_secondary(source: str) -> bool:
    """Whether a source quotes others."""
    return any(sign.lower() in source.lower() for sign in SECONDARY)


@cache
def norms() -> tuple[Norm, ...]:
    """Every row of the table of sizes."""
    with (HERE / "reference_values.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            Norm(
                row["nerve"],
                row["site"],
                row["range_kind"],
                *(_number(row[name]) for name in ("mean_mm2", "sd_mm2", "low_mm2", "high_mm2")),
                row["n"],
                row["population"],
                row["source"],
            )
            for row in csv.DictReader(file)
        )


CUT_OFF_COLUMNS = {field.name: field.name for field in fields(CutOff)} | {
    "sensitivity": "sensitivity_pct",
    "specificity": "specificity_pct",
    "note": "design_or_note",
}
"""Column of the table by field."""


@cache
def cut_offs() -> tuple[CutOff, ...]:
    """Every row of the table of rules."""
    with (HERE / "cutoffs.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            CutOff(**{name: row[column] for name, column in CUT_OFF_COLUMNS.items()})
            for row in csv.DictReader(file)
        )


CONDITIONS = {
    ("median", "wrist"): ("carpal tunnel",),
    ("median", "carpal tunnel inlet"): ("carpal tunnel",),
    ("median", "carpal tunnel outlet"): ("carpal tunnel",),
    ("ulnar", "elbow"): ("ulnar neuropathy",),
    ("ulnar", "medial epicondyle"): ("ulnar neuropathy",),
    ("ulnar", "sulcus (elbow)"): ("ulnar neuropathy",),
    ("ulnar", "2 cm proximal to medial epicondyle"): ("ulnar neuropathy",),
    ("ulnar", "cubital tunnel outlet"): ("ulnar neuropathy",),
    ("tibial", "ankle"): ("tarsal tunnel",),
    ("tibial", "medial malleolus"): ("tarsal tunnel",),
    ("fibular", "fibular head"): ("fibular neuropathy",),
}
"""Words in the conditions of the rules that concern a nerve at a site."""


def nerves() -> list[str]:
    """Nerves that have a published size, in alphabetical order."""
    return sorted({norm.nerve for norm in norms()})


def sites(nerve: str) -> list[str]:
    """Sites at which a nerve has a published size, those with most sources first."""
    own = [norm.site for norm in norms() if norm.nerve == nerve]
    return sorted(set(own), key=lambda site: (-own.count(site), site))


def norms_of(nerve: str, site: str) -> list[Norm]:
    """Sizes of a nerve at a site: ranges first, then limits, then averages; quoting sources last in each."""
    order = list(KINDS)
    found = [norm for norm in norms() if (norm.nerve, norm.site) == (nerve, site)]
    return sorted(found, key=lambda norm: (order.index(norm.kind), norm.secondary))


def rules_of(nerve: str, site: str) -> list[CutOff]:
    """Rules that concern a nerve at a site."""
    words = CONDITIONS.get((nerve, site), ())
    return [rule for rule in cut_offs() if any(word in rule.condition for word in words)]


def disagreement(found: Sequence[Norm]) -> str | None:
    """A sentence where one source calls average what another calls too large, else None."""
    averages = [norm for norm in found if norm.mean is not None]
    limits = [norm for norm in found if norm.kind in (LIMIT, RANGE) and norm.high is not None]
    for limit in sorted(limits, key=lambda norm: norm.high):
        for average in averages:
            if average.mean > limit.high:
                return (
                    f"The sources disagree: the average of {average.source} ({average.mean:g} mm²) is above "
                    f"the limit of {limit.source} ({limit.high:g} mm²)."
                )
    return None


def _number(text: str) -> float | None:
    return float(text) if text else None
