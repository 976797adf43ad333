"""The two layers of a scan: what is there (structure) and the speckle grain on it.

In a log-compressed scan fully developed speckle is an additive grain whose strength hardly depends on
the echo level (Dutt and Greenleaf 1996, doi 10.1109/58.535487) and whose size depends on the machine and
the depth, not on the tissue. A warp that stretched it would betray itself, so structure is warped and
the grain is laid on afresh, with the strength and the size it has at that depth in the same scan.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


NOISE = 3.0
"""Local variance, in units of that of the scan's calm parts (30th percentile), up to which texture counts as grain."""


@dataclass
class Layers:
    """A scan taken apart; ``structure + grain`` is the scan.

    Attributes:
        structure: float32 (H, W), grey levels, edges kept.
        grain: float32 (H, W), grey levels about 0.
        level: float32 (H, W), local standard deviation of the grain in grey levels.
        target: float32 (H, W), standard deviation that fresh grain needs for the same texture.
        size: grain half-size (x, y) in px.
        by_grey: float32 (17,) usual grain strength at structure levels 0, 16, ..., 256.
    """

    structure: np.ndarray
    grain: np.ndarray
    level: np.ndarray
    target: np.ndarray
    size: tuple[float, float]
    by_grey: np.ndarray

    def strength(self, structure: np.ndarray) -> np.ndarray:
        """Usual grain strength (grey levels) where the structure has the given level."""
        at = np.clip(structure, 0, 255) / np.float32(16)
        low = at.astype(np.int32)
        part = at - low
        return self.by_grey[low] * (1 - part) + self.by_grey[np.minimum(low + 1, 16)] * part


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
    wide = (2 * window[0] + 1, 2 * window[1] + 1)
    own = np.maximum(cv2.blur(grain * grain, wide), 0)
    # What the scan loses when its grain is taken off: more than the grain's own power, since the two
    # layers rise and fall together. Grain laid on afresh does not, and must make up for it.
    fine = structure - cv2.blur(structure, window)
    lost = cv2.blur(variance, wide) - cv2.blur(fine * fine, wide)
    level = np.sqrt(own)
    target = np.sqrt(np.clip(lost, own, 1.8 * own))
    bins = np.clip(structure / 16 + 0.5, 0, 16).astype(np.int32).ravel()
    count = np.bincount(bins, minlength=17).astype(np.float64)
    total = np.bincount(bins, weights=target.ravel(), minlength=17)
    seen = count > 20
    if not seen.any():
        seen = count > 0
    by_grey = np.interp(np.arange(17), np.flatnonzero(seen), total[seen] / count[seen])
    by_grey = np.convolve(np.pad(by_grey, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    return Layers(structure, grain, level, target, (sx, sy), np.maximum(by_grey, 0.25).astype(np.float32))


def donor(layers: Layers, inside: np.ndarray, rows: slice, columns: slice, rng: np.random.Generator) -> np.ndarray:
    """Grain of unit strength for a window, taken un-warped from the same depth elsewhere in the scan.

    The columns that lie inside the ultrasound field (``inside`` > 4 px at the window's middle row) are
    continued by mirroring, so a window may be as wide as the scan. Of four random sideways shifts the
    one whose source holds most living tissue is taken.
    """
    along = np.arange(columns.start, columns.stop)
    usable = np.flatnonzero(inside[(rows.start + rows.stop) // 2] > 4)
    if usable.size < 8:
        usable = np.arange(layers.structure.shape[1])
    first, width = int(usable[0]), int(usable[-1] - usable[0] + 1)
    best, most = along, -1.0
    for _ in range(4):
        shifted = (along - first + int(rng.integers(width // 4 + 1, 2 * width - width // 4))) % (2 * width)
        shifted = first + np.where(shifted < width, shifted, 2 * width - 1 - shifted)
        alive = float((layers.level[rows.start : rows.stop : 4, shifted[::4]] > 1).mean())
        if alive > most:
            best, most = shifted, alive
    unit = layers.grain[rows][:, best] / np.maximum(layers.level[rows][:, best], 0.5)
    return np.clip(unit, -3.5, 3.5)


def mottle(shape: tuple[int, int], size: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Plain speckle of unit strength and the scan's grain size: what homogeneous tissue shows."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 1.4 * size[0], sigmaY=1.4 * size[1])
    return noise / max(float(noise.std()), 1e-6)
