"""Which methods no other beats."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nerve_core.ui.compare_pareto import COSTS, front, values_of


def test_known_front():
    cost = [10.0, 5.0, 20.0, 5.0, None, 30.0, 1.0]
    gain = [0.7, 0.5, 0.7, 0.6, 0.99, 0.9, float("nan")]
    assert front(cost, gain) == [3, 0, 5]


def test_of_equal_points_one_stays():
    assert front([1.0, 1.0], [0.5, 0.5]) == [0]


values = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=12)


@given(values)
def test_what_is_left_out_is_beaten_or_equalled_and_what_stays_is_not(points):
    cost, gain = zip(*points, strict=True)
    kept = front(cost, gain)
    assert kept
    for i, (c, g) in enumerate(points):
        better = [(x, y) for x, y in points if x <= c and y >= g and (x, y) != (c, g)]
        assert not better if i in kept else better or (c, g) in [points[k] for k in kept]


def test_costs_are_those_of_the_network_or_of_the_scan():
    lines = [{"method": "unet (128 px)", "ms": 50.0}, {"method": "otsu", "ms": None}]
    costs = {"unet": {"macs": 2.5e9}}
    assert values_of(lines, costs, COSTS["Operations"]) == [2.5, None]
    assert values_of(lines, costs, COSTS["Time a scan"]) == [50.0, None]
