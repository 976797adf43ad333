"""Conformal thresholds: known answers, and the promise kept on data of known kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerve_core.errors import DataError
from nerve_core.evaluation.conformal import (
    LEVELS,
    MOST_ABSTAINED,
    conformal_figures,
    fit_conformal,
    threshold,
)
from nerve_core.inference.abstention import Abstention
from nerve_core.inference.prediction import AFFECTED, UNAFFECTED, UNCERTAIN


def test_one_nerve_a_group_gives_the_split_conformal_quantile() -> None:
    scores = np.arange(1, 20) / 20  # 19 groups: the ceil(20 * 0.9) = 18th smallest
    assert threshold(scores, [str(k) for k in range(19)], 0.9) == pytest.approx(18 / 20)
    assert threshold(scores, [str(k) for k in range(19)], 0.95) == pytest.approx(19 / 20)


def test_too_few_groups_promise_nothing() -> None:
    assert threshold(np.array([0.1, 0.2]), ["a", "b"], 0.9) == float("inf")


def test_every_group_weighs_the_same() -> None:
    scores = np.concatenate([np.full(100, 0.9), np.linspace(0.1, 0.2, 9)])
    groups = ["large"] * 100 + [f"small {k}" for k in range(9)]
    assert threshold(scores, groups, 0.72) == pytest.approx(0.1875)  # the eighth of eleven
    assert threshold(scores, groups, 0.8) == pytest.approx(0.2)
    assert threshold(scores, groups, 0.9) == 0.9


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.5, 0.98))
def test_a_higher_level_never_lowers_the_threshold(scores: list[float], level: float) -> None:
    groups = [str(k % 7) for k in range(len(scores))]
    assert threshold(np.array(scores), groups, level) <= threshold(np.array(scores), groups, level + 0.01)


def drawn(seed: int, groups: int = 400) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Probabilities that overlap between the labels, with an effect of the group."""
    rng = np.random.default_rng(seed)
    labels = np.tile([0, 1], 2 * groups)
    group = np.repeat(np.arange(groups), 4)
    logit = 2.4 * (2 * labels - 1) + rng.normal(0, 1, groups)[group] + rng.normal(0, 1, 4 * groups)
    return 1 / (1 + np.exp(-logit)), labels, [str(k) for k in group]


@pytest.mark.parametrize("level", [0.9, 0.95, 0.98])
def test_the_promise_is_kept_on_new_groups_of_both_labels(level: float) -> None:
    rule = Abstention.from_config({"conformal": fit_conformal(*drawn(0))})
    found = conformal_figures(rule, level, *drawn(1))
    for name in ("coverage", "coverage_affected", "coverage_unaffected"):
        assert found[name]["value"] == pytest.approx(level, abs=0.03)


def test_the_level_in_force_abstains_little_and_errs_less() -> None:
    fitted = fit_conformal(*drawn(0))
    found = conformal_figures(Abstention.from_config({"conformal": fitted}), fitted["level"], *drawn(1))
    assert fitted["level"] in LEVELS
    assert found["abstained"]["value"] <= MOST_ABSTAINED + 0.03
    assert found["errors_answered"]["value"] < found["errors_all"]["value"]


def test_one_label_alone_cannot_be_calibrated() -> None:
    with pytest.raises(DataError, match="both labels"):
        fit_conformal(np.array([0.2, 0.4]), np.array([0, 0]), ["a", "b"])


def test_sets_become_words() -> None:
    both = Abstention(0.9, {0.9: (0.3, 0.7), 0.8: (0.6, 0.4)})
    assert [both.verdict(p) for p in (0.1, 0.5, 0.9)] == [UNAFFECTED, UNCERTAIN, AFFECTED]
    assert both.labels(0.5) == {AFFECTED, UNAFFECTED}
    assert both.labels(0.5, 0.8) == frozenset()  # neither fits
    assert both.verdict(0.5, 0.8) == UNCERTAIN


def test_stale_or_missing_calibration_gives_no_rule() -> None:
    fitted = {"conformal": fit_conformal(*drawn(0))}
    assert Abstention.from_config({}) is None
    assert Abstention.from_config(fitted) is not None
    assert Abstention.from_config(fitted | {"calibration": {"valid": False}}) is None
