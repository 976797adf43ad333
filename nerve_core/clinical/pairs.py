"""Ratios and differences of two nerve areas, beside the published rules that use them.

A rule is offered only for the nerves and sites at which it was found. Its figures stand in the same table as
the rules for one area (``cutoffs.csv``); here it is said which two areas it compares, in whom it was found
where the paper says so, and what else is known that limits it. No rule decides a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import hypot

from nerve_core.clinical.measure import REPEATABLE_MM2
from nerve_core.clinical.norms import CutOff, cut_offs, sites

RATIO, DIFFERENCE = "ratio", "difference"
LEFT, RIGHT = "left", "right"

WRIST = ("carpal tunnel inlet", "wrist")
FOREARM = ("forearm", "mid-forearm")
ELBOW = (
    "maximal swelling at the elbow",
    "elbow",
    "medial epicondyle",
    "sulcus (elbow)",
    "2 cm proximal to medial epicondyle",
    "cubital tunnel outlet",
)
TARSAL = ("tarsal tunnel", "ankle", "medial malleolus")

MORE_SITES = {
    "median": ("pronator quadratus",),
    "ulnar": ("maximal swelling at the elbow",),
    "tibial": ("tarsal tunnel", "10 cm above the tarsal tunnel"),
}
"""Sites that a rule asks for and no table of sizes has."""


@dataclass(frozen=True)
class Place:
    """A nerve at any of some sites that count as the same for a rule."""

    nerve: str
    sites: tuple[str, ...]

    @property
    def said(self) -> str:
        return f"{self.nerve} nerve, {self.sites[0]}"


@dataclass(frozen=True)
class PairRule:
    """A published rule over two areas.

    Attributes:
        name: what is computed, in words.
        kind: ``ratio`` (first / second) or ``difference`` (first - second, mm²).
        first, second: where the two areas are measured.
        sides: ``same`` arm or leg, or ``other``: the symptomatic side first, then the healthy one.
        population: in whom it was found; ``not given`` where our sources do not say.
        beside: what else is known that limits the rule; empty where nothing.
        cut_off: the rule as published.
    """

    name: str
    kind: str
    first: Place
    second: Place
    sides: str
    population: str
    beside: str
    cut_off: CutOff

    @property
    def limit(self) -> float:
        return float(self.cut_off.threshold)

    @property
    def unit(self) -> str:
        return "mm²" if self.kind == DIFFERENCE else ""

    @property
    def rule(self) -> str:
        """The rule on one line."""
        sign = {">=": "≥"}.get(self.cut_off.operator, self.cut_off.operator)
        return f"{self.name} {sign} {self.cut_off.threshold} {self.unit}".strip()

    def meets(self, value: float) -> bool:
        """Whether a value fulfils the rule as published."""
        return value >= self.limit if self.cut_off.operator == ">=" else value > self.limit


@dataclass(frozen=True)
class Sized:
    """One measured nerve of one scan.

    Attributes:
        nerve, site: as in the tables.
        side: ``left``, ``right`` or empty where not said.
        area: in ``unit`` squared.
        unit: ``mm`` where the scale is known, else ``px``.
        picture: (height, width) of the scan, px.
    """

    nerve: str
    site: str
    side: str
    area: float
    unit: str
    picture: tuple[int, int]


@dataclass(frozen=True)
class Compared:
    """What came of one rule.

    Attributes:
        rule: the rule.
        first, second: the two nerves in the rule's order.
        value: ratio, or difference in mm²; None where it cannot be computed.
        doubt: how far the value may be off when either area is off by what two readers of one scan differ
            by, in the unit of the value; None without a millimetre scale.
        why_not: a sentence where there is no value, else empty.
    """

    rule: PairRule
    first: Sized
    second: Sized
    value: float | None
    doubt: float | None
    why_not: str = ""

    @property
    def near(self) -> bool:
        """Whether the value is nearer to the cut-off than it can be measured."""
        return (
            self.value is not None
            and self.doubt is not None
            and abs(self.value - self.rule.limit) < self.doubt
        )

    def said(self) -> str:
        """The value beside the cut-off in one sentence that decides nothing."""
        if self.value is None:
            return self.why_not
        shown = f"{self.value:.1f} mm²" if self.rule.kind == DIFFERENCE else f"{self.value:.2f}"
        give = "" if self.doubt is None else f" (± {self.doubt:.1f})"
        met = "met" if self.rule.meets(self.value) else "not met"
        close = "; it is nearer to the cut-off than two readers agree" if self.near else ""
        return f"{_capital(self.rule.name)} {shown}{give}: the rule {self.rule.rule} is {met}{close}."


_BAE = (
    "A ratio of 1.4 is often quoted, but healthy Asian adults average 1.57 with an upper limit of 2.4 "
    "(Bae 2021 PMC8104199)."
)
_SWELLING = "Found where the nerve is thickest around the elbow: measure there."

_PAIRINGS: dict[tuple[str, str], tuple[str, str, Place, Place, str, str, str]] = {
    ("inlet minus pronator quadratus", "delta CSA"): (
        "inlet minus pronator quadratus",
        DIFFERENCE,
        Place("median", WRIST),
        Place("median", ("pronator quadratus",)),
        "same",
        "100 wrists of 68 patients, 93 wrists of 58 healthy volunteers",
        "Patients and healthy volunteers were chosen apart, so expect less in everyday patients.",
    ),
    ("inlet/forearm", "WFR"): (
        "wrist-to-forearm ratio",
        RATIO,
        Place("median", WRIST),
        Place("median", FOREARM),
        "same",
        "not given",
        f"Tells severe from milder carpal tunnel syndrome, not carpal tunnel syndrome from health. {_BAE}",
    ),
    ("pisiform/Guyon", "median/ulnar CSA ratio"): (
        "median-to-ulnar ratio",
        RATIO,
        Place("median", WRIST),
        Place("ulnar", ("Guyon canal", "wrist")),
        "same",
        "50 patients, 62 controls",
        "The paper found the area of the median nerve alone to be of more use than this ratio.",
    ),
    ("maximal swelling / forearm", "CSA ratio"): (
        "elbow-to-forearm ratio",
        RATIO,
        Place("ulnar", ELBOW),
        Place("ulnar", FOREARM),
        "same",
        "not given",
        _SWELLING,
    ),
    ("maximal swelling / Guyon", "CSA ratio"): (
        "elbow-to-Guyon ratio",
        RATIO,
        Place("ulnar", ELBOW),
        Place("ulnar", ("Guyon canal", "wrist")),
        "same",
        "not given",
        _SWELLING,
    ),
    ("tarsal tunnel minus proximal", "delta CSA"): (
        "tarsal tunnel minus 10 cm above",
        DIFFERENCE,
        Place("tibial", TARSAL),
        Place("tibial", ("10 cm above the tarsal tunnel",)),
        "same",
        "27 feet of 23 patients, 21 healthy adults",
        "Patients and healthy adults were chosen apart, so expect less in everyday patients.",
    ),
    ("fibular head", "side difference"): (
        "side-to-side difference",
        DIFFERENCE,
        Place("fibular", ("fibular head",)),
        Place("fibular", ("fibular head",)),
        "other",
        "20 patients, 30 healthy controls",
        "",
    ),
    ("fibular head", "side ratio"): (
        "side-to-side ratio",
        RATIO,
        Place("fibular", ("fibular head",)),
        Place("fibular", ("fibular head",)),
        "other",
        "20 patients, 30 healthy controls",
        "",
    ),
}
"""How a row of the table, by site and parameter, is computed; populations from the papers' abstracts."""


