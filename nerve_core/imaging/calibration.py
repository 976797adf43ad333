"""Where a DICOM file says its ultrasound is, and the millimetre scale that it states there.

DICOM PS3.3 C.8.5.5 (ultrasound region calibration): regions whose units are cm in both directions (code 3)
give |PhysicalDelta| x 10 mm/px, rows and columns apart. PixelSpacing is believed only with
PixelSpacingCalibrationType (PS3.3 10.7.1.3): without it, it may be anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nerve_core.imaging.scan import Box, CalibratedRegion, Spacing

if TYPE_CHECKING:
    from pydicom import Dataset

CENTIMETRES = 3
TWO_DIMENSIONAL = 1
TISSUE, COLOUR_FLOW = 1, 2
MIN_REGION_SIDE = 32
"""Regions with a shorter side (px) are not where the picture is."""
PLAUSIBLE_MM = (1e-3, 5.0)
"""A scale outside this range, mm/px, is a mistake in the file."""


@dataclass(frozen=True)
class Calibration:
    """What a file states of its frames.

    Attributes:
        box: (top, left, bottom, right) px of the main two-dimensional region, None when none is stated.
        regions: every region with a scale, tissue before colour flow before others, larger ones first.
        spacing_mm: (row, column) mm/px of the main region or, without calibrated regions, of the whole frame.
    """

    box: Box | None = None
    regions: tuple[CalibratedRegion, ...] = ()
    spacing_mm: Spacing | None = None


def calibration(dataset: Dataset, size: tuple[int, int]) -> Calibration:
    """Read the regions and scale of a dataset whose frames are ``size`` (width, height) px."""
    found: list[tuple[int, Box, Spacing | None]] = []
    for item in dataset.get("SequenceOfUltrasoundRegions", None) or ():
        box = region_box(item, size)
        if box is not None:
            found.append((_rank(item), box, _region_spacing(item)))
    found.sort(key=lambda part: (part[0], -_height(part[1]) * _width(part[1])))
    regions = tuple(CalibratedRegion(box, spacing) for _, box, spacing in found if spacing is not None)
    main_box, main_spacing = None, None
    for rank, box, spacing in found:
        if rank <= 1 and min(_height(box), _width(box)) >= MIN_REGION_SIDE:
            main_box, main_spacing = box, spacing
            break
    if not regions:
        main_spacing = _calibrated_pixel_spacing(dataset)
    elif main_box is None:
        main_spacing = regions[0].spacing_mm
    return Calibration(main_box, regions, main_spacing)


def _height(box: Box) -> int:
    return box[2] - box[0]


def _width(box: Box) -> int:
    return box[3] - box[1]


def _rank(item: Dataset) -> int:
    """0 for two-dimensional tissue, 1 for two-dimensional colour flow over tissue, 2 for anything else."""
    if item.get("RegionSpatialFormat") != TWO_DIMENSIONAL:
        return 2
    return {TISSUE: 0, COLOUR_FLOW: 1}.get(item.get("RegionDataType"), 2)


def region_box(item: Dataset, size: tuple[int, int]) -> Box | None:
    """Location of a region within the frame; its last row and column belong to it (PS3.3 C.8.5.5.1.1)."""
    try:
        left, top = int(item.RegionLocationMinX0), int(item.RegionLocationMinY0)
        right, bottom = int(item.RegionLocationMaxX1) + 1, int(item.RegionLocationMaxY1) + 1
    except (AttributeError, TypeError, ValueError):
        return None
    right, bottom = min(right, size[0]), min(bottom, size[1])
    return (top, left, bottom, right) if 0 <= top < bottom and 0 <= left < right else None


def _region_spacing(item: Dataset) -> Spacing | None:
    units = item.get("PhysicalUnitsXDirection"), item.get("PhysicalUnitsYDirection")
    if units != (CENTIMETRES, CENTIMETRES):
        return None
    return _plausible(item.get("PhysicalDeltaY"), item.get("PhysicalDeltaX"), factor=10.0)


def _calibrated_pixel_spacing(dataset: Dataset) -> Spacing | None:
    """PixelSpacing, in mm, when the file says how it was calibrated."""
    if not dataset.get("PixelSpacingCalibrationType"):
        return None
    try:
        rows, columns = dataset.PixelSpacing
    except (AttributeError, TypeError, ValueError):
        return None
    return _plausible(rows, columns, factor=1.0)


def _plausible(rows: object, columns: object, factor: float) -> Spacing | None:
    try:
        spacing = abs(float(rows)) * factor, abs(float(columns)) * factor  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    low, high = PLAUSIBLE_MM
    return spacing if all(math.isfinite(value) and low <= value <= high for value in spacing) else None
