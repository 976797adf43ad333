"""Every published rule over two areas is known, fits only where it was found, and never says too much."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest

from nerve_core.clinical import pairs
from nerve_core.clinical.next_steps import next_steps
from nerve_core.clinical.norms import cut_offs
from nerve_core.clinical.pairs import DIFFERENCE, RATIO, Sized, compare, none_fits, pair_rules, sites_of


def sized(nerve: str, site: str, area: float, side: str = "", unit: str = "mm") -> Sized:
    return Sized(nerve, site, side, area, unit, (480, 640))


def one(found: list[pairs.Compared], name: str) -> pairs.Compared:
    return next(each for each in found if each.rule.name == name)


def test_no_rule_of_the_table_over_two_areas_is_left_out() -> None:
    words = ("ratio", "delta", "WFR", "difference")
    two = [
        row
        for row in cut_offs()
        if any(word in row.parameter for word in words) and row.parameter != "flattening ratio"
    ]
    assert [rule.cut_off for rule in pair_rules()] == two and len(two) == 8
    assert not any(rule.cut_off.secondary for rule in pair_rules())
    for rule in pair_rules():
        assert rule.limit > 0 and rule.population and rule.cut_off.source
        assert rule.cut_off.sensitivity and rule.cut_off.specificity


@pytest.mark.parametrize(
    ("first", "second", "name", "value", "met"),
    [
        (("median", "wrist", 12.4), ("median", "forearm", 4.0), "wrist-to-forearm ratio", 3.1, True),
        (("median", "wrist", 12.0), ("median", "forearm", 4.0), "wrist-to-forearm ratio", 3.0, False),
        (
            ("median", "carpal tunnel inlet", 11.0), ("median", "pronator quadratus", 9.0),
            "inlet minus pronator quadratus", 2.0, True,
        ),
        (("ulnar", "elbow", 15.0), ("ulnar", "forearm", 6.0), "elbow-to-forearm ratio", 2.5, True),
        (("ulnar", "elbow", 9.0), ("ulnar", "Guyon canal", 5.0), "elbow-to-Guyon ratio", 1.8, False),
        (("median", "wrist", 9.0), ("ulnar", "Guyon canal", 5.0), "median-to-ulnar ratio", 1.8, True),
        (
            ("tibial", "ankle", 16.0), ("tibial", "10 cm above the tarsal tunnel", 10.0),
            "tarsal tunnel minus 10 cm above", 6.0, True,
        ),
    ],
)  # fmt: skip
def test_known_answers_in_whichever_order(first, second, name, value, met) -> None:
    for pair in ((first, second), (second, first)):
        found = one(compare(*(sized(*each) for each in pair)), name)
        assert found.value == pytest.approx(value) and found.rule.meets(found.value) is met
        assert (f"is {'met' if met else 'not met'}" in found.said()) and found.why_not == ""


def test_sides_are_compared_as_given() -> None:
    sick = sized("fibular", "fibular head", 14.0, "left")
    well = sized("fibular", "fibular head", 10.0, "right")
    found = compare(sick, well)
    assert one(found, "side-to-side difference").value == 4 and one(found, "side-to-side ratio").value == 1.4
    assert one(compare(well, sick), "side-to-side difference").value == -4
    for side in ("", "left"):
        same = compare(sick, replace(well, side=side))
        assert all(each.value is None and "which side" in each.said() for each in same)


def test_two_places_must_be_of_one_limb() -> None:
    wrist, forearm = sized("median", "wrist", 12, "left"), sized("median", "forearm", 6, "right")
    (found,) = compare(wrist, forearm)
    assert found.value is None and "left and the right" in found.said()
    assert compare(wrist, replace(forearm, side=""))[0].value == 2


def test_without_a_scale_only_ratios_and_only_on_the_users_word() -> None:
    wrist, forearm = (
        sized("median", site, area, unit="px") for site, area in (("wrist", 900), ("forearm", 450))
    )
    (asked,) = compare(wrist, forearm)
    assert asked.value is None and "same scale" in asked.said()
    (found,) = compare(wrist, forearm, same_scale=True)
    assert found.value == 2 and found.doubt is None and "±" not in found.said()
    (other,) = compare(wrist, replace(forearm, picture=(600, 800)), same_scale=True)
    assert other.value is None and "differ in size" in other.said()
    (mixed,) = compare(replace(wrist, unit="mm"), forearm, same_scale=True)
    assert mixed.value is None and "one is in mm" in mixed.said()
    (delta,) = compare(wrist, replace(forearm, site="pronator quadratus"), same_scale=True)
    assert delta.rule.kind == DIFFERENCE and delta.value is None and "in mm²" in delta.said()


def test_the_doubt_is_that_of_two_readers_and_a_near_value_says_so() -> None:
    found = one(
        compare(sized("median", "wrist", 11), sized("median", "pronator quadratus", 8.5)),
        "inlet minus pronator quadratus",
    )
    assert (
        found.doubt == pytest.approx(1.57 * sqrt(2))
        and found.near
        and "nearer to the cut-off" in found.said()
    )
    far = one(compare(sized("ulnar", "elbow", 30), sized("ulnar", "forearm", 6)), "elbow-to-forearm ratio")
    assert far.rule.kind == RATIO and far.doubt == pytest.approx(5 * 1.57 * sqrt(1 / 30**2 + 1 / 6**2))
    assert not far.near and "nearer" not in far.said()


def test_only_nerves_and_sites_that_match() -> None:
    arm, elbow = sized("median", "upper arm", 9), sized("ulnar", "elbow", 9)
    assert compare(arm, elbow) == []
    said = none_fits(arm, elbow)
    assert "median nerve, upper arm with ulnar nerve, elbow" in said and "pronator quadratus" in said
    assert "fibular" not in said
    assert none_fits(sized("sural", "calf/ankle", 2), sized("sural", "calf/ankle", 2)).endswith("calf/ankle.")


def test_every_place_of_a_rule_can_be_chosen() -> None:
    for rule in pair_rules():
        for place in (rule.first, rule.second):
            assert place.sites[0] in sites_of(place.nerve)
            assert len(sites_of(place.nerve)) == len(set(sites_of(place.nerve)))
    assert "1.57" in next(r for r in pair_rules() if r.name == "wrist-to-forearm ratio").beside


def test_next_steps_name_their_sources() -> None:
    assert len(next_steps("median", "wrist")) == 3 and len(next_steps("median", "forearm")) == 1
    for nerve, site in (
        ("median", "wrist"),
        ("ulnar", "elbow"),
        ("fibular", "fibular head"),
        ("tibial", "ankle"),
    ):
        steps = next_steps(nerve, site)
        assert len(steps) >= 2 and all(step.source and step.source in step.sentence for step in steps)
    assert next_steps("moon", "far side") == next_steps("median", "forearm")
