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
        level: float32 (H, W), local standard deviation of the grain in grey levels.
        size: grain half-size (x, y) in px.
    """

    structure: np.ndarray
    grain: np.ndarray
    level: np.ndarray
    size: tuple[float, float]


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
    """Take a uint8 scan (H, W) apart with a self-guided filter (He 2013, doi 10.1109/TPAMI.2012.213).

    The window spans about two grains; the filter's noise level is the median local variance, so speckle
    goes to the grain while outlines, fascia and fascicle borders stay in the structure.
    """
    whole = image.astype(np.float32)
    sx, sy = grain_size(whole)
    window = (2 * int(np.ceil(2.0 * sx)) + 1, 2 * int(np.ceil(2.0 * sy)) + 1)
    mean = cv2.blur(whole, window)
    variance = np.maximum(cv2.blur(whole * whole, window) - mean * mean, 0)
    lively = variance[::2, ::2]
    lively = lively[lively > 0.5]
    noise = NOISE * float(np.percentile(lively, 30)) if lively.size else 1.0
    slope = variance / (variance + noise)
    structure = cv2.blur(slope, window) * whole + cv2.blur(mean - slope * mean, window)
    grain = whole - structure
    level = np.sqrt(np.maximum(cv2.blur(grain * grain, (2 * window[0] + 1, 2 * window[1] + 1)), 0))
    return Layers(structure, grain, level, (sx, sy))


def mottle(shape: tuple[int, int], size: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Plain speckle of unit strength and the scan's grain size: what homogeneous tissue shows."""
    noise = cv2.GaussianBlur(
        rng.standard_normal(shape, np.float32), (0, 0), 1.4 * size[0], sigmaY=1.4 * size[1]
    )
    return noise / max(float(noise.std()), 1e-6)
