"""Speckle and noise filters, each ``(grey uint8 (H, W), strength) -> uint8 (H, W)``; strength 0 is off.

Scans reach these filters log-compressed, where multiplicative speckle is close to additive, so filters
made for additive noise apply as they are. Units of length are px of the image given.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

BILATERAL_SIGMA_SPACE = 3.0
"""Spatial sigma of the bilateral filter, px."""
DIFFUSION_KAPPA = 20.0
"""Grey-level step at which anisotropic diffusion has fallen to exp(-1): larger steps are edges."""
DIFFUSION_RATE = 0.2
"""Fraction of the flux applied a step; above 0.25 the explicit four-neighbour scheme is unstable."""
MIN_NOISE = 0.1
"""Noise, in grey levels, below which wavelet shrinkage leaves an image as it is."""
WAVELET_METHODS = ("BayesShrink", "VisuShrink")


def median(grey: np.ndarray, kernel: float) -> np.ndarray:
    """Median over a ``kernel`` x ``kernel`` window, odd, px."""
    return cv2.medianBlur(grey, int(kernel))


def gaussian(grey: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, sigma in px."""
    return cv2.GaussianBlur(grey, (0, 0), sigma)


def bilateral(grey: np.ndarray, strength: float) -> np.ndarray:
    """Edge-keeping smoothing (Tomasi and Manduchi 1998); strength is the range sigma in grey levels."""
    return cv2.bilateralFilter(grey, 0, strength, BILATERAL_SIGMA_SPACE)


def diffusion(grey: np.ndarray, steps: float) -> np.ndarray:
    """Anisotropic diffusion with exponential conductance (Perona and Malik 1990, equation 8)."""
    image = grey.astype(np.float32)
    for _ in range(int(steps)):
        down, right = np.diff(image, axis=0), np.diff(image, axis=1)
        down *= DIFFUSION_RATE * np.exp(-((down / DIFFUSION_KAPPA) ** 2))
        right *= DIFFUSION_RATE * np.exp(-((right / DIFFUSION_KAPPA) ** 2))
        image[:-1] += down
        image[1:] -= down
        image[:, :-1] += right
        image[:, 1:] -= right
    return _to_uint8(image)


def wavelet(grey: np.ndarray, strength: float, method: str = "BayesShrink") -> np.ndarray:
    """Soft wavelet shrinkage; strength multiplies the noise level estimated from the image.

    Args:
        method: ``BayesShrink`` (Chang 2000, a threshold a band) or ``VisuShrink`` (Donoho and
            Johnstone 1994, one universal threshold, smoother).
    """
    from skimage.restoration import denoise_wavelet, estimate_sigma

    if int(grey.min()) == int(grey.max()):
        return grey.copy()
    image = grey.astype(np.float32) / 255.0
    sigma = strength * float(estimate_sigma(image))
    if not sigma >= MIN_NOISE / 255.0:  # NaN when all detail is zero; skimage divides by the noise level
        return grey.copy()
    shrunk = denoise_wavelet(image, sigma=sigma, method=method, mode="soft", rescale_sigma=True)
    return _to_uint8(shrunk * 255.0)


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


DENOISERS: dict[str, Callable[..., np.ndarray]] = {
    "median": median,
    "gaussian_sigma": gaussian,
    "bilateral": bilateral,
    "diffusion_steps": diffusion,
    "wavelet": wavelet,
}
"""Filters by the name of their setting in ``Preprocess``, in the order in which they are applied."""
