"""Known answers of the features of nerves and superpixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nerve_core.errors import CheckpointError
from nerve_core.evaluation.classical.deep import DeepFeatures
from nerve_core.evaluation.classical.features import (
    HARALICK,
    cooccurrence,
    crop_features,
    lbp_histogram,
    nerve_features,
    shape_features,
    size_feature,
    wavelet_energies,
    zones,
)
from nerve_core.evaluation.classical.regions import FEATURES, describe, filled, part_at, parts
from nerve_core.evaluation.classical.superpixels import cooccurrence_maps, superpixels
from nerve_core.evaluation.classical.view import SIZE, disc, view_of
from nerve_core.imaging.scan import Scan
from nerve_core.models.verdict import CROP
from tests.evaluation.classical.conftest import drawn

WHOLE = np.ones((32, 32), bool)


def test_cooccurrence_of_one_grey_level():
    found = dict(zip(HARALICK, cooccurrence(np.full((32, 32), 0.3), WHOLE, 1), strict=True))
    assert found == {"contrast": 0, "homogeneity": 1, "energy": 1, "correlation": 1, "entropy": 0}


def test_cooccurrence_of_stripes():
    """Columns that alternate between two levels two steps apart: all pairs but the vertical ones differ."""
    level = np.where(np.arange(32) % 2, 0.4, -0.3)[None].repeat(32, 0)
    found = dict(zip(HARALICK, cooccurrence(level, WHOLE, 1), strict=True))
    differing = 31 * 32 + 2 * 31 * 31
    share = differing / (differing + 31 * 32)
    assert found["contrast"] == pytest.approx(4 * share)
    assert found["homogeneity"] == pytest.approx(1 - share + share / 5)
    assert found["correlation"] == pytest.approx(1 - 2 * share, abs=0.01)
    even = dict(zip(HARALICK, cooccurrence(level, WHOLE, 6), strict=True))
    assert even["contrast"] == 0


def test_cooccurrence_follows_the_zone():
    """What lies outside the zone does not count."""
    level = np.random.default_rng(0).normal(size=(32, 32))
    level[8:24, 8:24] = 0.0
    zone = np.zeros((32, 32), bool)
    zone[8:24, 8:24] = True
    assert cooccurrence(level, zone, 3)[0] == 0 < cooccurrence(level, ~zone, 3)[0]


def test_a_turned_crop_gives_nearly_the_same():
    picture, mask = drawn(1, (CROP, CROP))
    soft = mask.astype(np.float32) / 255
    before = crop_features(picture, soft)
    after = crop_features(np.rot90(picture).copy(), np.rot90(soft).copy())
    assert np.isfinite(before).all()
    assert np.abs(after - before).max() < 0.15
    assert np.allclose(after[:15], before[:15], atol=1e-4)
    level = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(CROP, CROP)), (0, 0), 1.5)
    turned = cooccurrence(np.rot90(level), np.ones((CROP, CROP), bool), 3)
    assert np.allclose(turned, cooccurrence(level, np.ones((CROP, CROP), bool), 3))


def test_lbp_of_a_flat_picture_is_one_pattern():
    inner = np.zeros((32, 32), bool)
    inner[2:-2, 2:-2] = True
    flat = lbp_histogram(np.full((32, 32), 90, np.uint8), inner, 1)
    assert flat.sum() == 1 and flat.max() == 1
    noise = lbp_histogram(np.random.default_rng(0).integers(0, 255, (32, 32)).astype(np.uint8), WHOLE, 1)
    assert noise.sum() == pytest.approx(1) and noise.max() < 0.6


def test_wavelets_tell_fine_from_coarse():
    rng = np.random.default_rng(0)
    fine = rng.normal(size=(64, 64)).astype(np.float32)
    coarse = cv2.GaussianBlur(fine, (0, 0), 3)
    whole = (np.ones((64, 64), bool),)
    found = [wavelet_energies(one / one.std(), whole)[0] for one in (fine, coarse)]
    # Scales run from coarse to fine, straight and diagonal details of each.
    assert found[0][-2:].mean() > found[1][-2:].mean() + 2 and found[1][0] > found[1][-2]
    assert np.allclose(wavelet_energies(np.zeros((64, 64)), whole), np.log(1e-4))


def test_shape_of_known_outlines():
    circle = disc((200, 200), 100, 100, 40)
    share, roundness, solidity, elongation, stray, notch, count = shape_features(circle, 200 * 200)
    assert share == pytest.approx(np.log(np.pi * 1600 / 40000), abs=0.01)
    assert roundness > 0.85 and solidity > 0.96 and abs(elongation) < 0.02 and stray < 0.02 and count == 1
    assert notch < 0.05
    flat = np.zeros((200, 200), np.uint8)
    cv2.ellipse(flat, (100, 100), (80, 20), 30, 0, 360, 1, cv2.FILLED)
    assert shape_features(flat, 40000)[3] == pytest.approx(np.log(4), abs=0.15)
    bitten = circle & (1 - disc((200, 200), 100, 60, 20))
    assert shape_features(bitten, 40000)[5] > 0.2 and shape_features(bitten, 40000)[2] < solidity - 0.03
    assert size_feature(circle, 40000)[0] == pytest.approx(share)


def test_nerve_features_do_not_depend_on_the_scans_size():
    picture, mask = drawn(2)
    double = [cv2.resize(one, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR) for one in (picture, mask)]
    small = nerve_features(picture, mask > 127, picture.size)
    large = nerve_features(double[0], double[1] > 127, double[0].size)
    assert small.shape == large.shape and small.dtype == np.float32
    assert np.corrcoef(small, large)[0, 1] > 0.98
    assert small[-7] == pytest.approx(large[-7], abs=0.03)


@pytest.mark.parametrize("size", [1, 3])
def test_a_tiny_nerve_has_finite_features(size):
    mask = np.zeros((80, 80), np.uint8)
    mask[:size, :size] = 1
    picture = np.random.default_rng(0).integers(0, 255, (80, 80)).astype(np.uint8)
    assert np.isfinite(nerve_features(picture, mask, 6400)).all()
    assert np.isfinite(nerve_features(np.zeros((80, 80), np.uint8), mask, 6400)).all()


def test_zones_part_nerve_rim_and_surroundings():
    nerve, rim, around = zones(disc((CROP, CROP), 64, 64, 30).astype(np.float32))
    assert nerve[64, 64] and not rim[64, 64] and rim[64, 64 + 30] and around[64, 64 + 45]
    assert not (rim & around).any() and not (nerve & around).any()


def test_regions_are_taken_apart_and_filled():
    picture = np.zeros((60, 60), np.uint8)
    cv2.circle(picture, (20, 20), 12, 1, 3)
    picture[45:50, 45:50] = 1
    picture[2, 2] = 1
    found = parts(picture, 5)
    assert len(found) == 2 and found[0][20, 20] == 1 and found[1].sum() == 25
    assert np.array_equal(filled(picture)[45:50, 45:50], np.ones((5, 5)))
    assert np.array_equal(part_at(picture, 50, 50), found[1]) and part_at(np.zeros((5, 5)), 1, 1) is None


def test_description_of_a_dark_disc():
    picture = np.full((128, 128), 150, np.uint8)
    picture[disc((128, 128), 40, 90, 20) > 0] = 50
    view = view_of(Scan(picture), click=(40, 90))
    mask = disc((SIZE, SIZE), 80.5, 180.5, 40)
    found = describe(view, mask, np.full((SIZE, SIZE), 0.5, np.float32))
    named = dict(zip(FEATURES, found[: len(FEATURES)], strict=True))
    assert named["log area"] == pytest.approx(np.log(np.pi * 1600 / SIZE**2), abs=0.02)
    assert named["roundness"] > 0.85 and named["solidity"] > 0.96 and abs(named["log elongation"]) < 0.02
    assert named["x"] == pytest.approx(80.5 / SIZE, abs=0.01) and named["y"] == pytest.approx(
        180.5 / SIZE, abs=0.01
    )
    assert named["contrast"] < -1.5 and named["step at the edge"] > 0.5 and named["at the border"] == 0
    distance, inside, depth = found[len(FEATURES) :]
    assert distance < 0.05 and inside == 1 and depth == pytest.approx(1, abs=0.05)


def test_superpixels_of_a_flat_picture_differ_in_place_alone(prior):
    found = superpixels(view_of(Scan(np.full((96, 128), 90, np.uint8))), prior)
    assert found.labels.shape == (192, 256) and found.labels.max() + 1 == len(found.features)
    assert np.ptp(found.features[:, :5]) == 0
    assert np.array_equal(found.paint(np.arange(len(found.features))), found.labels)
    whole = found.share(np.ones((192, 256)))
    assert np.allclose(whole, 1)


def test_cooccurrence_maps_of_a_flat_picture():
    contrast, homogeneity, product = cooccurrence_maps(np.full((40, 40), 2.0, np.float32), (0, 3))
    assert np.allclose(contrast, 0) and np.allclose(homogeneity, 1) and np.allclose(product, 4)


def test_deep_features_are_what_the_verdict_network_judges_by(weights):
    import torch

    from nerve_core.inference.predictor import Predictor
    from nerve_core.models.checkpoint import load_checkpoint

    picture, mask = drawn(3)
    deep = DeepFeatures(weights)
    found = deep(picture, mask > 0)
    assert (
        found.shape == (256,) and found.dtype == np.float32 and np.array_equal(found, deep(picture, mask > 0))
    )
    head = load_checkpoint(weights)[0].verdict.head
    # Over a crop and its mirror image the head is nearly linear: its answer to their mean is near the mean.
    with torch.inference_mode():
        logit = float(head(torch.from_numpy(found)[None]))
    assert logit == pytest.approx(Predictor(weights, "cpu", "torch").logit(picture, mask), abs=0.05)


def test_deep_features_without_weights(tmp_path):
    with pytest.raises(CheckpointError, match="get them first"):
        DeepFeatures(tmp_path / "none")
