"""Scores that tell alike from unlike, and a replayed scan from a new one."""

import cv2
import numpy as np
import pytest
import torch

from nerve_core.data.packed import Packed
from nerve_core.data.phantom import simulate
from nerve_core.errors import DataError
from nerve_core.generative.anatomy import contour_dice, edge_correlation
from nerve_core.generative.features import INPUT, pieces
from nerve_core.generative.memory import memory, nearest
from nerve_core.generative.scores import distance, split_reals


def images(seeds: range) -> list[np.ndarray]:
    sites = ("wrist", "neck", "groin")
    return [simulate(seed, site=sites[seed % 3], size=(96, 96)).image for seed in seeds]


class Corners(torch.nn.Module):
    """A quick stand-in for the extractor: the picture itself at 8×8."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(pictures, 8).flatten(1)


def test_the_distance_is_near_zero_for_one_source_and_larger_for_another() -> None:
    torch.manual_seed(0)
    real, same, other = torch.randn(60, 8), torch.randn(60, 8), torch.randn(60, 8) + 1
    assert abs(distance(real, same)["mean"]) < 0.1 * distance(real, other)["mean"]
    assert distance(real, other) == distance(real, other)


def test_pieces_of_nothing_are_left_out() -> None:
    black = np.zeros((96, 96), np.uint8)
    assert len(pieces([black], 96, 2)) == 0
    found = pieces([black, *images(range(2))], 96, 2)
    assert found.shape == (4, 1, INPUT, INPUT) and found.dtype == torch.float32
    assert found.min() >= -1 and found.max() <= 1


def test_a_replayed_scan_is_flagged_even_mirrored_and_brighter() -> None:
    train, held_back, new = images(range(12)), images(range(20, 32)), images(range(40, 44))
    mirrored = np.ascontiguousarray(train[3][:, ::-1])
    replayed = cv2.convertScaleAbs(mirrored, alpha=0.9, beta=10)
    by_correlation, by_features = memory(train, held_back, [*new, replayed], Corners())
    assert by_correlation.kind == "correlation" and 4 in by_correlation.flagged
    assert by_correlation.highest > 0.99 > by_correlation.limit
    assert 4 in by_features.flagged
    assert len(by_correlation.flagged) < 3


def test_nearest_is_a_cosine() -> None:
    known = np.array([[1.0, 0.0], [0.0, 2.0]])
    np.testing.assert_allclose(
        nearest(np.array([[3.0, 3.0], [0.0, 1.0], [-1.0, 0.0]]), known), [0.5**0.5, 1, 0]
    )


def test_edges_correlate_when_they_stay_and_not_when_they_move() -> None:
    picture = simulate(3, size=(128, 128)).image
    darker = (picture * 0.6 + 20).astype(np.uint8)
    assert edge_correlation(picture, darker) > 0.98
    assert edge_correlation(picture, np.roll(picture, 20, axis=0)) < 0.5
    assert edge_correlation(picture, np.zeros_like(picture)) == 0


def test_contour_dice_has_a_known_answer() -> None:
    phantom = simulate(1, site="wrist", size=(96, 96))
    mask = (phantom.mask > 0).astype(np.uint8)
    packed = Packed([{"image": "a", "group": "a"}], [phantom.image], [mask])

    class Everything(torch.nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return torch.ones(len(inputs), 1, *inputs.shape[2:])

    expected = 2 * mask.sum() / (mask.sum() + mask.size)
    np.testing.assert_allclose(contour_dice(Everything(), packed, 96), [expected])


def test_near_copies_of_training_scans_are_no_yardstick() -> None:
    pictures = images(range(12))
    pictures[10] = pictures[0].copy()
    sides = ["train"] * 6 + ["test"] * 6
    rows = [{"image": str(k), "group": str(k), "split": side} for k, side in enumerate(sides)]
    reals = split_reals(Packed(rows, pictures, pictures))
    assert (len(reals.train), len(reals.held_back), len(reals.unseen)) == (6, 6, 5)
    with pytest.raises(DataError, match="Too few"):
        split_reals(Packed(rows[:7], pictures[:7], pictures[:7]))
