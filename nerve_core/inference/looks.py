"""What the networks are shown of a scan, and when the contour network looks again."""

from __future__ import annotations

import numpy as np

from nerve_core.imaging.click import click_map
from nerve_core.imaging.preprocess import Prepared
from nerve_core.imaging.scan import Box
from nerve_core.models.verdict import crop_window, cut, normalise_crop

LIKELY, SURE = 0.3, 0.9
"""A second look at the mirror image is taken where the pixels from ``LIKELY`` on have a mean below ``SURE``;
chosen on validation scans, where a third of them got one, for most of what it gives to all."""


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def hesitant(probability: np.ndarray) -> bool:
    """Whether a map deserves a second look, at the mirror image: no likely pixel, or a low mean over them."""
    likely = probability[probability >= LIKELY]
    return likely.size == 0 or float(likely.mean()) < SURE


def network_input(prepared: Prepared, click: tuple[float, float] | None) -> np.ndarray:
    """float32 (1, 2, size, size): normalised image and click map."""
    size = prepared.tensor.shape[0]
    bump = np.zeros((size, size), np.float32)
    if click is not None:
        bump = click_map(size, *prepared.to_network_xy(*click))
    return np.stack([prepared.tensor, bump])[None]


def window_around(point: tuple[float, float], region: Box, share: float) -> Box:
    """A square around (x, y), ``share`` of the region's longer side, moved to lie inside the region."""
    top, left, bottom, right = region
    side = max(32, round(share * max(bottom - top, right - left)))
    height, width = min(side, bottom - top), min(side, right - left)
    y = int(np.clip(round(point[1] - height / 2), top, bottom - height))
    x = int(np.clip(round(point[0] - width / 2), left, right - width))
    return y, x, y + height, x + width


def verdict_input(pixels: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the verdict network is shown of one nerve: crops and masks, float32 (2, 1, S, S), the second
    of each mirrored.

    Args:
        pixels: uint8 (H, W) scan.
        mask: (H, W), nonzero inside the nerve.
    """
    window = crop_window(mask)
    views = [cut(pixels, mask, window, flip=flip) for flip in (False, True)]
    crops = np.stack([normalise_crop(crop)[None] for crop, _ in views])
    return crops, np.stack([soft[None] for _, soft in views])
