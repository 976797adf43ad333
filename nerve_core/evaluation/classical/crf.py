"""A fully connected conditional random field that draws a network's soft map to the edges of the picture.

Krähenbühl & Koltun 2011: every pixel is joined with every other, by nearness and by nearness in place and
grey level together. Mean-field updates need one Gaussian filter for each; the second is taken on a
bilateral grid (Chen, Paris & Durand 2007), which makes it a plain three-dimensional blur.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from nerve_core.evaluation.classical.view import smooth

STEPS = 5
"""Mean-field updates; the answer hardly moves after them."""


@dataclass(frozen=True)
class Crf:
    """Settings of the random field.

    Attributes:
        near: weight of the smoothness term.
        near_sigma: its reach, px.
        alike: weight of the appearance term.
        alike_sigma: its reach in place, px.
        grey_sigma: its reach in grey level, of 0 to 255.
        unary: weight of the network's logit.
    """

    near: float = 1.0
    near_sigma: float = 2.0
    alike: float = 2.0
    alike_sigma: float = 20.0
    grey_sigma: float = 20.0
    unary: float = 1.0


def refine(probability: np.ndarray, grey: np.ndarray, how: Crf) -> np.ndarray:
    """Mean-field marginals of nerve, float32 (H, W), 0 to 1.

    Args:
        probability: float (H, W), 0 to 1, of the network.
        grey: uint8 (H, W), the picture.
        how: settings.
    """
    share = np.clip(np.asarray(probability, np.float64), 1e-4, 1 - 1e-4)
    logit = how.unary * (np.log(share) - np.log1p(-share))
    grid = BilateralGrid(grey, how.alike_sigma, how.grey_sigma)
    for _ in range(STEPS):
        # Potts model: each neighbour pulls towards its own side by how sure it is, from -1 to 1.
        side = 2 * share - 1
        pull = how.near * smooth(side, how.near_sigma) + how.alike * grid.blur(side)
        share = 0.5 * (1 + np.tanh(0.5 * (logit + pull)))
    return share.astype(np.float32)


class BilateralGrid:
    """Weighted mean over pixels near in place and grey level.

    Args:
        grey: uint8 (H, W).
        place: standard deviation in place, px.
        level: standard deviation in grey level.
    """

    def __init__(self, grey: np.ndarray, place: float, level: float) -> None:
        height, width = grey.shape
        rows, columns = np.mgrid[:height, :width]
        # Cells of one standard deviation, and a margin for the blur.
        self.at = np.stack([rows / place, columns / place, grey / level]) + 2.0
        self.shape = tuple(int(top) + 4 for top in self.at.reshape(3, -1).max(1))
        low = np.floor(self.at).astype(int)
        part = self.at - low
        self.cells: list[np.ndarray] = []
        self.parts: list[np.ndarray] = []
        for corner in np.ndindex(2, 2, 2):
            self.cells.append(
                np.ravel_multi_index(tuple(low[k] + corner[k] for k in range(3)), self.shape).ravel()
            )
            self.parts.append(
                np.prod([part[k] if corner[k] else 1 - part[k] for k in range(3)], axis=0).ravel()
            )
        self.total = self._spread(np.ones(grey.shape))

    def blur(self, values: np.ndarray) -> np.ndarray:
        """Mean of the values (H, W) over alike pixels, float64 (H, W)."""
        return self._spread(values) / np.maximum(self.total, 1e-9)

    def _spread(self, values: np.ndarray) -> np.ndarray:
        size = int(np.prod(self.shape))
        grid = sum(
            np.bincount(cell, part * values.ravel(), size)
            for cell, part in zip(self.cells, self.parts, strict=True)
        )
        # Splatting and slicing blur by half a cell each already.
        blurred = gaussian_filter(grid.reshape(self.shape), 0.8, mode="constant", truncate=3)
        return map_coordinates(blurred, self.at, order=1)