@cache
def pair_rules() -> tuple[PairRule, ...]:
    """Every published rule over two areas."""
    return tuple(
        PairRule(*_PAIRINGS[row.site, row.parameter], cut_off=row)
        for row in cut_offs()
        if (row.site, row.parameter) in _PAIRINGS
    )


def nerves() -> list[str]:
    """Nerves for which there is a rule over two areas, in alphabetical order."""
    return sorted({place.nerve for rule in pair_rules() for place in (rule.first, rule.second)})


def sites_of(nerve: str) -> list[str]:
    """Sites of a nerve to choose from: those of a rule first, then those with a published size."""
    asked = [
        site
        for rule in pair_rules()
        for place in (rule.first, rule.second)
        if place.nerve == nerve
        for site in place.sites
    ]
    known = {*sites(nerve), *MORE_SITES.get(nerve, ())}
    return list(dict.fromkeys([site for site in asked if site in known] + sites(nerve)))


def compare(one: Sized, other: Sized, same_scale: bool = False) -> list[Compared]:
    """Every rule that fits two nerves, in whichever order it asks for them.

    Args:
        one, other: for rules that compare sides, ``one`` is on the symptomatic side.
        same_scale: whether the user states that both pictures were taken at the same scale; counts only for
            two scans without a millimetre scale.
    """
    found = []
    for rule in pair_rules():
        for first, second in ((one, other), (other, one))[: 1 if rule.sides == "other" else 2]:
            if _fits(rule.first, first) and _fits(rule.second, second):
                found.append(_computed(rule, first, second, same_scale))
                break
    return found


