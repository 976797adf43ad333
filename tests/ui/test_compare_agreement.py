"""Numbers of the map of agreement."""

from __future__ import annotations

import numpy as np
import pytest

from nerve_core.evaluation.contours import score_contour
from nerve_core.ui import compare_agreement as agreement
from tests.ui.compare_fakes import square

SHAPE = (40, 60)
MASKS = [square(SHAPE, 0, 0, 10), square(SHAPE, 0, 5, 10), square(SHAPE, 20, 20, 10)]


def test_every_pixel_is_counted_by_the_methods_that_hold_it():
    counts = agreement.count_map(MASKS)
    assert counts.dtype == np.uint8 and counts.shape == SHAPE
    assert counts[5, 2] == 1 and counts[5, 7] == 2 and counts[5, 12] == 1 and counts[25, 25] == 1
    assert counts[39, 59] == 0
    assert agreement.shares(counts, 3) == [200, 50, 0]


def test_pairwise_dice_has_known_answers():
    dice = agreement.pairwise_dice(MASKS)
    assert dice == pytest.approx(np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]))
    assert dice[0, 1] == pytest.approx(score_contour(MASKS[0], MASKS[1]).dice, abs=1e-6)


def test_two_that_found_nothing_are_alike_and_one_is_not():
    empty = np.zeros(SHAPE, np.uint8)
    assert agreement.pairwise_dice([empty, empty, MASKS[0]]).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_agreement_is_said_in_words():
    counts = agreement.count_map(MASKS[:2])
    assert "agree on 50 px², 33 % of the 150 px²" in agreement.in_words(counts, 2)
    assert "None of the 2 methods" in agreement.in_words(np.zeros(SHAPE, np.uint8), 2)


def test_the_picture_is_painted_only_where_a_method_found_a_nerve():
    pixels = np.full(SHAPE, 100, np.uint8)
    counts = agreement.count_map(MASKS)
    painted = agreement.picture(pixels, counts, 3)
    assert painted.shape == (*SHAPE, 3) and painted.dtype == np.uint8
    assert (painted[counts == 0] == 100).all()
    assert not np.array_equal(painted[5, 2], painted[5, 7])
    assert agreement.colour_of(1, 3) == agreement.RAMP[0] and agreement.colour_of(3, 3) == agreement.RAMP[-1]


def test_the_map_of_pairs_keeps_the_numbers_of_the_page():
    figure = agreement.heat_map(np.eye(2), {1: "Otsu", 3: "CRF"})
    assert list(figure.data[0].x) == ["1", "3"] and list(figure.data[0].y) == ["1", "3"]
    assert figure.data[0].customdata[0][1] == "Otsu<br>against CRF"
    assert np.array_equal(figure.data[0].z, np.eye(2)) and figure.data[0].texttemplate
