"""Where growing and deforming methods start: at the expert's click, or at the most nerve-like blobs."""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.view import View, disc, smooth

SCALES = (0.6, 1.0, 1.5)
"""Radii tried, in typical radii of the training nerves."""

Start = tuple[float, float, float]
"""(x, y, radius) in px of the view."""


def starts(view: View, prior: Prior, most: int) -> list[Start]:
    """Circles to start from, best first: around the click in every scale, or automatic ones.

    Automatic starts are the extrema of the scale-normalised Laplacian of Gaussian (Lindeberg 1998), dark or
    bright, weighted by how often training nerves lie there.

    Args:
        view: the picture.
        prior: learned from training groups.
        most: most automatic starts.
    """
    radius = prior.radius(view)
    if view.click is not None:
        return [(*view.click, scale * radius) for scale in SCALES]
    weight = np.sqrt(prior.places(view) + 0.02)
    found: list[tuple[float, Start]] = []
    for scale in SCALES:
        sigma = scale * radius / np.sqrt(2)
        response = np.abs(cv2.Laplacian(smooth(view.level, sigma), cv2.CV_32F)) * sigma**2 * weight
        reach = max(1, round(0.5 * scale * radius))
        # A plain maximum filter; a peak on the border is an artefact of the border.
        peak = response >= cv2.dilate(response, np.ones((2 * reach + 1,) * 2, np.uint8))
        peak[:reach], peak[-reach:], peak[:, :reach], peak[:, -reach:] = (False,) * 4
        rows, columns = np.nonzero(peak)
        found += [
            (float(response[row, column]), (float(column), float(row), scale * radius))
            for row, column in zip(rows, columns, strict=True)
        ]
    found.sort(key=lambda one: (-one[0], one[1]))
    kept: list[Start] = []
    for _, (x, y, r) in found:
        if all(np.hypot(x - a, y - b) > 0.5 * min(r, c) for a, b, c in kept):
            kept.append((x, y, r))
        if len(kept) == most:
            break
    return kept


def window(view: View, start: Start, reach: float = 3.0) -> tuple[slice, slice]:
    """The part of the view within ``reach`` radii of a start, so that nothing runs away from it."""
    x, y, radius = start
    side = max(12.0, reach * radius)
    height, width = view.grey.shape
    return (
        slice(int(max(0, y - side)), int(min(height, y + side + 1))),
        slice(int(max(0, x - side)), int(min(width, x + side + 1))),
    )


def start_disc(start: Start, box: tuple[slice, slice], size: float = 1.0) -> np.ndarray:
    """The circle of a start, ``size`` times as large, inside a window: uint8 0/1."""
    x, y, radius = start
    shape = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    return disc(shape, x - box[1].start, y - box[0].start, max(2.0, size * radius))
