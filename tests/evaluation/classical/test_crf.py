"""The random field against what is known of it, and its bilateral grid against the sum it stands for."""

from __future__ import annotations

import numpy as np

from nerve_core.evaluation.classical.crf import BilateralGrid, Crf, refine


def test_without_neighbours_the_network_is_left_alone():
    probability = np.random.default_rng(0).uniform(0.01, 0.99, (20, 30))
    grey = np.zeros((20, 30), np.uint8)
    same = refine(probability, grey, Crf(near=0, alike=0))
    assert np.allclose(same, probability, atol=1e-5)


def test_edges_of_the_picture_draw_the_map():
    """A map that leaks over an edge is pulled back to it; without the appearance term it is not."""
    grey = np.full((60, 60), 40, np.uint8)
    grey[:, 30:] = 200
    probability = np.full((60, 60), 0.1)
    probability[:, :34] = 0.6
    probability[:, :26] = 0.9
    drawn = refine(probability, grey, Crf(near=0.5, alike=4.0, alike_sigma=15, grey_sigma=15)) >= 0.5
    assert drawn[:, :29].all() and not drawn[:, 32:].any()
    alone = refine(probability, grey, Crf(near=0.5, alike=0.0)) >= 0.5
    assert alone[:, 32].all()


def test_a_speck_goes():
    probability = np.full((40, 40), 0.05)
    probability[20, 20] = 0.7
    assert refine(probability, np.full((40, 40), 90, np.uint8), Crf(near=3.0, alike=0.0)).max() < 0.5


def test_the_grid_is_the_bilateral_mean():
    rng = np.random.default_rng(1)
    grey = np.where(np.arange(24)[None] < 12, 60, 180) + rng.integers(-15, 16, (18, 24))
    values = rng.normal(size=grey.shape)
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]]
    points = np.column_stack([rows.ravel() / 6, columns.ravel() / 6, grey.ravel() / 25])
    weights = np.exp(-0.5 * ((points[:, None] - points[None]) ** 2).sum(-1))
    exact = (weights @ values.ravel() / weights.sum(1)).reshape(grey.shape)
    found = BilateralGrid(grey.astype(np.uint8), 6, 25).blur(values)
    assert np.abs(found - exact).max() < 0.05 < np.abs(exact).max()
    assert np.allclose(BilateralGrid(grey.astype(np.uint8), 6, 25).blur(np.ones(grey.shape)), 1)
