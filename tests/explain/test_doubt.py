"""Several looks at one scan: known answers from a network that is known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.errors import DataError
from nerve_core.explain.doubt import (
    FLOOR,
    LOOKS,
    Doubt,
    area_interval,
    areas,
    look_again,
    nerve_masks,
    versions,
    with_gamma,
)
from nerve_core.explain.expected_dice import (
    FIGURES,
    expected_dice,
    figures_of,
    fit_expected_dice,
    overlap,
)
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Nerve, Prediction


class Bright:
    """Takes pixels brighter than the mean for nerve: the same in every look but at the picture's margin."""

    preprocess = Preprocess(size=128)
    folder = Path("none")

    def contour(self, inputs: np.ndarray) -> np.ndarray:
        return 4 * inputs[:, :1]


def scene() -> tuple[Scan, np.ndarray]:
    mask = cv2.circle(np.zeros((128, 128), np.uint8), (64, 60), 20, 1, -1)
    return Scan((40 + 160 * mask).astype(np.uint8)), mask


def predicted(mask: np.ndarray, probability: np.ndarray | None = None) -> Prediction:
    contour = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0][:, 0].astype(np.float32)
    nerve = Nerve(contour, (64.0, 60.0), float(mask.sum()), None, 0.9, 0.7)
    chance = mask.astype(np.float32) if probability is None else probability
    return Prediction(chance, mask * np.uint8(255), (nerve,), "affected", 0.7, "known 1")


def test_looks_that_agree_leave_doubt_at_the_edge_alone() -> None:
    scan, mask = scene()
    told: list[tuple[int, int]] = []
    doubt = look_again(Bright(), scan, told=lambda *step: told.append(step))
    assert doubt.maps.shape == (LOOKS, 128, 128) and doubt.maps.dtype == np.float32
    assert told == [(k, LOOKS) for k in range(1, LOOKS + 1)]
    for version in versions(doubt, mask):
        assert overlap(version, mask) > 0.95
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((7, 7), np.uint8)) > 0
    assert doubt.spread[edge].max() > 5 * doubt.spread[~edge & (mask > 0)].max() or doubt.spread.max() < 0.2


def test_masks_of_nerves_come_back_in_their_order() -> None:
    one = cv2.circle(np.zeros((128, 128), np.uint8), (40, 40), 12, 1, -1)
    two = cv2.circle(np.zeros((128, 128), np.uint8), (90, 90), 9, 1, -1)
    first, second = predicted(two).nerves[0], predicted(one).nerves[0]
    both = Prediction(one.astype(np.float32), (one | two) * np.uint8(255), (first, second), "", 0.7, "")
    masks = nerve_masks(both)
    assert np.array_equal(masks[0], two) and np.array_equal(masks[1], one)


def test_areas_that_agree_have_the_least_spread() -> None:
    same = np.ones((10, 10), np.uint8)
    assert areas([same] * 3) == ((100.0, 100.0, 100.0), FLOOR)
    sizes, spread = areas([same, np.zeros_like(same)])
    assert sizes == (100.0, 0.0) and spread == pytest.approx(np.log(10) / 2)


def test_the_interval_holds_the_area_and_grows_with_doubt() -> None:
    low, high = area_interval(100.0, 0.1, 2.0)
    assert low == pytest.approx(100 * np.exp(-0.2)) and high == pytest.approx(100 * np.exp(0.2))
    assert area_interval(100.0, 0.2, 2.0)[0] < low


def test_gamma_keeps_black_and_white() -> None:
    levels = np.array([[0, 128, 255]], np.uint8)
    assert with_gamma(levels, 0.5).tolist() == [[0, 181, 255]]


def test_expected_dice_is_learned_and_bounded() -> None:
    rng = np.random.default_rng(0)
    figures = rng.normal(size=(200, len(FIGURES)))
    dice = np.clip(0.6 + 0.1 * figures[:, 4] - 0.05 * figures[:, 2], 0, 1)
    fitted = fit_expected_dice(figures, dice, [str(k) for k in range(200)])
    rated = np.array([expected_dice(row, fitted) for row in figures])
    assert np.corrcoef(rated, dice)[0, 1] > 0.95 and 0 <= rated.min() <= rated.max() <= 1
    assert expected_dice(None, fitted) == 0.0
    with pytest.raises(DataError, match="another version"):
        expected_dice(figures[0], fitted | {"figures": ["other"]})
    with pytest.raises(DataError, match="at least"):
        fit_expected_dice(figures[:5], dice[:5], ["a"] * 5)


def test_figures_of_a_clear_and_of_a_vague_map() -> None:
    _, mask = scene()
    chance = mask.astype(np.float32)
    sure = Doubt(np.stack([chance] * LOOKS), chance, np.zeros_like(chance))
    clear = dict(zip(FIGURES, figures_of(predicted(mask), sure), strict=True))
    assert clear["confidence"] == clear["least_agreement"] == 1
    assert clear["disagreement"] == 0 and clear["entropy"] < 0.01
    vague = cv2.GaussianBlur(chance, (0, 0), 8)
    other = figures_of(predicted(mask, vague), Doubt(np.stack([vague] * LOOKS), vague, vague))
    worse = dict(zip(FIGURES, other, strict=True))
    assert worse["entropy"] > clear["entropy"] and worse["soft_edge"] > clear["soft_edge"]
    none = np.zeros_like(mask)
    empty = Prediction(chance * 0, none, (), "no nerve found", None, "known 1")
    assert figures_of(empty, sure) is None
