"""Regions between edges: Sobel, Prewitt and Canny, closed and filled."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.regions import MOST, filled, parts
from nerve_core.evaluation.classical.view import View, closed, round_kernel, smooth

PREWITT = np.array([[-1, 0, 1]] * 3, np.float32)


@dataclass(frozen=True)
class GradientEdges:
    """Settings of Sobel and Prewitt.

    Attributes:
        sigma: Gaussian filter before, px.
        strength: share of the pixels that are no edge.
        closing: radius of the closing that joins edges, share of the picture's side.
    """

    sigma: float = 3.0
    strength: float = 0.8
    closing: float = 0.01


@dataclass(frozen=True)
class Canny:
    """Settings of Canny; ``strong`` and ``weak`` are shares of pixels with a weaker gradient."""

    sigma: float = 3.0
    strong: float = 0.9
    weak: float = 0.7
    closing: float = 0.015


def sobel(view: View, prior: Prior, how: GradientEdges) -> list[np.ndarray]:
    """Regions between the edges that the Sobel operator finds (Sobel & Feldman 1968)."""
    calm = smooth(view.level, how.sigma)
    gradient = np.hypot(cv2.Sobel(calm, cv2.CV_32F, 1, 0), cv2.Sobel(calm, cv2.CV_32F, 0, 1))
    return _between(gradient >= np.quantile(gradient, how.strength), view, prior, how.closing)


def prewitt(view: View, prior: Prior, how: GradientEdges) -> list[np.ndarray]:
    """Regions between the edges that the Prewitt operator finds (Prewitt 1970)."""
    calm = smooth(view.level, how.sigma)
    gradient = np.hypot(cv2.filter2D(calm, cv2.CV_32F, PREWITT), cv2.filter2D(calm, cv2.CV_32F, PREWITT.T))
    return _between(gradient >= np.quantile(gradient, how.strength), view, prior, how.closing)


def canny(view: View, prior: Prior, how: Canny) -> list[np.ndarray]:
    """Regions between Canny's edges (Canny 1986) after closing, and the edges filled."""
    calm = smooth(view.level, how.sigma)
    across, down = (cv2.Sobel(calm, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    # Canny wants 16-bit gradients; the scale keeps three digits of them.
    scale = 8000 / max(float(np.abs(across).max()), float(np.abs(down).max()), 1e-6)
    size = np.hypot(across, down) * scale
    weak, strong = np.quantile(size, (min(how.weak, how.strong), how.strong))
    edges = cv2.Canny(
        (across * scale).astype(np.int16), (down * scale).astype(np.int16), weak, strong, L2gradient=True
    )
    # Edges one px wide have gaps; wider ones shut them, and the parts grow back to the middle of them.
    wider = cv2.dilate(edges, round_kernel(max(1, round(how.closing * view.unit))))
    return _between(wider > 0, view, prior, how.closing)


def _between(edges: np.ndarray, view: View, prior: Prior, closing: float) -> list[np.ndarray]:
    """What edges part: every free part, grown to the middle of the edges around it, and the edges filled."""
    joined = closed(edges.astype(np.uint8), view, closing)
    if joined.all() or not joined.any():
        return []
    # Parts hang together along rows and columns alone: a diagonal edge one px wide must hold.
    free_parts = cv2.connectedComponents(1 - joined, connectivity=4)[1]
    _, pixel = cv2.distanceTransformWithLabels(
        joined, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    part_of = np.zeros(int(pixel.max()) + 1, np.int32)
    part_of[pixel[joined == 0]] = free_parts[joined == 0]
    nearest = part_of[pixel]
    areas = np.bincount(free_parts[joined == 0])
    order = np.argsort(-areas, kind="stable")[:MOST]
    free = [filled(nearest == part) for part in order if areas[part] >= prior.least(view)]
    return [*free, *parts(joined, prior.least(view))]
