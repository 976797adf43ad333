import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from nerve_core.evaluation.bootstrap import auc_ci95, group_draws, mean_ci95, weighted_auc, weighted_mean


def test_images_of_one_group_are_drawn_together_and_as_many_groups_as_there_are():
    groups = ["a", "b", "a", "c", "b", "a"]
    draws = group_draws(groups, draws=200)
    assert draws.shape == (200, 6)
    assert (draws[:, 0] == draws[:, 2]).all() and (draws[:, 1] == draws[:, 4]).all()
    assert (draws[:, 0] + draws[:, 1] + draws[:, 3] == 3).all()


def test_the_same_seed_gives_the_same_interval_whatever_the_order():
    rng = np.random.default_rng(1)
    values, groups = rng.normal(size=60), np.repeat([f"g{i}" for i in range(20)], 3)
    order = rng.permutation(60)
    assert mean_ci95(values, groups) == pytest.approx(mean_ci95(values[order], groups[order]), abs=1e-6)


def test_copies_of_an_image_do_not_narrow_the_interval():
    """Ten near-copies of each patient carry no more than one: the width stays that of the patients."""
    values = np.random.default_rng(2).normal(size=40)
    names = [f"g{i}" for i in range(40)]
    once = mean_ci95(values, names)
    copied = mean_ci95(np.repeat(values, 10), np.repeat(names, 10))
    assert copied == pytest.approx(once, abs=1e-5)
    as_if_apart = mean_ci95(np.repeat(values, 10), [str(i) for i in range(400)])
    assert np.diff(as_if_apart) < 0.5 * np.diff(once)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(150):
        people = rng.normal(size=30)
        low, high = mean_ci95(np.repeat(people, 4), np.repeat(np.arange(30).astype(str), 4), draws=300)
        covered += low <= 0 <= high
    assert 0.86 <= covered / 150 <= 0.99


def test_one_group_has_no_interval():
    assert mean_ci95([0.1, 0.9], ["a", "a"]) is None
    assert mean_ci95([], []) is None
    assert auc_ci95([0.1, 0.9], [1, 1], ["a", "b"]) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=2, max_size=30))
def test_weighted_auc_is_that_of_the_repeated_images(rows):
    scores, labels, counts = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    repeated = np.repeat(np.arange(len(rows)), counts.astype(int))
    mine = weighted_auc(scores, labels, counts[None].astype(np.float32))[0]
    if len(set(labels[repeated])) < 2:
        assert np.isnan(mine)
    else:
        assert mine == pytest.approx(roc_auc_score(labels[repeated], scores[repeated]), abs=1e-9)


def test_weighted_mean():
    means = weighted_mean(np.array([1.0, 2.0, 6.0]), np.array([[1, 1, 1], [0, 0, 2], [0, 0, 0]], np.float32))
    assert means[:2].tolist() == [3, 6] and np.isnan(means[2])


def test_the_auc_interval_holds_the_auc():
    rng = np.random.default_rng(4)
    labels = np.tile([0, 1], 100)
    scores = labels + rng.normal(size=200)
    low, high = auc_ci95(scores, labels, np.repeat([str(i) for i in range(100)], 2))
    assert low < roc_auc_score(labels, scores) < high and high - low < 0.2
