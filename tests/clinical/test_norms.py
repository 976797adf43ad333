"""The tables are read whole, and no source is made to say more than it does."""

from __future__ import annotations

import pytest

from nerve_core.clinical.norms import (
    KINDS,
    LIMIT,
    POOLED_CI,
    RANGE,
    cut_offs,
    disagreement,
    nerves,
    norms,
    norms_of,
    rules_of,
    sites,
)


def test_every_row_is_read() -> None:
    assert len(norms()) == 54 and len(cut_offs()) == 22
    assert {norm.kind for norm in norms()} == set(KINDS)
    assert all(norm.source and norm.nerve and norm.site for norm in norms())
    assert all(norm.mean is not None or norm.kind == LIMIT for norm in norms())


def test_z_of_a_reference_range_alone() -> None:
    found = {norm.kind: norm for norm in norms_of("median", "wrist")}
    assert list(found) == [RANGE, LIMIT, POOLED_CI]
    assert found[RANGE].z(9.33 + 2 * 1.55) == pytest.approx(2)
    assert found[POOLED_CI].z(12) is None and found[LIMIT].z(12) is None


def test_an_interval_of_an_average_is_no_limit() -> None:
    pooled = next(norm for norm in norms_of("median", "wrist") if norm.kind == POOLED_CI)
    assert pooled.said_of(30) == "average 8.3 mm²; says nothing of limits"


@pytest.mark.parametrize(("area", "said"), [(6.9, "below"), (7, "within"), (13, "within"), (13.1, "above")])
def test_the_range_holds_its_ends(area: float, said: str) -> None:
    (own,) = (norm for norm in norms_of("median", "wrist") if norm.kind == RANGE)
    assert own.said_of(area) == f"{said} the range of 7 to 13 mm²"


def test_limits_come_from_a_source_that_quotes_others() -> None:
    assert all(norm.secondary for norm in norms() if norm.kind == LIMIT)
    assert not any(norm.secondary for norm in norms() if norm.kind == RANGE)
    (limit,) = (norm for norm in norms_of("median", "wrist") if norm.kind == LIMIT)
    assert limit.said_of(11) == "not above the limit of 11 mm²"
    assert limit.said_of(11.2) == "above the limit of 11 mm²"


def test_sources_that_disagree_are_said_to() -> None:
    found = disagreement(norms_of("tibial", "popliteal fossa"))
    assert found is not None and "25.9" in found and "22" in found
    assert disagreement(norms_of("median", "forearm")) is None


def test_every_nerve_and_site_has_a_size() -> None:
    for nerve in nerves():
        for site in sites(nerve):
            assert norms_of(nerve, site)
    assert norms_of("median", "moon") == [] and rules_of("median", "moon") == []


def test_rules_of_the_carpal_tunnel() -> None:
    rules = rules_of("median", "wrist")
    assert {"carpal tunnel syndrome", "severe carpal tunnel syndrome"} == {rule.condition for rule in rules}
    first = rules[0]
    assert first.rule == "CSA fixed ULN > 11 mm²" and (first.sensitivity, first.specificity) == ("70", "")
    assert [rule.source for rule in rules if rule.secondary]
    assert {rule.condition for rule in rules_of("fibular", "fibular head")} == {"fibular neuropathy"}
