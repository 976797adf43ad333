"""The two layers of a scan: what is there (structure) and the speckle grain on it.

In a log-compressed scan fully developed speckle is an additive grain whose strength hardly depends on
the echo level (Dutt and Greenleaf 1996, doi 10.1109/58.535487) and whose size depends on the machine and
the depth, not on the tissue. Echo and contrast are changed on the structure alone, so that the grain keeps
its strength; what a warp does to the grain is put right afterwards (see ``texture``).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

NOISE = 3.0
"""Local variance up to which texture counts as grain, in units of that of the scan's calm parts."""


@dataclass
class Layers:
    """A scan taken apart; ``structure + grain`` is the scan.

    Attributes:
        structure: float32 (H, W), grey levels, edges kept.
        grain: float32 (H, W), grey levels about 0.
        size: grain half-size (x, y) in px.
        noise: local variance up to which texture counts as grain, grey levels squared.
    """

    structure: np.ndarray
    grain: np.ndarray
    size: tuple[float, float]
    noise: float


def grain_size(image: np.ndarray) -> tuple[float, float]:
    """Standard deviation (x, y) in px of the grain's autocorrelation, from its value one pixel apart."""
    fine = image - cv2.GaussianBlur(image, (0, 0), 4)
    power = float((fine * fine).mean()) + 1e-6
    sizes = []
    for one, other in ((fine[:, 1:], fine[:, :-1]), (fine[1:], fine[:-1])):
        r = float((one * other).mean()) / power if one.size else 0.0
        sizes.append(float(np.clip(np.sqrt(-0.5 / np.log(np.clip(r, 0.05, 0.99))), 0.6, 4.0)))
    return sizes[0], sizes[1]


def split(image: np.ndarray) -> Layers:
    """Take a uint8 scan (H, W) apart; the noise level comes from its calmer parts."""
    whole = image.astype(np.float32)
    size = grain_size(whole)
    lively = _moments(whole, size)[1][::2, ::2]
    lively = lively[lively > 0.5]
    noise = NOISE * float(np.percentile(lively, 30)) if lively.size else 1.0
    structure = structure_of(whole, size, noise)
    return Layers(structure, whole - structure, size, noise)


def structure_of(whole: np.ndarray, size: tuple[float, float], noise: float) -> np.ndarray:
    """What is left of a picture, float32 (h, w), without its grain: a self-guided filter (He 2013, doi
    10.1109/TPAMI.2012.213).

    The window spans about two grains, so speckle is taken off while outlines, fascia and fascicle borders
    stay.
    """
    mean, variance = _moments(whole, size)
    slope = variance / (variance + np.float32(noise))
    window = _window(size)
    return cv2.blur(slope, window) * whole + cv2.blur(mean - slope * mean, window)


def strength(grain: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Local standard deviation of the grain, float32 (h, w), grey levels."""
    wide, high = _window(size)
    return np.sqrt(np.maximum(cv2.blur(grain * grain, (2 * wide + 1, 2 * high + 1)), 0))


def _window(size: tuple[float, float]) -> tuple[int, int]:
    return 2 * int(np.ceil(2.0 * size[0])) + 1, 2 * int(np.ceil(2.0 * size[1])) + 1


def _moments(whole: np.ndarray, size: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    window = _window(size)
    mean = cv2.blur(whole, window)
    return mean, np.maximum(cv2.blur(whole * whole, window) - mean * mean, 0)


def mottle(shape: tuple[int, int], size: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Plain speckle of unit strength and the scan's grain size: what homogeneous tissue shows."""
    noise = cv2.GaussianBlur(
        rng.standard_normal(shape, np.float32), (0, 0), 1.4 * size[0], sigmaY=1.4 * size[1]
    )
    return noise / max(float(noise.std()), 1e-6)
