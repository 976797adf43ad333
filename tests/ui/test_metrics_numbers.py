"""Figures at a threshold, curves and calibration against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.evaluation.verdicts import verdict_figures
from nerve_core.ui.metrics_numbers import (
    Cases,
    at_threshold,
    cases_of,
    mean_of_sets,
    precision_recall,
    ranking,
    reliability,
    roc,
)

NAN = float("nan")


def cases(p: list[float], labels: list[int], groups: list[str] | None = None) -> Cases:
    names = groups or [str(number) for number in range(len(p))]
    return Cases(np.array(p), np.array(labels), np.array(names), np.zeros(len(p), bool))


HAND = cases([0.9, 0.6, 0.3, NAN, 0.8, 0.2, 0.1, NAN], [1, 1, 1, 1, 0, 0, 0, 0])


def test_counts_at_a_threshold():
    point = at_threshold(HAND, 0.5)
    assert point.counts == {
        ("affected", "affected"): 2,
        ("affected", "unaffected"): 1,
        ("affected", "no nerve"): 1,
        ("unaffected", "affected"): 1,
        ("unaffected", "unaffected"): 2,
        ("unaffected", "no nerve"): 1,
    }
    figures = point.figures
    assert (figures["accuracy"], figures["recall"], figures["specificity"]) == (0.5, 0.5, 0.5)
    assert figures["precision"] == 0.5 and figures["f1"] == 0.5  # a healthy image without a nerve is an alarm
    higher = at_threshold(HAND, 0.85)
    assert higher.figures["recall"] == 0.25 and higher.figures["specificity"] == 0.75


def test_precision_is_unknown_where_nothing_is_called():
    figures = at_threshold(cases([0.1, 0.2], [1, 0]), 0.5).figures
    assert figures["precision"] is None and figures["precision_ci95"] is None and figures["recall"] == 0


def test_at_one_half_it_is_what_evaluate_prints():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 80)
    p = np.where(rng.random(80) < 0.05, np.nan, np.clip(0.3 * labels + 0.7 * rng.random(80), 0, 1))
    groups = [f"g{number // 4}" for number in range(80)]
    ours = at_threshold(cases(p.tolist(), labels.tolist(), groups), 0.5).figures
    known = [None if np.isnan(value) else float(value) for value in p]
    theirs = verdict_figures(labels.tolist(), known, groups, [False] * 80)
    for name in ("accuracy", "precision", "recall", "specificity", "f1"):
        assert ours[name] == pytest.approx(theirs[name])
        if f"{name}_ci95" in theirs:
            assert ours[f"{name}_ci95"] == pytest.approx(theirs[f"{name}_ci95"], abs=1e-6)
    assert ranking(cases(p.tolist(), labels.tolist(), groups)) == (
        pytest.approx(theirs["auc"]),
        pytest.approx(theirs["auc_ci95"]),
    )
    assert ranking(cases([0.2, 0.3], [1, 1])) == (None, None)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.05, 0.2, 0.4, 0.5, 0.7, 0.95, NAN]), st.integers(0, 1)),
        min_size=2,
        max_size=30,
    ),
    st.sampled_from([0.2, 0.45, 0.5, 0.7]),
)
def test_the_operating_point_lies_on_the_curves(pairs: list[tuple[float, int]], threshold: float):
    found = cases([p for p, _ in pairs], [label for _, label in pairs])
    if not found.both:
        return
    point = at_threshold(found, threshold).figures
    alarms, hits = roc(found)
    # The curve is joined by straight lines, and keeps its corners alone.
    x, y = 1 - point["specificity"], point["recall"]
    on_a_piece = [
        abs((b0 - a0) * (y - c0) - (x - a0) * (d0 - c0)) < 1e-9
        and min(a0, b0) - 1e-9 <= x <= max(a0, b0) + 1e-9
        and min(c0, d0) - 1e-9 <= y <= max(c0, d0) + 1e-9
        for a0, b0, c0, d0 in zip(alarms[:-1], alarms[1:], hits[:-1], hits[1:], strict=True)
    ]
    assert any(on_a_piece)
    if point["precision"] is not None:
        recall, precision = precision_recall(found)
        assert np.isclose(np.hypot(recall - point["recall"], precision - point["precision"]), 0).any()


def test_calibration_bins():
    found = cases([0.05, 0.15, 0.15, 0.95, 1.0, NAN], [0, 1, 0, 1, 1, 1], ["a", "a", "b", "a", "b", "c"])
    low, next_, last = reliability(found)
    assert (low.predicted, low.observed, low.n, low.groups, low.ci95) == (0.05, 0.0, 1, 1, None)
    assert (next_.predicted, next_.observed, next_.n) == (pytest.approx(0.15), 0.5, 2)
    assert next_.ci95 == [0.0, 1.0]  # of two groups, either may be drawn twice
    assert (last.predicted, last.observed, last.groups) == (pytest.approx(0.975), 1.0, 2)


def test_severity_and_shams_choose_the_cases():
    frame = pd.DataFrame(
        {
            "label": [0.0, 0.0, 1.0, 1.0, NAN],
            "sham": [0.0, 1.0, 0.0, 0.0, 0.0],
            "severity": np.array([0, 0, 0.3, 0.7, 0.9], np.float32),
            "p_affected": [0.1, 0.6, 0.5, 0.9, 0.5],
            "group": list("aabbc"),
        }
    )
    assert cases_of(frame, 0.5, True).p.tolist() == [0.1, 0.6, 0.9]
    assert cases_of(frame, 0.5, False).p.tolist() == [0.1, 0.9]
    assert cases_of(frame, 0.3, True).labels.tolist() == [0, 0, 1, 1]
    assert cases_of(frame, 0.7, True).labels.tolist() == [0, 0, 1]  # stored in single precision


def test_every_set_weighs_alike():
    frame = pd.DataFrame({"set": list("aaab"), "group": list("wxyz"), "dice": [0.2, 0.4, 0.6, 0.8]})
    found = mean_of_sets(frame, "dice")
    assert found["dice"] == pytest.approx(0.6) and (found["n"], found["groups"]) == (4, 4)
    assert mean_of_sets(frame, "click_dice") is None
