import cv2
import numpy as np
import pytest
from scipy import ndimage

from nerve_core.imaging.denoise import DENOISERS, DIFFUSION_KAPPA, DIFFUSION_RATE, diffusion, wavelet
from tests.imaging.build import tissue

STRENGTH = {"median": 5, "gaussian_sigma": 1.5, "bilateral": 60.0, "diffusion_steps": 20, "wavelet": 1.0}


def noisy_edge():
    """A step of 120 grey levels, and the same under noise of 12."""
    clean = np.full((96, 96), 60, np.uint8)
    clean[:, 48:] = 180
    noise = np.random.default_rng(0).normal(0, 12, clean.shape)
    return clean, np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", DENOISERS)
def test_noise_falls_and_the_edge_stays(name):
    _, noisy = noisy_edge()
    before = noisy.copy()
    smooth = DENOISERS[name](noisy, STRENGTH[name])
    assert smooth.dtype == np.uint8 and smooth.shape == noisy.shape
    assert np.array_equal(noisy, before), "the input is left alone"
    assert smooth[:, 8:40].std() < 0.75 * noisy[:, 8:40].std()
    assert smooth[:, 60:].mean() - smooth[:, :36].mean() == pytest.approx(120, abs=3)
    rows = smooth[:, 44:52].astype(float).mean(axis=0)
    assert rows[-1] - rows[0] > 85


@pytest.mark.parametrize("name", DENOISERS)
def test_a_flat_image_stays_flat(name):
    flat = np.full((64, 64), 77, np.uint8)
    assert np.array_equal(DENOISERS[name](flat, STRENGTH[name]), flat)


def test_diffusion_is_the_published_scheme():
    """One step against the four-neighbour formula of Perona and Malik, written out with shifts."""
    image = tissue(40, 50).astype(np.float64)
    flux = np.zeros_like(image)
    for shift in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        # mode nearest makes the difference across the border 0: no flux leaves the image
        step = ndimage.shift(image, shift, order=0, mode="nearest") - image
        flux += np.exp(-((step / DIFFUSION_KAPPA) ** 2)) * step
    expected = np.rint(image + DIFFUSION_RATE * flux)
    assert np.abs(diffusion(tissue(40, 50), 1).astype(float) - expected).max() <= 1


def test_diffusion_keeps_the_mean_and_a_strong_edge_better_than_gaussian():
    clean, noisy = noisy_edge()
    smooth = diffusion(noisy, 30)
    assert smooth.mean() == pytest.approx(noisy.mean(), abs=0.5)
    blurred = cv2.GaussianBlur(noisy, (0, 0), 3)
    edge = slice(45, 51)
    error = np.abs(smooth[:, edge].astype(int) - clean[:, edge]).mean()
    assert error < 0.5 * np.abs(blurred[:, edge].astype(int) - clean[:, edge]).mean()


def test_wavelet_methods_differ_and_visushrink_is_smoother():
    _, noisy = noisy_edge()
    bayes, visu = wavelet(noisy, 1.0, "BayesShrink"), wavelet(noisy, 1.0, "VisuShrink")
    assert not np.array_equal(bayes, visu)
    assert visu[:, 8:40].std() <= bayes[:, 8:40].std()


def test_more_strength_smooths_more():
    _, noisy = noisy_edge()
    for name, (weak, strong) in {
        "diffusion_steps": (2, 40),
        "gaussian_sigma": (0.5, 3),
        "median": (3, 9),
    }.items():
        assert DENOISERS[name](noisy, strong)[:, 8:40].std() < DENOISERS[name](noisy, weak)[:, 8:40].std()
