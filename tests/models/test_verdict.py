"""Crops keep a nerve's place and size, and the head reads the nerve and its rim alone."""

import numpy as np
import pytest
import torch

from nerve_core.models.verdict import CROP, VerdictNet, crop_window, cut, normalise_crop, pool_by_region


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("flip", [False, True])
def test_the_nerve_fills_the_same_share_of_every_crop(scale: float, flip: bool) -> None:
    mask = disc((int(200 * scale), int(300 * scale)), 150 * scale, 90 * scale, 40 * scale)
    crop, soft = cut(mask * np.uint8(200), mask, crop_window(mask, context=2.0), flip=flip)
    assert crop.shape == soft.shape == (CROP, CROP)
    assert np.isclose(soft.mean(), np.pi / 16, rtol=0.06)
    rows, columns = np.nonzero(soft > 0.5)
    assert np.allclose([rows.mean(), columns.mean()], (CROP - 1) / 2, atol=1.0)
    assert np.corrcoef(crop.ravel(), soft.ravel())[0, 1] > 0.98


def test_beyond_the_border_the_edge_repeats() -> None:
    image = np.full((50, 50), 120, np.uint8)
    crop, soft = cut(image, disc((50, 50), 2, 2, 12), crop_window(disc((50, 50), 2, 2, 12)))
    assert (crop == 120).all()
    assert soft.max() == 1.0


def test_pooling_means_over_nerve_rim_and_surroundings() -> None:
    masks = torch.zeros(1, 1, CROP, CROP)
    masks[:, :, 40:88, 40:88] = 1
    side = CROP // 4
    features = torch.zeros(1, 2, side, side)
    features[:, 0, 12:20, 12:20] = 3.0
    features[:, 1] = 1.0
    nerve, rim, around, spread = pool_by_region(features, masks)
    assert nerve[0, 0] == pytest.approx(3.0 * 64 / 144, rel=1e-3)
    assert rim[0, 0] == 0
    assert around[0, 0] == 0
    assert torch.allclose(torch.stack([nerve, rim, around])[:, 0, 1], torch.ones(3), atol=1e-3)
    assert spread[0, 0] > 1
    assert spread[0, 1] < 0.02


def test_far_tissue_is_not_pooled() -> None:
    masks = torch.zeros(1, 1, CROP, CROP)
    masks[:, :, 48:80, 48:80] = 1
    features = torch.randn(1, 4, CROP // 4, CROP // 4)
    other = features.clone()
    other[..., :4, :] += 100
    for before, after in zip(pool_by_region(features, masks), pool_by_region(other, masks), strict=True):
        assert torch.equal(before, after)


def test_one_logit_a_nerve() -> None:
    net = VerdictNet(pretrained=False).eval()
    crops, masks = torch.randn(3, 1, CROP, CROP), torch.rand(3, 1, CROP, CROP)
    logits = net(crops, masks)
    assert logits.shape == (3,)
    assert torch.isfinite(logits).all()


def test_a_blank_crop_is_finite() -> None:
    assert (normalise_crop(np.full((CROP, CROP), 7, np.uint8)) == 0).all()
