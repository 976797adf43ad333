"""The picture that classical methods work on: a scan's ultrasound region at one size, with the way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from nerve_core.imaging.preprocess import Prepared, Preprocess
from nerve_core.imaging.scan import Scan

SIZE = 256
"""Longer side of the picture, px: enough for an outline, and every filter costs the same for every upload."""


@dataclass(frozen=True, eq=False)
class View:
    """A scan at working size.

    Attributes:
        grey: uint8 (H, W), the longer side ``SIZE`` px.
        prepared: the step from the scan to it, which leads back.
        click: (x, y) px of ``grey``, or None.
    """

    grey: np.ndarray
    prepared: Prepared
    click: tuple[float, float] | None = None

    @property
    def unit(self) -> float:
        """√(H·W) px; lengths are given as shares of it, so that they do not depend on the picture's shape."""
        return float(np.sqrt(self.grey.size))

    @cached_property
    def level(self) -> np.ndarray:
        """Grey levels with mean 0 and standard deviation 1, float32 (H, W)."""
        grey = self.grey.astype(np.float32)
        return (grey - grey.mean()) / max(float(grey.std()), 2.0)

    @cached_property
    def calm(self) -> np.ndarray:
        """``level`` with the speckle smoothed away, float32 (H, W)."""
        return smooth(self.level, 1.5)

    def to_scan(self, values: np.ndarray) -> np.ndarray:
        """A map (H, W) of the view in the scan's own pixels, float32; 0 outside the region used."""
        top, left, bottom, right = self.prepared.valid
        whole = np.zeros(self.prepared.tensor.shape, np.float32)
        whole[top:bottom, left:right] = values
        return self.prepared.to_scan_map(whole)

    def from_scan(self, values: np.ndarray) -> np.ndarray:
        """A map of the scan's size, such as a mask, at the size of the view, float32 (H, W)."""
        top, left, bottom, right = self.prepared.valid
        return self.prepared.to_network_map(values)[top:bottom, left:right]


def view_of(
    scan: Scan, click: tuple[float, float] | None = None, preprocess: Preprocess | None = None
) -> View:
    """A scan at working size.

    Args:
        scan: in any size.
        click: (x, y) px of the scan; one outside the region used is moved to its edge.
        preprocess: filters to run first; its ``size`` is ignored.
    """
    how = preprocess or Preprocess(size=SIZE)
    if how.size != SIZE:
        how = Preprocess.from_dict({**how.to_dict(), "size": SIZE})
    prepared = how.apply(scan)
    top, left, bottom, right = prepared.valid
    grey = np.ascontiguousarray(prepared.grey[top:bottom, left:right])
    if click is not None:
        x, y = prepared.to_network_xy(*click)
        click = (
            float(np.clip(x - left, 0, grey.shape[1] - 1)),
            float(np.clip(y - top, 0, grey.shape[0] - 1)),
        )
    return View(grey, prepared, click)


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian filter, float32; a sigma of 0 leaves the values alone."""
    values = np.asarray(values, np.float32)
    return cv2.GaussianBlur(values, (0, 0), sigma) if sigma > 0 else values


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    """uint8 (H, W), 1 within ``radius`` px of (x, y)."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).astype(np.uint8)


def round_kernel(radius: int) -> np.ndarray:
    """Round structuring element of a radius in px."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def opened(binary: np.ndarray, view: View, share: float) -> np.ndarray:
    """Binary opening by a disc whose radius is a share of the view's unit; 0 leaves it alone."""
    radius = round(share * view.unit)
    return cv2.morphologyEx(binary, cv2.MORPH_OPEN, round_kernel(radius)) if radius else binary


def closed(binary: np.ndarray, view: View, share: float) -> np.ndarray:
    """Binary closing by a disc whose radius is a share of the view's unit; 0 leaves it alone."""
    radius = round(share * view.unit)
    return cv2.morphologyEx(binary, cv2.MORPH_CLOSE, round_kernel(radius)) if radius else binary
