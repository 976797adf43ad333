import numpy as np
import pandas as pd
import pytest

from nerve_core.evaluation.tables import (
    contour_table,
    mean_over_sets,
    paired_p,
    robustness_curves,
    verdict_table,
)


def contours(method: str, dice: list[float], name: str = "usgra", per_group: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": method,
            "set": name,
            "image": [f"{k}.png" for k in range(len(dice))],
            "frame": "",
            "group": [str(k // per_group) for k in range(len(dice))],
            "has_nerve": 1.0,
            "dice": dice,
            "iou": [value / (2 - value) for value in dice],
            "ms": 10.0,
        }
    )


def test_the_best_comes_first_and_the_worse_is_tested_against_it():
    worse = list(np.linspace(0.1, 0.6, 12))
    frame = pd.concat([contours("worse", worse), contours("better", [value + 0.2 for value in worse])])
    best, other = contour_table(frame)
    assert (best["method"], best["best"], best["p_best"]) == ("better", True, None)
    assert other["p_best"] == pytest.approx(2 / 2**12)  # every one of twelve groups agrees
    assert best["dice"] == pytest.approx(np.mean(worse) + 0.2)
    assert best["dice_ci95"][0] < best["dice"] < best["dice_ci95"][1]
    assert (best["n"], best["groups"], best["detected"], best["ms"]) == (12, 12, 1.0, 10.0)
    assert best["hd95_px"] is None


def test_frames_of_one_patient_are_not_independent():
    """Sixty frames of five patients cannot show what sixty patients could."""
    frame = pd.concat(
        [contours("worse", [0.2] * 60, per_group=12), contours("better", [0.6] * 60, per_group=12)]
    )
    assert contour_table(frame)[1]["p_best"] is None


def test_p_is_corrected_for_the_number_of_comparisons():
    base = list(np.linspace(0.1, 0.6, 12))
    one = contour_table(pd.concat([contours("a", base), contours("z", [v + 0.2 for v in base])]))
    frames = [contours(name, [v - k / 100 for v in base]) for k, name in enumerate("abc")]
    several = contour_table(pd.concat([*frames, contours("z", [v + 0.2 for v in base])]))
    assert several[1]["p_best"] == pytest.approx(3 * one[1]["p_best"])


def test_equal_methods_do_not_differ():
    frame = contours("a", [0.5] * 8)
    assert paired_p(frame, frame, "dice") == 1.0


def test_sets_are_compared_apart_and_then_averaged():
    frame = pd.concat(
        [
            contours("a", [0.9] * 8),
            contours("b", [0.5] * 8),
            contours("a", [0.1] * 8, "ubpd"),
            contours("b", [0.7] * 8, "ubpd"),
        ]
    )
    lines = contour_table(frame)
    assert [line["method"] for line in lines if line["best"]] == ["b", "a"]
    assert mean_over_sets(lines, "dice", ["usgra", "ubpd"]) == pytest.approx({"b": 0.6, "a": 0.5})
    assert mean_over_sets(lines[:3], "dice", ["usgra", "ubpd"]).keys() < {"a", "b"}


def verdicts(p: list[float], label: list[int], severity: list[float], sham: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": "m",
            "set": "usgra",
            "group": [str(k) for k in range(len(p))],
            "p_affected": p,
            "label": label,
            "severity": severity,
            "sham": sham,
        }
    )


def test_shams_count_unless_left_out_and_mild_cases_do_not():
    frame = verdicts(
        [0.9, 0.8, 0.1, 0.2, 0.9, 0.1], [1, 1, 1, 0, 0, 0], [0.9, 0.5, 0.3, 0, 0, 0], [0, 0, 0, 0, 1, 1]
    )
    (line,) = verdict_table(frame)
    assert line["recall"] == 1.0  # the mild case is not counted
    assert (line["specificity"], line["specificity_originals"], line["specificity_shams"]) == (
        pytest.approx(2 / 3),
        1.0,
        0.5,
    )
    (without,) = verdict_table(frame, shams=False)
    assert without["specificity"] == 1.0 and without["auc"] > line["auc"]


def test_a_missed_nerve_is_an_error_whatever_its_label():
    frame = verdicts([np.nan, 0.9, np.nan, 0.1], [1, 1, 0, 0], [0.9, 0.9, 0, 0], [0, 0, 0, 0])
    (line,) = verdict_table(frame)
    assert (line["recall"], line["specificity"], line["n_no_nerve"]) == (0.5, 0.5, 2)
    assert line["specificity_originals"] == 0.5


def test_a_shift_is_compared_with_the_same_sets_unchanged():
    parts = [
        contours("m", [0.8] * 4).assign(split="none 0"),
        contours("m", [0.2] * 4, "ubpd").assign(split="none 0"),
        contours("m", [0.7] * 4).assign(split="blur 0.5"),  # not measured on the other set
        contours("m", [0.6] * 4).assign(split="low gain 1"),
        contours("m", [0.1] * 4, "ubpd").assign(split="low gain 1"),
        contours("m", [0.1] * 4, "kaggle").assign(split="fog 1"),  # nothing to compare with
    ]
    lines = {(line["shift"], line["strength"]): line for line in robustness_curves(pd.concat(parts))}
    assert lines["blur", 0.5]["loss"] == pytest.approx(0.1)
    assert lines["low gain", 1.0]["loss"] == pytest.approx(0.15) and lines["low gain", 1.0]["n"] == 8
    assert lines["fog", 1.0]["loss"] is None
