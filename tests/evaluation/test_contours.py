import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.evaluation.contours import largest_nerve, score_contour, surface_tolerance
from tests.evaluation.fakes import disc


def box(top: int, left: int, height: int, width: int, shape: tuple[int, int] = (100, 120)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[top : top + height, left : left + width] = 255
    return mask


def test_the_same_mask_is_perfect():
    score = score_contour(disc((90, 110), 50, 40, 20), disc((90, 110), 50, 40, 20))
    assert (score.dice, score.iou, score.hd95_px, score.nsd) == (1, 1, 0, 1)


@pytest.mark.parametrize("shift", [1, 4, 10])
def test_a_box_moved_along_its_length_has_the_overlap_arithmetic_gives(shift):
    score = score_contour(box(30, 20 + shift, 40, 40), box(30, 20, 40, 40))
    assert score.dice == pytest.approx((40 - shift) / 40, abs=1e-6)
    assert score.iou == pytest.approx((40 - shift) / (40 + shift), abs=1e-6)


@pytest.mark.parametrize("shift", [3, 7, 12])
def test_hd95_of_a_box_moved_sideways_is_the_shift(shift):
    """A sixth of the edge (one of four sides and more) is ``shift`` away, so the 95th percentile is too."""
    assert score_contour(box(30, 20 + shift, 40, 40), box(30, 20, 40, 40)).hd95_px == shift


def test_hd95_ignores_a_speck_that_the_full_hausdorff_distance_would_not():
    true = box(20, 20, 40, 40)
    found = true.copy()
    found[90, 110] = 255
    assert score_contour(found, true).hd95_px == 0


def test_surface_dice_is_the_share_of_edge_pixels_within_the_tolerance():
    """One side of a 40 px square moved by 5 px: the tolerance of a 256² image is 2 px."""
    true, found = box(50, 50, 40, 40, (256, 256)), box(50, 50, 40, 45, (256, 256))
    assert surface_tolerance((256, 256)) == 2
    # The true right side has 40 edge pixels; the three next to either corner lie within 2 px of the found
    # top or bottom edge. Of the found edge, its right side and the last three columns above and below are
    # too far out; the two corners are in both counts.
    off_true = 40 - 2 * 3
    off_found = 40 + 2 * 3 - 2
    assert score_contour(found, true).nsd == pytest.approx(1 - (off_true + off_found) / (156 + 166), abs=1e-6)


def test_empty_masks():
    nerve, none = disc((50, 50), 25, 25, 8), np.zeros((50, 50), np.uint8)
    for found, true in ((none, nerve), (nerve, none)):
        score = score_contour(found, true)
        assert (score.dice, score.iou, score.nsd) == (0, 0, 0)
        assert math.isnan(score.hd95_px)
    both = score_contour(none, none)
    assert (both.dice, both.iou, both.nsd) == (1, 1, 1)
    assert math.isnan(both.hd95_px)


def test_masks_of_two_shapes_are_an_error():
    with pytest.raises(ValueError, match="one shape"):
        score_contour(np.zeros((4, 5)), np.zeros((5, 4)))


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(12, 70), st.integers(12, 90), st.integers(3, 12)),
    st.tuples(st.integers(12, 70), st.integers(12, 90), st.integers(3, 12)),
)
def test_scores_are_symmetric_bounded_and_consistent(one, other):
    a, b = (disc((84, 104), x, y, radius) for y, x, radius in (one, other))
    there, back = score_contour(a, b), score_contour(b, a)
    assert there == replace(back, precision=back.recall, recall=back.precision)
    assert (
        min(there.precision, there.recall) - 1e-6 <= there.dice <= max(there.precision, there.recall) + 1e-6
    )
    assert 0 <= there.iou <= there.dice <= 1 and 0 <= there.nsd <= 1 and there.hd95_px >= 0
    assert there.dice == pytest.approx(2 * there.iou / (1 + there.iou), abs=1e-6)


def test_cutting_to_the_nerve_changes_nothing():
    """The same two nerves in a small and in a far larger image, one of them at the very border."""
    small = score_contour(box(0, 0, 20, 30), box(0, 4, 22, 30))
    large = score_contour(box(0, 0, 20, 30, (100, 4000)), box(0, 4, 22, 30, (100, 4000)))
    assert (small.dice, small.iou, small.hd95_px) == (large.dice, large.iou, large.hd95_px)


def test_the_largest_nerve():
    mask = np.maximum(disc((120, 160), 40, 60, 12), disc((120, 160), 110, 50, 20))
    assert np.array_equal(largest_nerve(mask), disc((120, 160), 110, 50, 20) > 0)
    assert not largest_nerve(np.zeros((9, 9), np.uint8)).any()
