"""Tuning and fitting: the planted best wins, and only the right side of the split is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from nerve_core.errors import DataError
from nerve_core.evaluation.classical.learn import dice, fit_pixel_models, fit_prior, rows_on
from nerve_core.evaluation.classical.method import Contour
from nerve_core.evaluation.classical.registry import make_contour
from nerve_core.evaluation.classical.tune import tune
from tests.evaluation.classical.conftest import plain


@dataclass(frozen=True)
class Shift:
    """How far the answer stands beside the dark ellipse."""

    pixels: int = 9
    other: str = "a"


class Planted(Contour):
    """Draws what is dark, shifted; no shift is the best there is."""

    def prepare(self, scan, click=None, preprocess=None):
        self.clicks.append(click)
        return scan.pixels < 105

    def contours(self, prepared, params):
        mask = np.roll(prepared, params.pixels, 1).astype(np.uint8)
        return mask.astype(np.float32), [mask]


def planted():
    contour = Planted("threshold", Shift(), Shift())
    contour.clicks = []
    return contour


class Spy:
    def __init__(self):
        self.read = []

    def __call__(self, path):
        self.read.append(path)
        return plain(path)


@pytest.mark.parametrize("click", [False, True])
def test_the_planted_best_wins(rows, click):
    contour = planted()
    grid = {"pixels": (-20, -5, 0, 3, 30), "other": ("a", "b")}
    found = tune(contour, rows, click, grid, read=plain)
    assert found.params == Shift(0, "a") and found.tried == 11 and found.n == 4
    assert found.by_set == {"drawn": pytest.approx(found.dice)} and found.dice > 0.7
    assert all((point is not None) == click for point in contour.clicks) and len(contour.clicks) == 4


def test_own_settings_stay_where_the_grid_is_worse(rows):
    assert tune(planted(), rows, grid={"pixels": (40, 60)}, read=plain).params == Shift(9)


def test_tuning_reads_validation_scans_alone(rows):
    spy = Spy()
    tune(planted(), rows, grid={"pixels": (0, 1)}, read=spy)
    assert sorted(spy.read) == sorted(row["image"] for row in rows if row["split"] == "val")


def test_fitting_reads_training_scans_alone(rows, prior):
    training = {row["image"] for row in rows if row["split"] == "train"}
    for fit in (
        lambda spy: fit_prior(rows, read=spy),
        lambda spy: fit_pixel_models("knn", rows, prior, read=spy),
    ):
        spy = Spy()
        fit(spy)
        assert set(spy.read) == training


def test_tuning_a_real_method_helps(rows, prior):
    contour = make_contour("threshold", prior)
    start = tune(contour, rows, grid={"side": ("bright",)}, read=plain)
    better = tune(contour, rows, grid={"level": (0.1, 0.45, 0.8), "side": ("dark", "bright")}, read=plain)
    assert better.params.side == "dark" and better.dice >= start.dice and better.dice > 0.8


def test_fitting_twice_gives_the_same(rows, prior):
    again = fit_prior(rows, read=plain)
    assert again.to_dict() == prior.to_dict()


def test_sides_are_checked(rows):
    with pytest.raises(DataError, match="not on 'test'"):
        rows_on(rows, "test")
    with pytest.raises(DataError, match="training_rows"):
        rows_on([{"mask": "a.png"}], "val")
    with pytest.raises(DataError, match="No contoured row"):
        tune(planted(), [row for row in rows if row["split"] != "val"], read=plain)
    with pytest.raises(DataError, match="nothing to fit"):
        fit_pixel_models("otsu", rows, None, read=plain)


def test_dice_of_known_masks():
    first, second = np.zeros((4, 4)), np.zeros((4, 4))
    assert dice(first, second) == 1
    first[:2] = 255
    assert dice(first, second) == 0
    second[1:3] = 1
    assert dice(first, second) == 0.5