def none_fits(one: Sized, other: Sized) -> str:
    """What to say where no rule fits two nerves: which pairs there are for them."""
    theirs = [
        rule for rule in pair_rules() if {rule.first.nerve, rule.second.nerve} & {one.nerve, other.nerve}
    ]
    pairs = "; ".join(dict.fromkeys(f"{rule.first.said} with {_second(rule)}" for rule in theirs))
    said = f" Rules exist for: {pairs}." if pairs else ""
    return f"No published rule compares {_where(one)} with {_where(other)}.{said}"


def _fits(place: Place, sized: Sized) -> bool:
    return sized.nerve == place.nerve and sized.site in place.sites


def _computed(rule: PairRule, first: Sized, second: Sized, same_scale: bool) -> Compared:
    why_not = _why_not(rule, first, second, same_scale)
    if why_not:
        return Compared(rule, first, second, None, None, why_not)
    ratio = first.area / second.area
    value = ratio if rule.kind == RATIO else first.area - second.area
    doubt = None
    if first.unit == "mm":
        doubt = REPEATABLE_MM2 * (
            hypot(1, 1) if rule.kind == DIFFERENCE else ratio * hypot(1 / first.area, 1 / second.area)
        )
    return Compared(rule, first, second, value, doubt)


def _why_not(rule: PairRule, first: Sized, second: Sized, same_scale: bool) -> str:
    """A sentence where the value must not be computed, else empty."""
    name = _capital(rule.name)
    if rule.sides == "other" and not (first.side and second.side and first.side != second.side):
        return f"{name} compares the left with the right: say which side each scan shows."
    if rule.sides == "same" and first.side and second.side and first.side != second.side:
        sides = f"the {first.side} and the {second.side}"
        return f"{name} compares two places of one limb: these scans are of {sides}."
    if first.unit == second.unit == "mm":
        return ""
    if rule.kind == DIFFERENCE:
        return f"{name} is in mm²: set the scale of both scans first."
    if first.unit != second.unit:
        return f"{name} needs the scale of both scans: one is in mm, the other states none. Set its scale."
    if first.picture != second.picture:
        return f"{name} needs the scale of both scans: they state none, and their pictures differ in size."
    if not same_scale:
        return (
            f"{name} needs the scale of both scans, or your word that both were taken at the same scale "
            "(same machine, same depth)."
        )
    return ""


def _where(sized: Sized) -> str:
    return f"{sized.nerve} nerve, {sized.site}"


def _second(rule: PairRule) -> str:
    return "the other side" if rule.sides == "other" else rule.second.said


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
