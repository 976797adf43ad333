"""Measurements of one nerve from its outline: millimetres where the scale is known, pixels where not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import pi, sqrt
from typing import Any

import cv2
import numpy as np
from skimage.measure import find_contours

from nerve_core.clinical import shape
from nerve_core.clinical.echo import hypoechoic_fractions
from nerve_core.imaging.scan import Scan
from nerve_core.inference.contours import Selection
from nerve_core.inference.prediction import Nerve, Prediction

REPEATABLE_MM2 = 1.57
"""Smallest difference in area that two readers can tell apart, mm² (doi:10.1177/15589447251366672)."""

ALIKE = 0.15
"""Largest difference in area at which a finer outline is taken for that of the same nerve."""


@dataclass(frozen=True)
class Measurement:
    """Sizes of one nerve.

    Attributes:
        unit: ``mm`` where the scale is known, else ``px``; of all lengths, and squared of the area.
        area: cross-sectional area.
        perimeter: length of the outline.
        equivalent_diameter: of the circle with this area.
        width: largest caliper (Feret) diameter.
        height: smallest caliper diameter.
        flattening: width over height; 1 is round.
        circularity: 4 π area / perimeter², 1 for a circle, less for anything else.
        depth: from the top of the ultrasound picture to the nearest point of the nerve, along the beam.
        echo: mean grey level inside, 0 black to 255 white.
        hypoechoic: share of dark pixels by automatic thresholds, see
            :func:`nerve_core.clinical.echo.hypoechoic_fractions`.
    """

    unit: str
    area: float
    perimeter: float
    equivalent_diameter: float
    width: float
    height: float
    flattening: float
    circularity: float
    depth: float
    echo: float
    hypoechoic: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, rounded to what can be told apart."""
        own = asdict(self)
        rounded = {name: round(value, 3) for name, value in own.items() if isinstance(value, float)}
        dark = {name: round(value, 3) for name, value in self.hypoechoic.items()}
        return own | rounded | {"hypoechoic": dark}


def measure(scan: Scan, prediction: Prediction, nerve: Nerve) -> Measurement:
    """Measurements of a predicted nerve, by its outline between the pixels."""
    return measure_outline(scan, fine_outline(prediction, nerve))


def measure_outline(scan: Scan, outline: np.ndarray) -> Measurement:
    """Measurements by a closed outline, predicted or drawn.

    Args:
        scan: its scale is that of the calibrated region that holds the outline's centre; rows and columns
            may differ.
        outline: (N, 2), x then y, px, at least three points.

    Raises:
        ValueError: the outline encloses nothing.
    """
    outline = np.asarray(outline, np.float64)
    if len(outline) < 3 or shape.area(outline) <= 0:
        raise ValueError("The outline encloses no area; draw at least three points around the nerve.")
    x, y = outline.mean(axis=0)
    spacing = scan.spacing_at(float(y), float(x))
    down, across = spacing or (1.0, 1.0)
    points = outline * (across, down)
    size, around = shape.area(points), shape.perimeter(points)
    width, height = shape.feret(points)
    levels = pixels_inside(scan.pixels, outline)
    return Measurement(
        unit="px" if spacing is None else "mm",
        area=size,
        perimeter=around,
        equivalent_diameter=2 * sqrt(size / pi),
        width=width,
        height=height,
        flattening=width / height if height else float("inf"),
        circularity=min(1.0, 4 * pi * size / around**2),
        depth=max(0.0, float(outline[:, 1].min() - top_of(scan, float(x), float(y)))) * down,
        echo=float(levels.mean()),
        hypoechoic=hypoechoic_fractions(levels),
    )


def fine_outline(prediction: Prediction, nerve: Nerve) -> np.ndarray:
    """The nerve's outline (N, 2), px, where its probability crosses the level at which it was cut out.

    The mask's own outline runs along pixels, which for the smallest nerves is some per cent of their area.
    Where the probability gives no outline of about that size, the mask's is kept. An outline drawn by hand
    stays as drawn.
    """
    if prediction.edited:
        return nerve.contour
    inside = np.zeros(prediction.mask.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(nerve.contour).astype(np.int32)], 1)
    _, labels = cv2.connectedComponents((prediction.mask > 0).astype(np.uint8))
    own = labels == np.bincount(labels[inside > 0], minlength=2)[1:].argmax() + 1
    if not (own & (inside > 0)).any():
        return nerve.contour
    ring = (cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~own
    chances = prediction.probability
    inner, outer = float(chances[own].min()), float(chances[ring].max(initial=0))
    level = Selection.threshold if outer < Selection.threshold <= inner else (inner + outer) / 2
    x, y, width, height = cv2.boundingRect(own.astype(np.uint8))
    top, left = max(0, y - 2), max(0, x - 2)
    part = (slice(top, y + height + 2), slice(left, x + width + 2))
    near = cv2.dilate(own[part].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    field = np.pad(np.where(near, chances[part], 0), 1)
    found = [line[:-1, ::-1] - 1 + (left, top) for line in find_contours(field, level) if len(line) > 3]
    if not found:
        return nerve.contour
    finest = max(found, key=shape.area)
    return finest if abs(shape.area(finest) / own.sum() - 1) <= ALIKE else nerve.contour


def pixels_inside(pixels: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Grey levels whose pixel centres lie in an outline (N, 2); the nearest pixel where none does."""
    x, y = np.asarray(outline).T
    left, top = max(0, int(np.floor(x.min()))), max(0, int(np.floor(y.min())))
    part = pixels[top : int(np.ceil(y.max())) + 1, left : int(np.ceil(x.max())) + 1]
    mask = np.zeros(part.shape, np.uint8)
    shift = 4  # sixteenths of a pixel
    points = np.round((np.asarray(outline) - (left, top)) * 2**shift).astype(np.int32)
    cv2.fillPoly(mask, [points], 1, shift=shift)
    return part[mask > 0] if mask.any() else part.ravel()[:1]


def top_of(scan: Scan, x: float, y: float) -> int:
    """Row, px, at which the ultrasound picture around a point begins: about the skin."""
    for part in scan.calibrated:
        top, left, bottom, right = part.box
        if top <= y < bottom and left <= x < right:
            return top
    return scan.region[0]
