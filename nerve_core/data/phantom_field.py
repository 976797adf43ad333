"""Seeded random fields in millimetres: the texture of tissue, continuous from frame to frame of a sweep."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from nerve_core.data.phantom_probe import Fan

GRID = 64
"""Side of the periodic grid of random values behind a smooth field, in grid cells."""


def _spline(positions: np.ndarray) -> np.ndarray:
    """Periodic cubic B-spline weights, float32 (N, GRID), of points given in grid cells."""
    whole = np.floor(positions).astype(int)
    rest = (positions - whole)[:, None]
    weights = (
        np.concatenate(
            [
                (1 - rest) ** 3,
                3 * rest**3 - 6 * rest**2 + 4,
                -3 * rest**3 + 3 * rest**2 + 3 * rest + 1,
                rest**3,
            ],
            axis=1,
        )
        / 6
    )
    matrix = np.zeros((len(positions), GRID), np.float32)
    rows = np.arange(len(positions))
    for step in range(4):
        matrix[rows, (whole + step - 1) % GRID] = weights[:, step]
    return matrix


LINEAR_MM = 60.0
"""Widest linear probe; a picture wider than that is black to both sides."""

Window = tuple[slice, slice]
"""Rows and columns of a part of the image."""
WHOLE: Window = (slice(None), slice(None))


@dataclass(frozen=True)
class Fields:
    """Source of every random texture of one phantom frame.

    A field is known by its name: the same seed and name give the same field whatever else was drawn, and
    frames at neighbouring positions share it in part, as neighbouring slices of tissue do.

    Attributes:
        seed: seed of the phantom, not negative.
        size: (rows, columns) of the frame, px.
        spacing_mm: mm per px, the same in both directions.
        along_mm: position of the frame along the limb, mm.
        fan: the field of view of a curved probe; None for a linear one.
    """

    seed: int
    size: tuple[int, int]
    spacing_mm: float
    along_mm: float = 0.0
    fan: Fan | None = None

    @property
    def top_mm(self) -> float:
        """Depth of the upper edge of the picture; below 0 where the ends of a curved probe are in it."""
        return 0.0 if self.fan is None else self.fan.top_mm

    @cached_property
    def depth(self) -> np.ndarray:
        """Depth of each row, float32 (H, 1) mm below the middle of the probe."""
        rows = (np.arange(self.size[0]) + 0.5) * self.spacing_mm
        return (rows + self.top_mm).astype(np.float32)[:, None]

    @cached_property
    def from_probe(self) -> np.ndarray:
        """Distance from the probe along the beam, float32 mm, (H, 1), or (H, W) for a curved probe."""
        return self.depth if self.fan is None else self.fan.place[0]

    @cached_property
    def view(self) -> np.ndarray | None:
        """Pixels that the beams reach, bool (H, W); None when they reach all."""
        if self.fan is not None:
            return self.fan.inside
        if self.size[1] * self.spacing_mm <= LINEAR_MM:
            return None
        return np.broadcast_to(np.abs(self.lateral) <= LINEAR_MM / 2, self.size)

    @property
    def half_mm(self) -> float:
        """Half the width of the probe's surface."""
        if self.fan is not None:
            return self.fan.radius_mm * math.sin(self.fan.half_angle)
        return min(self.size[1] * self.spacing_mm, LINEAR_MM) / 2

    @cached_property
    def lateral(self) -> np.ndarray:
        """Lateral place of each column, float32 (1, W) mm from the middle of the probe."""
        columns = np.arange(self.size[1]) + 0.5 - self.size[1] / 2
        return (columns * self.spacing_mm).astype(np.float32)[None, :]

    def _down(self, cell_mm: float) -> np.ndarray:
        """Spline weights of every row, float32 (H, GRID)."""
        return self._weights(self.depth[:, 0], cell_mm, "down")

    def _across(self, cell_mm: float) -> np.ndarray:
        """Spline weights of every column, float32 (W, GRID)."""
        return self._weights(self.lateral[0], cell_mm, "across")

    def _weights(self, places_mm: np.ndarray, cell_mm: float, axis: str) -> np.ndarray:
        known = self._splines.get((axis, cell_mm))
        if known is None:
            known = self._splines[axis, cell_mm] = _spline(places_mm / cell_mm)
        return known

    @cached_property
    def _splines(self) -> dict[tuple[str, float], np.ndarray]:
        return {}

    def rng(self, name: str, plane: int = 0) -> np.random.Generator:
        """Generator that depends on the seed, the name and the slice only."""
        words = [self.seed, zlib.crc32(name.encode()), plane + 2**20]
        if self.seed < 2**32:  # the same numbers, sooner
            words = np.array(words, np.uint32)
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(words)))

    def normal(self, name: str, shape: tuple[int, ...], length_mm: float) -> np.ndarray:
        """Standard normal float32 values whose correlation along the limb falls to 0 over ``length_mm``."""
        place = self.along_mm / length_mm
        plane = math.floor(place)
        part = (place - plane) * math.pi / 2
        values = self.rng(name, plane).standard_normal(shape, np.float32)
        if part > 0:
            other = self.rng(name, plane + 1).standard_normal(shape, np.float32)
            values = np.cos(part, dtype=np.float32) * values + np.sin(part, dtype=np.float32) * other
        return values

    def smooth(
        self, name: str, across_mm: float, down_mm: float, at: Window = WHOLE, length_mm: float = 15.0
    ) -> np.ndarray:
        """Smooth field, float32, about standard normal, with the given cell sizes in mm, in a window."""
        grid = self.normal(name, (GRID, GRID), length_mm)
        rows, columns = self._down(down_mm)[at[0]], self._across(across_mm)[at[1]]
        # Only the nodes near the image count.
        deep, wide = np.flatnonzero(rows.any(0)), np.flatnonzero(columns.any(0))
        # A cubic B-spline keeps (151/315) of the variance of its nodes in each direction.
        return (rows[:, deep] @ grid[np.ix_(deep, wide)] @ columns[:, wide].T) * np.float32(315 / 151)

    def curve(self, name: str, across_mm: float, length_mm: float = 20.0) -> np.ndarray:
        """Smooth curve over the columns, float32 (1, W), about standard normal."""
        nodes = self.normal(name, (GRID,), length_mm)
        return (self._across(across_mm) @ nodes)[None, :] * np.float32(math.sqrt(315 / 151))

    def strands(
        self,
        name: str,
        along: float,
        across: float,
        angle: float,
        place: tuple[np.ndarray, np.ndarray],
        length_mm: float = 8.0,
    ) -> np.ndarray:
        """Field of fibres: cells ``along`` × ``across`` mm, turned by ``angle`` radians; float32.

        ``place`` holds the lateral and depth coordinates (mm) of the pixels wanted, two arrays of one shape,
        which is that of the result; where they bend, fibres bend.
        """
        grid = self.normal(name, (GRID, GRID), length_mm)
        cosine, sine = np.float32(math.cos(angle)), np.float32(math.sin(angle))
        x, z = place
        u, v = (x * cosine + z * sine) / np.float32(along), (z * cosine - x * sine) / np.float32(across)
        first = math.floor(float(u.min())) - 2, math.floor(float(v.min())) - 2
        last = math.ceil(float(u.max())) + 3, math.ceil(float(v.max())) + 3
        # The grid repeats; it is laid out as often as the image needs.
        tiled = grid[np.ix_(np.arange(first[1], last[1]) % GRID, np.arange(first[0], last[0]) % GRID)]
        return cv2.remap(
            tiled, u - np.float32(first[0]), v - np.float32(first[1]), cv2.INTER_CUBIC
        ) * np.float32(1.3)
