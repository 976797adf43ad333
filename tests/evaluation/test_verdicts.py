import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from nerve_core.evaluation.verdicts import calibration_line, verdict_figures


def figures(labels, p, uncertain=None, groups=None):
    return verdict_figures(
        labels, p, groups or [str(i) for i in range(len(p))], uncertain or [False] * len(labels)
    )


def test_a_perfect_predictor():
    result = figures([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    for name in ("accuracy", "precision", "recall", "specificity", "f1", "auc"):
        assert result[name] == 1, name
    assert result["brier"] == pytest.approx((0.01 + 0.04 + 0.04 + 0.01) / 4)
    assert result["calibration_slope"] is None  # separated labels: no finite line fits
    assert result["n_labelled"] == 4 and result["n_affected"] == 2


def test_counts_worked_out_by_hand():
    """Two true positives, one false negative, one false positive, three true negatives."""
    result = figures([1, 1, 1, 0, 0, 0, 0], [0.9, 0.5, 0.3, 0.7, 0.1, 0.2, 0.49])
    assert result["accuracy"] == pytest.approx(5 / 7)
    assert result["precision"] == pytest.approx(2 / 3)
    assert result["recall"] == pytest.approx(2 / 3)
    assert result["specificity"] == pytest.approx(3 / 4)
    assert result["f1"] == pytest.approx(2 / 3)


def test_no_nerve_found_is_an_error_for_either_label():
    result = figures([1, 1, 0, 0], [0.9, None, None, 0.1])
    assert result["recall"] == 0.5 and result["specificity"] == 0.5 and result["accuracy"] == 0.5
    assert result["auc"] == pytest.approx(roc_auc_score([1, 1, 0, 0], [0.9, 0, 1, 0.1]))
    assert result["brier"] == pytest.approx((0.01 + 1 + 1 + 0.01) / 4)
    assert result["n_no_nerve"] == 2


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_alone_gives_no_figures_but_its_count(label):
    result = figures([label] * 3, [0.2, 0.8, None])
    assert result["n_labelled"] == 3
    assert all(value is None for name, value in result.items() if not name.startswith("n_"))


def test_no_labels_at_all():
    result = figures([], [])
    assert result["n_labelled"] == 0 and result["auc"] is None


def test_abstention_leaves_out_the_uncertain_and_keeps_the_misses():
    result = figures(
        [1, 1, 0, 0, 1], [0.9, 0.45, 0.55, 0.1, None], uncertain=[False, True, True, False, False]
    )["with_abstention"]
    assert result == {
        "coverage": pytest.approx(0.6),
        "accuracy": pytest.approx(2 / 3),
        "recall": pytest.approx(1 / 2),
        "specificity": 1,
        "n": 3,
    }


def test_abstaining_from_everything_gives_no_rate():
    kept = figures([0, 1], [0.5, 0.5], uncertain=[True, True])["with_abstention"]
    assert kept["coverage"] == 0 and kept["accuracy"] is None and kept["recall"] is None


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_the_calibration_slope_is_recovered(slope):
    rng = np.random.default_rng(0)
    logit = rng.normal(scale=1.5, size=40_000)
    labels = (rng.random(40_000) < 1 / (1 + np.exp(-(slope * logit - 0.3)))).astype(int)
    found, intercept = calibration_line(1 / (1 + np.exp(-logit)), labels)
    assert found == pytest.approx(slope, rel=0.06)
    assert intercept == pytest.approx(-0.3, abs=0.06)


def test_a_miss_is_left_out_of_the_calibration_line():
    p, labels = np.array([0.2, 0.6, 0.4, 0.8]), np.array([0, 0, 1, 1])
    with_miss = calibration_line(np.append(p, np.nan), np.append(labels, 1))
    assert with_miss == pytest.approx(calibration_line(p, labels))


def test_intervals_hold_their_figures_and_follow_the_groups():
    rng = np.random.default_rng(5)
    labels = np.tile([0, 1], 60).tolist()
    p = np.clip(np.array(labels) * 0.3 + rng.random(120) * 0.7, 0, 1).tolist()
    result = figures(labels, p, groups=[str(i // 4) for i in range(120)])
    for name in ("accuracy", "recall", "specificity", "auc", "brier"):
        low, high = result[f"{name}_ci95"]
        assert low <= result[name] <= high and low < high, name
