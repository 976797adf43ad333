"""What stands first in the worklist, and why."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerve_core.clinical.norms import norms_of
from nerve_core.inference.prediction import verdict_of
from nerve_core.records.errors import RecordsError
from nerve_core.records.urgency import ALERT, Alert, alerts_from, as_json, urgency_of, usual_limit

CHANCE = st.floats(0, 1)
AREA = st.none() | st.floats(0.1, 100)


def level(*about: object, alerts: tuple[Alert, ...] = ()) -> int:
    return int(urgency_of(*about, alerts=alerts)[0])


def test_the_levels_are_those_of_the_table() -> None:
    limit = usual_limit("median", "wrist")
    large, small = limit + 1, limit - 1
    place = ("median", "wrist")
    assert level(*place, "affected", 0.9, large) == 4
    assert level(*place, "affected", 0.9, small) == level(*place, "affected", 0.9, None) == 3
    assert level(*place, "unaffected", 0.1, large) == 2
    for word, p in (("uncertain", 0.5), ("no nerve found", None), ("not assessable", None), (None, None)):
        assert level(*place, word, p, small) == 1
    assert level(*place, "unaffected", 0.1, small) == 0
    assert level("", "", "unaffected", 0.1, 1000.0) == 0  # no nerve named: no norm


def test_a_norm_is_the_median_of_those_who_measured() -> None:
    own = [
        norm.high
        for norm in norms_of("median", "wrist")
        if norm.kind in ("reference range", "upper limit of normal") and norm.high and not norm.secondary
    ]
    assert usual_limit("median", "wrist") == median(own)
    assert usual_limit("median", "nowhere") is None


@given(CHANCE, AREA, st.floats(0, 0.99))
def test_a_sounding_alert_stands_above_everything_else(p: float, area: float | None, limit: float) -> None:
    alert = Alert("any", p_above=limit)
    urgency, reasons = urgency_of("median", "wrist", verdict_of(p), p, area, [alert])
    assert (urgency >= ALERT) == (p > limit) == ("alert: any" in reasons)
    assert 0 <= urgency < ALERT + 1


@given(CHANCE, CHANCE, AREA)
def test_the_likelier_is_never_behind_within_a_verdict(one: float, two: float, area: float | None) -> None:
    low, high = sorted((one, two))
    if verdict_of(low) == verdict_of(high):
        urgencies = [urgency_of("median", "wrist", verdict_of(p), p, area)[0] for p in (low, high)]
        assert urgencies[0] <= urgencies[1]


def test_an_unknown_area_sounds_no_alert_of_areas() -> None:
    alert = Alert("large", "median", "wrist", area_above_mm2=12.0)
    assert alert.sounds("median", "wrist", 12.1, None)
    assert not alert.sounds("median", "wrist", None, 0.9) and not alert.sounds("median", "wrist", 12.0, 0.9)
    assert not alert.sounds("ulnar", "wrist", 50.0, 0.9) and not alert.sounds("median", "elbow", 50.0, 0.9)


def test_alerts_are_kept_as_json() -> None:
    alerts = (Alert("a", "median", area_above_mm2=12.0), Alert("b", p_above=0.9))
    assert alerts_from(as_json(alerts)) == alerts and alerts_from(None) == ()
    with pytest.raises(RecordsError, match="form"):
        alerts_from([{"name": "c", "colour": "red"}])
