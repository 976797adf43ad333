"""One scan with the outline of one method, as every card of the comparison shows it."""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Prediction
from nerve_core.ui.data_picture import UNLABELLED, contour_on, outlined
from nerve_core.ui.theme import POINT, VERDICT_COLOURS, rgb

SIDE = 720
"""Longest side of a picture, px; smaller scans are enlarged towards it, at most four times."""


def drawn(
    scan: Scan,
    prediction: Prediction | None,
    judges: bool,
    point: tuple[float, float] | None = None,
) -> np.ndarray:
    """The scan with outlines: in the colour of each nerve's verdict, or green where the method gives none.

    Returns:
        uint8 (h, w, 3), RGB.
    """
    picture = outlined(scan.pixels, None, "", SIDE)
    if prediction is not None and not judges:
        picture = contour_on(picture, prediction.mask > 0, "", UNLABELLED)
    elif prediction is not None:
        for nerve in prediction.nerves:
            inside = np.zeros(scan.pixels.shape, np.uint8)
            cv2.fillPoly(inside, [np.rint(nerve.contour).astype(np.int32)], 1)
            picture = contour_on(picture, inside, "", VERDICT_COLOURS[nerve.verdict])
    if point is not None:
        zoom = picture.shape[1] / scan.pixels.shape[1]
        at = round(point[0] * zoom), round(point[1] * zoom)
        for ink, thickness in (((0, 0, 0), 5), (rgb(POINT), 2)):
            cv2.drawMarker(picture, at, ink, cv2.MARKER_CROSS, 24, thickness, cv2.LINE_AA)
    return picture
