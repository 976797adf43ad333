"""Whether a picture has writing in it: a name, a date, the machine's settings.

Writing is told from tissue by its glyphs. A glyph is a small connected piece, brighter than an even ground
around it, and writing is at least ``MIN_GLYPHS`` of them of one height, side by side on one line. It is
found, not read: no character recognition runs, so the wording is for a person to judge.
"""

from __future__ import annotations

import cv2
import numpy as np

MIN_GLYPHS = 4
"""Fewest glyphs in a row that count as writing."""
HEIGHT = (6, 40)
"""Least and greatest height of a glyph, px."""
CONTRAST = 60
"""Grey levels by which a glyph stands out from its ground."""
GROUND_STEP = 12
"""Most a ground may vary (standard deviation, grey levels) to be even."""
_SIZES = (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)


def burnt_in_text(pixels: np.ndarray) -> bool:
    """Whether there is a row of glyphs in a uint8 picture (H, W), in a few milliseconds."""
    return bool(_longest_line(_glyphs(pixels)) >= MIN_GLYPHS)


def _glyphs(pixels: np.ndarray) -> np.ndarray:
    """Boxes (left, top, width, height) of the pieces that may be glyphs, int (N, 4)."""
    high = HEIGHT[1] // 2 * 2 + 1
    hat = cv2.morphologyEx(pixels, cv2.MORPH_TOPHAT, np.ones((high, high), np.uint8))
    bright = (hat > CONTRAST).view(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    width, height, area = (stats[:, column] for column in _SIZES)
    share = area / (width * height)
    fitting = (height >= HEIGHT[0]) & (height <= HEIGHT[1]) & (width <= 1.6 * height)
    fitting &= (share >= 0.12) & (share <= 0.95)
    fitting[0] = False  # the ground itself
    near = cv2.dilate(bright, np.ones((3, 3), np.uint8))
    boxes = []
    for number in np.flatnonzero(fitting):
        box = stats[number, :4]
        left, top, right, bottom = box[0] - 2, box[1] - 2, box[0] + box[2] + 2, box[1] + box[3] + 2
        around = np.s_[max(top, 0) : bottom, max(left, 0) : right]
        ground = pixels[around][near[around] == 0]
        if ground.size and ground.std() <= GROUND_STEP:
            boxes.append(box)
    return np.array(boxes, int).reshape(-1, 4)


def _longest_line(boxes: np.ndarray) -> int:
    """Most glyphs of one height that stand side by side on one line."""
    boxes = boxes[np.argsort(boxes[:, 0], kind="stable")]
    longest = np.ones(len(boxes), int)
    for index, (left, top, _, height) in enumerate(boxes):
        before = boxes[:index]
        gap = left - (before[:, 0] + before[:, 2])
        beside = (gap >= -1) & (gap <= 1.2 * height)
        level = abs(before[:, 1] + before[:, 3] - top - height) <= max(2, 0.25 * height)
        alike = np.maximum(before[:, 3], height) <= 1.4 * np.minimum(before[:, 3], height)
        fitting = longest[:index][beside & level & alike]
        if len(fitting):
            longest[index] = fitting.max() + 1
    return int(longest.max(initial=0))
