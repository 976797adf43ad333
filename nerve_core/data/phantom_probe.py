"""Curved probes: where the beams of a fan run in the picture, and the way from beams to picture and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np


@dataclass(frozen=True)
class Fan:
    """The field of view of a curved probe, centred in the picture; black lies around it.

    Beams leave the probe at right angles to its surface, an arc of ``radius_mm`` whose centre lies above the
    picture. The middle of the arc is at depth 0; its ends reach higher, to ``top_mm``.

    Attributes:
        size: (rows, columns) of the picture, px.
        depth_mm: how far along a beam echoes are shown.
        radius_mm: radius of the probe's surface.
        half_angle: angle from the middle beam to the outermost, radians.
    """

    size: tuple[int, int]
    depth_mm: float
    radius_mm: float
    half_angle: float

    @property
    def height_mm(self) -> float:
        """From the ends of the probe's arc down to the deepest echo."""
        return self.depth_mm + self.radius_mm * (1 - math.cos(self.half_angle))

    @property
    def width_mm(self) -> float:
        """Across the bottom arc."""
        return 2 * (self.radius_mm + self.depth_mm) * math.sin(self.half_angle)

    @property
    def spacing_mm(self) -> float:
        """mm per px, the same in both directions, at which the whole fan fits in the picture."""
        return max(self.height_mm / self.size[0], self.width_mm / self.size[1])

    @property
    def top_mm(self) -> float:
        """Depth of the upper edge of the picture: below 0, as the arc's ends lie above its middle."""
        blank = self.size[0] * self.spacing_mm - self.height_mm
        return -self.radius_mm * (1 - math.cos(self.half_angle)) - blank / 2

    @property
    def beams(self) -> int:
        """Number of beams; at the bottom they lie about a pixel apart."""
        return self.size[1]

    @property
    def samples(self) -> int:
        """Number of samples along a beam, one a pixel."""
        return max(8, round(self.depth_mm / self.spacing_mm))

    @property
    def step_mm(self) -> float:
        """Distance of two samples along a beam."""
        return self.depth_mm / self.samples

    def pitch_mm(self, depth_mm: float) -> float:
        """Distance of neighbouring beams at a depth: it grows, and with it the width of what is seen."""
        return (self.radius_mm + depth_mm) * 2 * self.half_angle / self.beams

    @cached_property
    def place(self) -> tuple[np.ndarray, np.ndarray]:
        """Depth along the beam in mm and angle in radians of every pixel, float32 (H, W) each."""
        rows = (np.arange(self.size[0]) + 0.5) * self.spacing_mm + self.top_mm + self.radius_mm
        columns = (np.arange(self.size[1]) + 0.5 - self.size[1] / 2) * self.spacing_mm
        down, across = rows.astype(np.float32)[:, None], columns.astype(np.float32)[None, :]
        return np.hypot(down, across) - np.float32(self.radius_mm), np.arctan2(across, down)

    @cached_property
    def inside(self) -> np.ndarray:
        """Pixels that a beam reaches, bool (H, W)."""
        depth, angle = self.place
        return (depth >= 0) & (depth < self.depth_mm) & (np.abs(angle) < self.half_angle)

    def to_beams(self, picture: np.ndarray) -> np.ndarray:
        """A map (H, W) float32 as the beams meet it: (samples, beams)."""
        depth = self.radius_mm + (np.arange(self.samples) + 0.5) * self.step_mm
        angle = ((np.arange(self.beams) + 0.5) / self.beams * 2 - 1) * self.half_angle
        columns = np.outer(depth, np.sin(angle)) / self.spacing_mm + self.size[1] / 2 - 0.5
        rows = (np.outer(depth, np.cos(angle)) - self.radius_mm - self.top_mm) / self.spacing_mm - 0.5
        return cv2.remap(
            picture,
            columns.astype(np.float32),
            rows.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def to_picture(self, beams: np.ndarray) -> np.ndarray:
        """Scan conversion: (samples, beams) float32 to (H, W); what lies outside the fan has no meaning."""
        depth, angle = self.place
        rows = depth / np.float32(self.step_mm) - np.float32(0.5)
        columns = (angle / np.float32(self.half_angle) + 1) * np.float32(self.beams / 2) - np.float32(0.5)
        return cv2.remap(beams, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def fan_for(
    size: tuple[int, int], depth_mm: float, radius_mm: float, span_deg: float, share: float = 1.0
) -> Fan:
    """The fan that a probe shows: its whole span, or as much of it as fills the picture.

    Args:
        size: (rows, columns) px.
        depth_mm: depth along the middle beam.
        radius_mm: radius of the probe's surface.
        span_deg: the probe's whole angle.
        share: 1 shows the whole span, 0 narrows it until the fan is as high as the picture, as the setting
            *sector width* of a scanner does.
    """
    whole = math.radians(span_deg / 2)
    narrow = min(0.16, whole)
    while narrow < whole:
        fan = Fan(size, depth_mm, radius_mm, narrow)
        if fan.width_mm / size[1] >= fan.height_mm / size[0]:
            break
        narrow += 0.01
    return Fan(size, depth_mm, radius_mm, min(narrow, whole) + share * (whole - min(narrow, whole)))
