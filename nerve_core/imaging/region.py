"""Where in a frame the ultrasound is: threshold and edges, with the whole frame to fall back on."""

from __future__ import annotations

import numpy as np

from nerve_core.imaging.scan import Box

MIN_SHARE = 0.15
"""A region smaller than this share of the frame is not believed."""
BLACK = 3
"""Grey level up to which a border is black; JPEG leaves a little noise in flat black."""


def find_region(pixels: np.ndarray) -> Box:
    """The ultrasound region of a frame.

    Args:
        pixels: uint8 (H, W).

    Returns:
        (top, left, bottom, right) px, at least ``MIN_SHARE`` of the frame; the whole frame when no border is found.
    """
    height, width = pixels.shape
    lit = pixels > BLACK
    rows = np.flatnonzero(lit.mean(axis=1) > 0.02)
    columns = np.flatnonzero(lit.mean(axis=0) > 0.02)
    if not len(rows) or not len(columns):
        return 0, 0, height, width
    box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    share = (box[2] - box[0]) * (box[3] - box[1]) / (height * width)
    return box if share >= MIN_SHARE else (0, 0, height, width)
