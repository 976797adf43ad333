"""Whether a translation leaves the anatomy, and so the mask, where it was."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import nn

from nerve_core.data.dataset import ContourTruth
from nerve_core.data.packed import Packed

EDGE_SIGMA = 2.0
"""Smoothing before the gradient, px at a long side of 256: edges of tissue, not of speckle."""


def edge_correlation(before: np.ndarray, after: np.ndarray) -> float:
    """Pearson correlation of the gradient magnitudes of two uint8 pictures of one size.

    1 when every edge is where it was and as strong beside the others; 0 when they have nothing in common.
    """
    edges = []
    for picture in (before, after):
        sigma = EDGE_SIGMA * max(picture.shape) / 256
        smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma)
        edges.append(np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1)).ravel())
    if min(part.std() for part in edges) == 0:
        return 0.0
    return float(np.corrcoef(*edges)[0, 1])


@torch.no_grad()
def contour_dice(network: nn.Module, packed: Packed, size: int, click: bool = False) -> np.ndarray:
    """Dice of a contour network on each picture, float64 (N,): does the mask still show it a nerve?

    Args:
        network: (1, 2, size, size) to logits, as in ``models.segmentation``.
        click: with a click on the nerve's thickest point.
    """
    scores = []
    for inputs, truth, _ in (ContourTruth(packed, size, click)[k] for k in range(len(packed))):
        found = network(inputs[None]).float()[0] > 0
        both, total = float((found & (truth > 0)).sum()), float(found.sum() + truth.sum())
        scores.append(2 * both / max(total, 1.0))
    return np.array(scores)


def edge_correlations(before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> np.ndarray:
    """:func:`edge_correlation` of many pairs; the pictures before are brought to the size of those after."""
    return np.array(
        [
            edge_correlation(cv2.resize(old, new.shape[::-1], interpolation=cv2.INTER_AREA), new)
            for old, new in zip(before, after, strict=True)
        ]
    )
