"""Augmentation moves image and mask together and keeps types and ranges."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.data.augment import Augment, normalise, preview, repaint, resample
from nerve_core.errors import DataError
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan


def nerve(height: int = 120, width: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A dark scan whose only bright thing is its nerve."""
    rows, columns = np.mgrid[:height, :width]
    mask = ((columns - 0.6 * width) ** 2 + (rows - 0.4 * height) ** 2 <= (0.15 * height) ** 2).astype(
        np.uint8
    )
    return 20 + 180 * mask, mask


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_the_mask_follows_the_image(seed: int) -> None:
    image, mask, valid = resample(*nerve(), 96, np.random.default_rng(seed), Augment())
    bright = image > 110
    if mask.sum() > 60:
        overlap = 2 * (bright & (mask > 0)).sum() / (bright.sum() + mask.sum())
        assert overlap > 0.85
    assert not image[~valid & (cv2.dilate(valid.astype(np.uint8), np.ones((5, 5))) == 0)].any()


def test_without_augmentation_it_is_what_predictions_see() -> None:
    rng = np.random.default_rng(0)
    # Coarse structure: the two may differ by half a pixel of padding.
    image = cv2.GaussianBlur(rng.integers(0, 255, (300, 420), dtype=np.uint8), (0, 0), 12)
    shown, _, valid = resample(image, np.zeros_like(image), 128, rng, None)
    prepared = Preprocess(size=128).apply(Scan(image))
    top, left, bottom, right = prepared.valid
    inside = (slice(top + 1, bottom - 1), slice(left + 1, right - 1))
    assert np.corrcoef(shown[inside].ravel(), prepared.grey[inside].ravel())[0, 1] > 0.97
    assert np.corrcoef(normalise(shown, valid)[inside].ravel(), prepared.tensor[inside].ravel())[0, 1] > 0.97


@pytest.mark.parametrize("zoom", [0.7, 1.0, 2.0])
def test_zoom_scales_the_nerve(zoom: float) -> None:
    how = Augment(rotate=0, zoom=(zoom, zoom), stretch=1, shift=0, elastic=0, near_nerve=0)
    image, mask = nerve(160, 160)
    centred = np.roll(mask, (16, -16), (0, 1))
    _, plain, _ = resample(image, centred, 160, np.random.default_rng(0), None)
    _, zoomed, _ = resample(image, centred, 160, np.random.default_rng(0), how)
    assert zoomed.sum() == pytest.approx(plain.sum() * zoom**2, rel=0.08)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_repainting_keeps_shape_and_type_and_does_not_touch_its_input(seed: int) -> None:
    image, _ = nerve(96, 96)
    before = image.copy()
    painted = repaint(image, np.random.default_rng(seed), Augment(photometric=1.0))
    assert painted.shape == image.shape
    assert painted.dtype == np.uint8
    assert np.array_equal(image, before)


def test_the_same_seed_gives_the_same_sample() -> None:
    one, other = (resample(*nerve(), 96, np.random.default_rng(7), Augment()) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_normalised_content_has_mean_0_and_deviation_1() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    valid = np.zeros((64, 64), bool)
    valid[10:50] = True
    tensor = normalise(image, valid)
    assert tensor[valid].mean() == pytest.approx(0, abs=1e-5)
    assert tensor[valid].std() == pytest.approx(1, abs=1e-4)
    assert not tensor[~valid].any()


def test_none_changes_nothing() -> None:
    for seed in range(8):
        rng, other = np.random.default_rng(seed), np.random.default_rng(0)
        found, plain = resample(*nerve(), 96, rng, Augment.none()), resample(*nerve(), 96, other, None)
        assert all(np.array_equal(a, b) for a, b in zip(found, plain, strict=True))
        assert np.array_equal(repaint(found[0], rng, Augment.none()), plain[0])


def test_minimal_mirrors_and_shifts_alone() -> None:
    image, mask = nerve(160, 160)
    plain = resample(image, mask, 160, np.random.default_rng(0), None)
    mirrored = 0
    for seed in range(12):
        picture, moved, _ = resample(image, mask, 160, np.random.default_rng(seed), Augment.minimal())
        assert moved.sum() == pytest.approx(plain[1].sum(), rel=0.02)
        assert np.array_equal(repaint(picture, np.random.default_rng(seed), Augment.minimal()), picture)
        centre = np.argwhere(moved).mean(0) - np.argwhere(plain[1]).mean(0)
        mirrored += abs(centre[1]) > 16.5  # further than any shift
    assert mirrored > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotate": -1},
        {"elastic": 1.1},
        {"shift": 0.6},
        {"stretch": 0.9},
        {"style_mix": 2},
        {"style_band": float("nan")},
        {"photometric": "much"},
        {"zoom": (1.4, 0.7)},
        {"zoom": (0, 1)},
        {"click_zoom": (1, 2, 3)},
        {"click_zoom": 2},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict) -> None:
    with pytest.raises(DataError, match=f"augment.{next(iter(wrong))} must be"):
        Augment(**wrong)


def test_a_preview_shows_what_training_sees_and_repeats_itself() -> None:
    image, mask = nerve()
    one, other = (preview(image, mask * 255, Augment(), 3, 4, 96) for _ in range(2))
    assert len(one) == 4
    for (picture, inside), (again, _) in zip(one, other, strict=True):
        assert picture.shape == inside.shape == (96, 96)
        assert picture.dtype == inside.dtype == np.uint8
        assert inside.max() <= 1
        assert np.array_equal(picture, again)
    assert not np.array_equal(one[0][0], one[1][0])
    plain = resample(image, mask, 96, np.random.default_rng(0), None)
    (picture, inside), *_ = preview(image, mask, Augment.none(), 0, 1, 96)
    assert np.array_equal(picture, plain[0])
    assert np.array_equal(inside, plain[1])
    with pytest.raises(DataError, match="same size"):
        preview(image, mask[1:], Augment(), 0, 1)
    with pytest.raises(DataError, match="At least 1"):
        preview(image, mask, Augment(), 0, 0)
