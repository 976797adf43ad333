"""What the contour network sees of training scans: eight-bit exports choose their ranges by it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nerve_core.data.manifest import Row
from nerve_core.data.packed import read_mask
from nerve_core.imaging.click import thickest_point
from nerve_core.imaging.read import read_scan
from nerve_core.inference.looks import network_input
from nerve_core.inference.predictor import Predictor

CLICKED = 3
"""Every third scan is shown with a click as well."""

Inputs = list[tuple[np.ndarray, ...]]


def calibration_inputs(predictor: Predictor, rows: Sequence[Row]) -> Inputs:
    """Inputs of the contour network.

    Args:
        predictor: prepares the scans.
        rows: scans of training groups with masks.

    Returns:
        Tuples of one float32 array (1, 2, size, size): every scan without a click, some with one as well.
    """
    found: Inputs = []
    for number, row in enumerate(rows):
        scan = read_scan(row["image"])
        mask = read_mask(row["mask"], scan.pixels.shape).astype(np.uint8)
        prepared = predictor.preprocess.apply(scan)
        found.append((network_input(prepared, None),))
        if number % CLICKED == 0 and mask.any():
            found.append((network_input(prepared, thickest_point(mask)),))
    return found
