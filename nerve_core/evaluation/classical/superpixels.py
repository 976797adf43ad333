"""Superpixels and what classifiers are told of each: grey level, edges, texture and place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.feature import local_binary_pattern
from skimage.segmentation import slic

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.view import View, smooth

SEGMENTS = 450
"""Superpixels asked for: some twenty in a nerve of middling size."""

SCALES = (1.5, 3.0, 6.0, 12.0)
"""Standard deviations of the Gaussian filters, px."""

LBP_RADII = (1, 3)
OFFSETS = ((0, 3), (3, 0))
"""(rows, columns) between the two pixels of a co-occurrence."""

AROUND = 24
"""Distance at which the four neighbourhoods are looked at, px."""


@dataclass(frozen=True, eq=False)
class Superpixels:
    """A view in superpixels.

    Attributes:
        labels: int (H, W), 0 to N - 1.
        features: float32 (N, F).
    """

    labels: np.ndarray
    features: np.ndarray

    def share(self, mask: np.ndarray) -> np.ndarray:
        """How much of each superpixel a mask (H, W) covers, float64 (N,)."""
        return _means(self.labels, [mask.astype(np.float32)], len(self.features))[:, 0]

    def paint(self, values: np.ndarray) -> np.ndarray:
        """A value each (N,) as a picture, float32 (H, W)."""
        return np.asarray(values, np.float32)[self.labels]


def superpixels(view: View, prior: Prior) -> Superpixels:
    """SLIC superpixels (Achanta et al. 2012) and their features; with a click also their place against it."""
    labels = slic(
        smooth(view.grey, 1.0) / 255,
        n_segments=SEGMENTS,
        compactness=0.1,
        max_num_iter=5,
        start_label=0,
        channel_axis=None,
        enforce_connectivity=True,
    )
    labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    count = int(labels.max()) + 1
    maps = pixel_maps(view, prior.places(view))
    means = _means(labels, maps, count)
    spread = _means(labels, [view.level**2], count)[:, 0] - means[:, 0] ** 2
    parts = [means, np.sqrt(np.maximum(spread, 0))[:, None]]
    if view.click is not None:
        x, y = view.click
        radius = prior.radius(view)
        rows, columns = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32)
        place = _means(labels, [(columns - x) / radius, (rows - y) / radius], count)
        own = labels[round(y), round(x)]
        # How unlike the clicked superpixel, in grey level at every scale and in the first gradients.
        unlike = np.abs(means[:, : 2 * len(SCALES)] - means[own, : 2 * len(SCALES)])
        parts += [place, np.hypot(*place.T)[:, None], unlike]
    return Superpixels(labels, np.concatenate(parts, 1).astype(np.float32))


def pixel_maps(view: View, places: np.ndarray) -> list[np.ndarray]:
    """Feature maps float32 (H, W): smoothed levels, gradients, blobs, spread, LBP, co-occurrence, place."""
    level = view.level
    calm = [smooth(level, sigma) for sigma in SCALES]
    maps = [level, *calm]
    maps += [np.hypot(cv2.Sobel(one, cv2.CV_32F, 1, 0), cv2.Sobel(one, cv2.CV_32F, 0, 1)) for one in calm[:3]]
    maps += [cv2.Laplacian(one, cv2.CV_32F) * sigma**2 for one, sigma in zip(calm, SCALES, strict=True)]
    for side in (9, 21):
        mean = cv2.blur(level, (side, side))
        maps.append(np.sqrt(np.maximum(cv2.blur(level**2, (side, side)) - mean**2, 0)))
    for radius in LBP_RADII:
        codes = local_binary_pattern(view.grey, 8, radius, "uniform")
        maps += [cv2.blur((codes == code).astype(np.float32), (9, 9)) for code in range(10)]
    for offset in OFFSETS:
        maps += cooccurrence_maps(level, offset)
    for rows, columns in ((-AROUND, 0), (AROUND, 0), (0, -AROUND), (0, AROUND)):
        maps.append(_shifted(calm[2], rows, columns))
    height, width = level.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return [*maps, rows / height, columns / width, places.astype(np.float32)]


def cooccurrence_maps(level: np.ndarray, offset: tuple[int, int]) -> list[np.ndarray]:
    """Contrast, homogeneity and product of grey levels ``offset`` apart, mean over 15 × 15 px each.

    The same sums that a co-occurrence matrix of that neighbourhood gives (Haralick 1973), taken directly.
    """
    other = _shifted(level, *offset)
    squared = (level - other) ** 2
    return [cv2.blur(one, (15, 15)) for one in (squared, 1 / (1 + squared), level * other)]


def _shifted(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Values ``rows`` and ``columns`` farther on; beyond the border the last ones repeat."""
    matrix = np.array([[1, 0, -columns], [0, 1, -rows]], np.float64)
    size = values.shape[::-1]
    return cv2.warpAffine(values, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def _means(labels: np.ndarray, maps: list[np.ndarray], count: int) -> np.ndarray:
    flat = labels.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    return np.column_stack([np.bincount(flat, one.ravel(), count) / size for one in maps])
