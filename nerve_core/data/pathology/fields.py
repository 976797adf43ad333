"""Smooth maps of the plane about one nerve: scaling, notch, bulge, uneven outline, harmless drift.

Every map is *backward*: it takes the coordinates of output pixels and returns the place in the input
from which each is taken, as ``cv2.remap`` wants it. The maps are closed formulas, so a chain of them is
exact and the picture is resampled once only. Inside the nerve a map acts fully; around it the effect
decays smoothly to nothing, so the tissue is pushed aside or drawn in and never torn or folded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

Map = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Backward map: float32 output x and y (px) -> float32 input x and y (px)."""


@dataclass(frozen=True)
class Ellipse:
    """The ellipse with the same second moments as a region.

    Attributes:
        x, y: centre in px (column, row).
        a, b: half lengths of the long and the short axis in px (a >= b).
        angle: direction of the long axis in radians, from the x axis towards the y axis.
        reach: largest elliptic radius that any pixel of the region has (1 for a perfect ellipse).
    """

    x: float
    y: float
    a: float
    b: float
    angle: float
    reach: float = 1.0

    def moved(self, x: float, y: float) -> Ellipse:
        """The same ellipse about another centre (px)."""
        return replace(self, x=float(x), y=float(y))

    def local(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates along the long and the short axis, in px from the centre."""
        c, s = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        dx, dy = x - np.float32(self.x), y - np.float32(self.y)
        return c * dx + s * dy, c * dy - s * dx

    def image(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inverse of :meth:`local`."""
        c, s = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        return np.float32(self.x) + c * u - s * v, np.float32(self.y) + s * u + c * v

    def radius(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Elliptic radius: 0 at the centre, 1 on the ellipse."""
        u, v = self.local(x, y)
        return np.sqrt((u / np.float32(self.a)) ** 2 + (v / np.float32(self.b)) ** 2)

    def half_extent(self) -> tuple[float, float]:
        """Half width and half height in px of the ellipse's upright bounding box, reach included."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return (
            float(self.reach * np.hypot(self.a * c, self.b * s)),
            float(self.reach * np.hypot(self.a * s, self.b * c)),
        )


def fit_ellipse(region: np.ndarray) -> Ellipse:
    """Ellipse of equal moments of a non-empty bool or 0/255 region (H, W)."""
    ys, xs = np.nonzero(region)
    x, y = float(xs.mean()), float(ys.mean())
    cov = np.cov(np.stack([xs, ys]).astype(np.float64), bias=True) if xs.size > 1 else np.zeros((2, 2))
    # A pixel is a square of side 1, whose own variance is 1/12: keeps one-pixel regions usable.
    values, vectors = np.linalg.eigh(cov + np.eye(2) / 12)
    a, b = 2 * float(np.sqrt(values[1])), 2 * float(np.sqrt(values[0]))
    ellipse = Ellipse(x, y, max(a, 1.0), max(b, 1.0), float(np.arctan2(vectors[1, 1], vectors[0, 1])))
    reach = ellipse.radius(xs.astype(np.float32), ys.astype(np.float32)).max()
    return replace(ellipse, reach=float(max(reach, 1.0)))


def decay(radius: np.ndarray, start: float, ratio: float) -> np.ndarray:
    """1 up to ``start``, then a smooth fall in the logarithm of the radius to 0 at ``start * ratio``."""
    t = np.log(np.maximum(radius, 1e-3) / np.float32(start)) / np.float32(np.log(ratio))
    t = np.clip(1 - t, 0, 1)
    return t * t * (3 - 2 * t)


FIELD = 3.6
"""Elliptic radius, in units of a nerve's reach, beyond which no map moves anything."""


def scaling(ellipse: Ellipse, along: float, across: float) -> Map:
    """Multiply the nerve's long axis by ``along`` and its short axis by ``across``.

    The area inside the reach of the ellipse is multiplied by exactly ``along * across``.
    """
    ratio = 0.98 * FIELD / max(along, across, 1.0)

    def backward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u, v = ellipse.local(x, y)
        su, sv = u / np.float32(along), v / np.float32(across)
        w = decay(
            np.sqrt((su / np.float32(ellipse.a)) ** 2 + (sv / np.float32(ellipse.b)) ** 2),
            ellipse.reach,
            ratio,
        )
        return ellipse.image(u + w * (su - u), v + w * (sv - v))

    return backward


def push(x0: float, y0: float, direction: float, depth: float, along: float, across: float) -> Map:
    """Push tissue by ``depth`` px at (x0, y0) towards ``direction`` (radians), fading as a Gaussian.

    ``along`` and ``across`` are the standard deviations (px) in the direction of the push and square to
    it; ``along`` is raised where needed so that nothing folds.
    """
    c, s = np.float32(np.cos(direction)), np.float32(np.sin(direction))
    along = max(along, 1.2 * abs(depth), 0.5)
    across = max(across, 0.5)

    def backward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dx, dy = x - np.float32(x0), y - np.float32(y0)
        n, t = c * dx + s * dy, c * dy - s * dx
        w = np.float32(depth) * np.exp(-0.5 * ((n / np.float32(along)) ** 2 + (t / np.float32(across)) ** 2))
        return x - c * w, y - s * w

    return backward


def ripple(
    ellipse: Ellipse, orders: Sequence[int], amplitudes: Sequence[float], phases: Sequence[float]
) -> Map:
    """Make the outline uneven: the radius changes by the sum of ``amplitude * cos(order * angle + phase)``.

    Nothing moves at the centre, most at the outline, nothing far away.
    """

    def backward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u, v = ellipse.local(x, y)
        pu, pv = u / np.float32(ellipse.a), v / np.float32(ellipse.b)
        radius = np.sqrt(pu * pu + pv * pv)
        angle = np.arctan2(pv, pu)
        wave = sum(
            np.float32(m) * np.cos(k * angle + np.float32(f))
            for k, m, f in zip(orders, amplitudes, phases, strict=True)
        )
        w = np.float32(1.65) * radius * np.exp(-0.5 * radius * radius) * wave
        return ellipse.image(u * (1 + w), v * (1 + w))

    return backward


def drift(ellipse: Ellipse, dx: float, dy: float, turn: float, hold: float = 1.0) -> Map:
    """Shift the nerve by (dx, dy) px and turn it by ``turn`` radians as a whole: no change of its form.

    ``hold`` is how much wider than the ellipse, linearly, the part is that moves without changing form.
    """
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    x0, y0 = np.float32(ellipse.x), np.float32(ellipse.y)

    def backward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w = decay(ellipse.radius(x, y), hold * ellipse.reach, 0.98 * FIELD / hold)
        px, py = x - x0, y - y0
        sx, sy = c * px + s * py - np.float32(dx), c * py - s * px - np.float32(dy)
        return x + w * (sx - px), y + w * (sy - py)

    return backward


def chain(maps: Sequence[Map], x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Input coordinates after ``maps`` were applied to the picture in the order given."""
    for backward in reversed(maps):
        x, y = backward(x, y)
    return x, y


def jacobian(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Determinant of the derivative of a sampled map (H, W): > 0 everywhere means that nothing folds."""
    xx, xy = np.gradient(x, axis=1), np.gradient(x, axis=0)
    yx, yy = np.gradient(y, axis=1), np.gradient(y, axis=0)
    return xx * yy - xy * yx


def warp(layer: np.ndarray, x: np.ndarray, y: np.ndarray, interpolation: int = cv2.INTER_CUBIC) -> np.ndarray:
    """Sample ``layer`` (H, W) at input coordinates; beyond the border the picture is mirrored."""
    return cv2.remap(
        layer, x.astype(np.float32), y.astype(np.float32), interpolation, borderMode=cv2.BORDER_REFLECT_101
    )
