"""Contours that deform from a start: snakes, geodesic active contours and Chan–Vese level sets.

Each runs in a window around its start: a contour of a nerve has no business farther away, and a level set
over the whole picture costs ten times as much. Level sets see at most ``WINDOW`` px a side.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from skimage.segmentation import (
    active_contour,
    inverse_gaussian_gradient,
    morphological_chan_vese,
    morphological_geodesic_active_contour,
)

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.regions import filled, part_at
from nerve_core.evaluation.classical.starts import Start, start_disc, starts, window
from nerve_core.evaluation.classical.view import View, smooth

Evolve = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""Picture of a window, 0/1 start and scale of the window to the level set it leads to."""

WINDOW = 72
"""Largest side of the window of a level set, px; a larger one is made smaller first."""

_ONE_AT_A_TIME = threading.Lock()
"""scikit-image alternates two curvature operators across calls and threads: only an even number of steps
without another call between them gives the same answer every time."""


def even(steps: int) -> int:
    """The number of steps, one more where it is odd."""
    return steps + steps % 2


@dataclass(frozen=True)
class Snake:
    """Settings of the snake.

    Attributes:
        sigma: Gaussian filter before, px.
        tension: resistance to stretching (alpha).
        stiffness: resistance to bending (beta).
        edge: pull towards edges.
        size: radius of the start, in radii of the blob or typical nerve.
        seeds: automatic starts, when there is no click.
    """

    sigma: float = 3.0
    tension: float = 0.01
    stiffness: float = 1.0
    edge: float = 4.0
    size: float = 1.2
    seeds: int = 5


@dataclass(frozen=True)
class Geodesic:
    """Settings of the geodesic active contour.

    Attributes:
        sigma: Gaussian filter inside the edge indicator, px.
        steepness: of the edge indicator.
        balloon: 1 grows, -1 shrinks.
        size: radius of the start, as for :class:`Snake`.
        steps: iterations, made even.
        seeds: automatic starts, when there is no click.
    """

    sigma: float = 2.0
    steepness: float = 100.0
    balloon: int = 1
    size: float = 0.6
    steps: int = 24
    seeds: int = 5


@dataclass(frozen=True)
class ChanVese:
    """Settings of the Chan–Vese level set.

    Attributes:
        sigma: Gaussian filter before, px.
        inside: weight of the evenness inside against 1 outside.
        smoothing: curvature steps an iteration.
        size: radius of the start, as for :class:`Snake`.
        reach: half side of the window, in radii of the start.
        steps: iterations, made even.
        seeds: automatic starts, when there is no click.
    """

    sigma: float = 1.5
    inside: float = 1.0
    smoothing: int = 3
    size: float = 0.8
    reach: float = 2.0
    steps: int = 24
    seeds: int = 5


def snake(view: View, prior: Prior, how: Snake) -> list[np.ndarray]:
    """Closed snakes drawn to edges (Kass, Witkin & Terzopoulos 1988)."""
    calm = smooth(view.level, how.sigma)
    calm = (calm - calm.min()) / max(float(np.ptp(calm)), 1e-6)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    found: list[np.ndarray] = []
    for start in starts(view, prior, how.seeds):
        box = window(view, start)
        x, y, radius = start[0] - box[1].start, start[1] - box[0].start, how.size * start[2]
        ring = np.column_stack([y + radius * np.sin(turn), x + radius * np.cos(turn)])
        limits = np.array(calm[box].shape) - 1.0
        line = active_contour(
            np.ascontiguousarray(calm[box]),
            np.clip(ring, 0, limits),
            alpha=how.tension,
            beta=how.stiffness,
            w_line=0,
            w_edge=how.edge,
            gamma=0.05,
            max_num_iter=120,
            convergence=0.2,
        )
        inside = np.zeros(calm[box].shape, np.uint8)
        cv2.fillPoly(inside, [np.round(np.clip(line, 0, limits)[:, ::-1]).astype(np.int32)], 1)
        found += _placed(inside, view, box)
    return found


def geodesic(view: View, prior: Prior, how: Geodesic) -> list[np.ndarray]:
    """Geodesic active contours (Caselles et al. 1997) in morphological form (Márquez-Neila et al. 2014)."""

    def evolve(grey: np.ndarray, start: np.ndarray, scale: float) -> np.ndarray:
        edges = inverse_gaussian_gradient(grey, how.steepness / scale, how.sigma * scale)
        with _ONE_AT_A_TIME:
            return morphological_geodesic_active_contour(
                edges, even(how.steps), init_level_set=start, smoothing=1, balloon=how.balloon
            )

    grey = view.grey.astype(np.float32) / 255
    return _evolved(view, grey, starts(view, prior, how.seeds), 3.0, how.size, evolve)


def chan_vese(view: View, prior: Prior, how: ChanVese) -> list[np.ndarray]:
    """Regions of even grey level without edges (Chan & Vese 2001), morphological (Márquez-Neila 2014)."""

    def evolve(calm: np.ndarray, start: np.ndarray, _: float) -> np.ndarray:
        with _ONE_AT_A_TIME:
            return morphological_chan_vese(
                calm, even(how.steps), init_level_set=start, smoothing=how.smoothing, lambda1=how.inside
            )

    calm = smooth(view.level, how.sigma)
    return _evolved(view, calm, starts(view, prior, how.seeds), how.reach, how.size, evolve)


def _evolved(
    view: View, picture: np.ndarray, begin: list[Start], reach: float, size: float, evolve: Evolve
) -> list[np.ndarray]:
    """A level set from each start, in a window of ``reach`` radii, brought back to the view."""
    found: list[np.ndarray] = []
    for start in begin:
        box = window(view, start, reach)
        near, first = np.ascontiguousarray(picture[box]), start_disc(start, box, size)
        shape = near.shape[::-1]
        scale = min(1.0, WINDOW / max(shape))
        if scale < 1:
            small = tuple(max(8, round(side * scale)) for side in shape)
            near = cv2.resize(near, small, interpolation=cv2.INTER_AREA)
            first = cv2.resize(first, small, interpolation=cv2.INTER_NEAREST_EXACT)
        inside = np.asarray(evolve(near, first, scale), np.float32)
        if scale < 1:
            inside = cv2.resize(inside, shape, interpolation=cv2.INTER_LINEAR)
        found += _placed(_around((inside >= 0.5).astype(np.uint8), start, box), view, box)
    return found


def _around(inside: np.ndarray, start: Start, box: tuple[slice, slice]) -> np.ndarray:
    """The part of a level set at its start; a level set may have left it, then nothing."""
    part = part_at(inside, start[0] - box[1].start, start[1] - box[0].start)
    if part is None or not (part & start_disc(start, box)).any():
        return np.zeros(inside.shape, np.uint8)
    return part


def _placed(inside: np.ndarray, view: View, box: tuple[slice, slice]) -> list[np.ndarray]:
    """A window's mask in the whole view; an empty one is no proposal."""
    if not inside.any():
        return []
    whole = np.zeros(view.grey.shape, np.uint8)
    whole[box] = filled(inside)
    return [whole]
