"""Where in a frame the ultrasound is: threshold and edges, with the whole frame to fall back on.

A screen capture is peeled twice: first the page and menus, flat areas of a level that is not black and
that cover a good part of the frame; then the black surround. What is left is opened, which
removes text, scales and grey bars, and the largest pieces are boxed. Each side is then moved out for as
long as its lines still hold signal, so faint deep tissue stays in.
"""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.imaging.scan import Box

MIN_SHARE = 0.15
"""A region smaller than this share of the frame is not believed."""
BLACK = 3
"""Grey level up to which a surround is black; JPEG leaves a little noise in flat black."""
PAGE_SHARE = 0.02
"""Share of the frame that flat pixels of one level must cover to be a page or menu."""
LIT_SHARE = 0.02
"""Share of a line that must hold signal for the line to belong to the region."""
SMALL = 256
"""Long side of the coarse map in which pieces are found, px."""
OPENING = 7
"""Side of the square that text and grey bars cannot hold, px of the coarse map."""
PIECE_SHARE = 0.3
"""Pieces of at least this share of the largest belong to the region too (a shadow may cut it in two)."""


def find_region(pixels: np.ndarray) -> Box:
    """The ultrasound region of a frame, found in a millisecond or two.

    Args:
        pixels: uint8 (H, W).

    Returns:
        (top, left, bottom, right) px, at least ``MIN_SHARE`` of the frame; the whole frame when nothing
        around it looks like a surround.
    """
    height, width = pixels.shape
    box = (0, 0, height, width)
    page = _page(pixels)
    if page is not None:
        box = _peel(~page, box, height * width)
    return _peel(pixels > BLACK, box, height * width)


def _page(pixels: np.ndarray) -> np.ndarray | None:
    """Pixels of flat areas whose level is that of a page or menu, bool (H, W); None when there are none."""
    flat = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) <= 1
    shares = np.bincount(pixels[flat], minlength=256) / pixels.size
    shares = np.convolve(shares, np.ones(3), mode="same")
    shares[: BLACK + 1] = 0
    if shares.max() < PAGE_SHARE:
        return None
    flat &= (shares >= PAGE_SHARE)[pixels]
    # flat pixels reach no nearer than two to an edge, so grow them back to it
    return cv2.dilate(flat.astype(np.uint8), np.ones((5, 5), np.uint8)).view(bool)


def _peel(signal: np.ndarray, box: Box, frame_area: int) -> Box:
    """The part of ``box`` that holds signal (bool (H, W)), or ``box`` when that would be too small."""
    top, left, bottom, right = box
    inside = signal[top:bottom, left:right]
    coarse = _coarse_box(inside)
    if coarse is None:
        return box
    first_row, first_column, end_row, end_column = coarse
    for _ in range(2):  # each direction is measured within the other, so a second round settles both
        first_row, end_row = _grow(inside[:, first_column:end_column].mean(axis=1), first_row, end_row)
        first_column, end_column = _grow(inside[first_row:end_row].mean(axis=0), first_column, end_column)
    if (end_row - first_row) * (end_column - first_column) < MIN_SHARE * frame_area:
        return box
    return top + first_row, left + first_column, top + end_row, left + end_column


def _coarse_box(signal: np.ndarray) -> Box | None:
    """Box around the large pieces of signal, a little inside them, px; None when there is none."""
    height, width = signal.shape
    scale = min(1.0, SMALL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(signal.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    small = (small > 64).astype(np.uint8)
    # a border of signal lets pieces that touch the edge of the frame survive the opening
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    small = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((OPENING, OPENING), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(small, connectivity=4)
    if count < 2:
        return None
    stats = stats[1:]
    stats = stats[stats[:, cv2.CC_STAT_AREA] >= PIECE_SHARE * stats[:, cv2.CC_STAT_AREA].max()]
    first = stats[:, [cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT]].min(axis=0)
    end = (stats[:, [cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT]] + stats[:, [cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]]).max(axis=0)
    ratio = np.array([height / size[1], width / size[0]])
    first, end = np.ceil((first + 1) * ratio).astype(int), np.floor((end - 1) * ratio).astype(int)
    return int(first[0]), int(first[1]), int(end[0]), int(end[1])


def _grow(shares: np.ndarray, first: int, end: int) -> tuple[int, int]:
    """Move both ends outwards over lines with signal, across gaps of one line."""
    lit = shares >= LIT_SHARE
    while first > 0 and lit[max(0, first - 2) : first].any():
        first -= 1
    while end < len(lit) and lit[end : end + 2].any():
        end += 1
    while first < end - 1 and not lit[first]:
        first += 1
    while end > first + 1 and not lit[end - 1]:
        end -= 1
    return first, end
