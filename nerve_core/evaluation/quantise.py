"""What the networks see of training scans: the inputs by which eight-bit exports choose their ranges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nerve_core.data.manifest import Row
from nerve_core.data.nerve_versions import cases
from nerve_core.data.packed import read_mask
from nerve_core.imaging.click import thickest_point
from nerve_core.imaging.read import read_scan
from nerve_core.inference.looks import network_input, verdict_input
from nerve_core.inference.predictor import Predictor

SEED = 77
"""Of the pathology written into these scans."""
CLICKED = 3
"""Every third scan is shown with a click as well."""

Inputs = list[tuple[np.ndarray, ...]]


def calibration_inputs(predictor: Predictor, rows: Sequence[Row]) -> dict[str, Inputs]:
    """Inputs of both networks, by the part's name: ``contour`` and ``verdict``.

    Args:
        predictor: prepares the scans.
        rows: scans of training groups with masks.

    Returns:
        Tuples of float32 arrays as the networks take them; a nerve as it is, affected and sham.
    """
    found: dict[str, Inputs] = {"contour": [], "verdict": []}
    for number, row in enumerate(rows):
        scan = read_scan(row["image"])
        mask = read_mask(row["mask"], scan.pixels.shape).astype(np.uint8)
        prepared = predictor.preprocess.apply(scan)
        found["contour"].append((network_input(prepared, None),))
        if not mask.any():
            continue
        if number % CLICKED == 0:
            found["contour"].append((network_input(prepared, thickest_point(mask)),))
        for case in cases(np.array(scan.pixels), mask, number, 1, 1, SEED, row.get("site", "")):
            if case.nerve.any():
                found["verdict"].append(verdict_input(case.image, case.nerve))
    return found
