"""One image with its geometry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in px; bottom and right are exclusive."""

Spacing = tuple[float, float]
"""(row, column) distance between pixel centres in mm."""


@dataclass(frozen=True)
class CalibratedRegion:
    """A rectangle of the frame in which the machine states a millimetre scale."""

    box: Box
    spacing_mm: Spacing


@dataclass(frozen=True, eq=False)
class Scan:
    """One image with its geometry; nothing in it is ever resampled.

    Attributes:
        pixels: uint8 array of shape (H, W), 0 (black) to 255, in the original geometry. Coloured
            screen marks have been painted over with their surroundings.
        spacing_mm: (row, column) mm per px of the main region, or None when the scale is unknown.
        region: the part of the frame that shows ultrasound, as (top, left, bottom, right) px.
        calibrated: every calibrated region; a contour is measured with the one that holds it.
        name: base name of the file, without folders.
        frame: index of this frame in its file, from 0.
        n_frames: number of frames in the file.
    """

    pixels: np.ndarray
    spacing_mm: Spacing | None = None
    region: Box | None = None
    calibrated: tuple[CalibratedRegion, ...] = field(default=())
    name: str = ""
    frame: int = 0
    n_frames: int = 1

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 2:
            raise ValueError(f"pixels must be a 2-D uint8 array, got {self.pixels.dtype} {self.pixels.shape}")
        if self.region is None:
            object.__setattr__(self, "region", (0, 0, *self.pixels.shape))
        self.pixels.setflags(write=False)

    def spacing_at(self, row: float, column: float) -> Spacing | None:
        """Scale of the calibrated region that holds the point (px), else the scan's own, else None."""
        for part in self.calibrated:
            top, left, bottom, right = part.box
            if top <= row < bottom and left <= column < right:
                return part.spacing_mm
        return None if self.calibrated else self.spacing_mm

    def with_region(self, region: Box) -> Scan:
        """The same scan with another ultrasound region, as set by the user or the file.

        Args:
            region: (top, left, bottom, right) px.

        Raises:
            ValueError: when the region is empty or reaches out of the frame.
        """
        top, left, bottom, right = (int(edge) for edge in region)
        if not (0 <= top < bottom <= self.pixels.shape[0] and 0 <= left < right <= self.pixels.shape[1]):
            raise ValueError(f"The region {tuple(region)} does not lie within {self.pixels.shape} px.")
        return replace(self, region=(top, left, bottom, right))
