"""A millimetre scale along the edge of a picture, like that of a scanner."""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.imaging.scan import Spacing

INK, EDGE = (235, 235, 235), (0, 0, 0)


def with_ruler(picture: np.ndarray, shape: tuple[int, ...], spacing_mm: Spacing) -> np.ndarray:
    """The picture with a depth scale at its left edge: a tick every 5 mm, a number every 10 mm.

    Args:
        picture: uint8 (h, w, 3), RGB, the scan resized.
        shape: (H, W) of the scan itself, px.
        spacing_mm: (row, column) mm per px of the scan.

    Returns:
        uint8 (h, w, 3), a copy.
    """
    drawn = picture.copy()
    height, width = drawn.shape[:2]
    unit = height / (shape[0] * spacing_mm[0])  # px of the picture for one mm of depth
    long = max(width // 40, 6)
    for millimetre in range(5, int(shape[0] * spacing_mm[0]) + 1, 5):
        row = round(millimetre * unit)
        if row >= height:
            break
        length = long if millimetre % 10 == 0 else long // 2
        for colour, thickness in ((EDGE, 4), (INK, 2)):
            cv2.line(drawn, (0, row), (length, row), colour, thickness)
        if millimetre % 10 == 0:
            _write(drawn, f"{millimetre} mm", (length + 4, row + 5), height / 1100)
    return drawn


def _write(picture: np.ndarray, text: str, place: tuple[int, int], size: float) -> None:
    size = max(size, 0.4)
    for colour, thickness in ((EDGE, 5), (INK, 2)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness, cv2.LINE_AA)
