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
SEGMENTS = 12
"""Parts into which a line is cut to tell tissue, which is spread along it, from a label, which is not."""
LIT_SEGMENTS = 3
"""Parts of a line that must hold signal for the line to belong to the region."""
FULL_SEGMENTS = 8
"""Parts of a line that must be mostly signal for it to be tissue beyond a dark gap, such as skin over gel."""
MAX_GAP = 0.06
"""Widest such gap, as a share of the side."""
LIT_SHARE = 0.02
"""Share of a part that must be brighter than black for the part to hold signal."""
FULL_SHARE = 0.8
"""Share of a part that must be signal for the part to be mostly signal; text stays below it."""
PAGE_LIT_SHARE = 0.5
"""Share of a part that must differ from the page for the part to hold signal."""
FINE = 1024
"""Frames with a longer side are searched on every n-th pixel, px."""
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
    step = max(1, round(max(pixels.shape) / FINE))
    if step > 1:
        box = find_region(np.ascontiguousarray(pixels[::step, ::step]))
        bottom, right = (min(end * step, side) for end, side in zip(box[2:], pixels.shape, strict=True))
        return box[0] * step, box[1] * step, bottom, right
    height, width = pixels.shape
    box = (0, 0, height, width)
    lit = cv2.threshold(pixels, BLACK, 255, cv2.THRESH_BINARY)[1]
    page = _page(pixels)
    if page is not None:
        box = _peel(cv2.bitwise_not(page), PAGE_LIT_SHARE, box, height * width)
        lit = cv2.subtract(lit, page)
    return _peel(lit, LIT_SHARE, box, height * width)


def _page(pixels: np.ndarray) -> np.ndarray | None:
    """Flat areas whose level is that of a page or menu, uint8 (H, W) 0 or 255; None when there are none."""
    step = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    flat = cv2.threshold(step, 1, 255, cv2.THRESH_BINARY_INV)[1]
    shares = cv2.calcHist([pixels], [0], flat, [256], [0, 256]).ravel() / pixels.size
    shares = np.convolve(shares, np.ones(3), mode="same")
    shares[: BLACK + 1] = 0
    if shares.max() < PAGE_SHARE:
        return None
    of_page = cv2.LUT(pixels, (shares >= PAGE_SHARE).astype(np.uint8) * 255)
    # flat pixels reach no nearer than two to an edge, so grow them back to it
    return cv2.dilate(cv2.bitwise_and(flat, of_page), np.ones((5, 5), np.uint8))


def _peel(signal: np.ndarray, share: float, box: Box, frame_area: int) -> Box:
    """The part of ``box`` that holds signal, or ``box`` when that would be too small.

    ``signal`` is uint8 (H, W), 0 or 255; ``share`` is what a part of a line must hold of it to count.
    """
    top, left, bottom, right = box
    inside = signal[top:bottom, left:right]
    coarse = _coarse_box(inside)
    if coarse is None:
        return box
    first_row, first_column, end_row, end_column = coarse
    for _ in range(2):  # each direction is measured within the other, so a second round settles both
        lines = _parts(inside[:, first_column:end_column], across=True)
        first_row, end_row = _ends(lines, share, first_row, end_row)
        lines = _parts(inside[first_row:end_row], across=False)
        first_column, end_column = _ends(lines, share, first_column, end_column)
    if (end_row - first_row) * (end_column - first_column) < MIN_SHARE * frame_area:
        return box
    return top + first_row, left + first_column, top + end_row, left + end_column


def _parts(signal: np.ndarray, across: bool) -> np.ndarray:
    """Share of signal in each part of each row (or, not ``across``, column), float (lines, parts)."""
    height, width = signal.shape
    size = (min(SEGMENTS, width), height) if across else (width, min(SEGMENTS, height))
    parts = cv2.resize(signal, size, interpolation=cv2.INTER_AREA) / 255.0
    return parts if across else parts.T


def _coarse_box(signal: np.ndarray) -> Box | None:
    """Box around the large pieces of signal, a little inside them, px; None when there is none."""
    height, width = signal.shape
    scale = min(1.0, SMALL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = (cv2.resize(signal, size, interpolation=cv2.INTER_AREA) > 64).astype(np.uint8)
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    small = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((OPENING, OPENING), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(small, connectivity=4)
    if count < 2:
        return None
    stats = stats[1:]
    stats = stats[stats[:, cv2.CC_STAT_AREA] >= PIECE_SHARE * stats[:, cv2.CC_STAT_AREA].max()]
    starts = stats[:, [cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT]]
    last = starts + stats[:, [cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]]
    ratio = np.array([height / size[1], width / size[0]])
    first = np.ceil((starts.min(axis=0) + 1) * ratio).astype(int)
    end = np.floor((last.max(axis=0) - 1) * ratio).astype(int)
    if (end <= first).any():
        return None
    return int(first[0]), int(first[1]), int(end[0]), int(end[1])


def _ends(parts: np.ndarray, share: float, first: int, end: int) -> tuple[int, int]:
    """Move both ends of a range of lines, given by their parts, to where signal ends."""
    lit = (parts >= share).sum(axis=1) >= LIT_SEGMENTS
    full = (parts >= FULL_SHARE).sum(axis=1) >= FULL_SEGMENTS
    gap = max(2, round(MAX_GAP * len(parts)))
    first = len(parts) - _end(lit[::-1], full[::-1], len(parts) - first, gap)
    return first, max(_end(lit, full, end, gap), first + 1)


def _end(lit: np.ndarray, full: np.ndarray, end: int, gap: int) -> int:
    """Where signal ends: outwards of ``end``, across a gap when tissue follows, or else inwards."""
    while end < len(lit):
        if lit[end : end + 2].any():
            end += 1
        elif full[end : end + gap].any():
            end += int(full[end : end + gap].argmax()) + 1
        else:
            break
    while end > 1 and not lit[end - 1]:
        end -= 1
    return end
