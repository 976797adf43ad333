"""Overlay and mask as files to take away."""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Prediction
from nerve_core.ui.theme import POINT, VERDICT_COLOURS, rgb
from nerve_core.ui.words import NOTICE, sentence_of

_SUBPIXEL_BITS = 4


def overlay(scan: Scan, prediction: Prediction, point: tuple[float, float] | None = None) -> np.ndarray:
    """The scan with outlines, numbers and the pointed place drawn in.

    Returns:
        uint8 (H, W, 3), RGB, in the scan's own pixels.
    """
    picture = cv2.cvtColor(scan.pixels, cv2.COLOR_GRAY2RGB)
    unit = max(1, round(max(scan.pixels.shape) / 400))
    for number, nerve in enumerate(prediction.nerves, 1):
        colour = rgb(VERDICT_COLOURS[nerve.verdict])
        polygon = np.rint(nerve.contour * 2**_SUBPIXEL_BITS).astype(np.int32)
        for drawn, thickness in (((0, 0, 0), 2 * unit + 1), (colour, unit)):
            cv2.polylines(picture, [polygon], True, drawn, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
        right, middle = nerve.contour[nerve.contour[:, 0].argmax()]
        x, y = min(int(right) + 2 * unit, picture.shape[1] - 10 * unit), int(middle) + 4 * unit
        for drawn, thickness in (((0, 0, 0), 3 * unit), (colour, unit)):
            cv2.putText(
                picture,
                str(number),
                (x, y),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.45 * unit,
                drawn,
                thickness,
                cv2.LINE_AA,
            )
    if point is not None:
        at = round(point[0]), round(point[1])
        for drawn, thickness in (((0, 0, 0), 2 * unit + 1), (rgb(POINT), unit)):
            cv2.drawMarker(picture, at, drawn, cv2.MARKER_CROSS, 12 * unit, thickness, cv2.LINE_AA)
    return picture


def overlay_png(
    scan: Scan,
    prediction: Prediction,
    point: tuple[float, float] | None = None,
    calibrated: bool = True,
) -> bytes:
    """PNG of the overlay with the verdict and the standing notice below it, so that they travel together.

    Args:
        scan: the frame judged.
        prediction: what the model said of it.
        point: (x, y) px where the user pointed.
        calibrated: whether the weights' probabilities were checked; else the picture says that they were not.
    """
    picture = overlay(scan, prediction, point)
    hand = "  -  outlines corrected by hand" if prediction.edited else ""
    lines = [
        f"{sentence_of(prediction)}  -  {prediction.model}{hand}",
        *NOTICE.replace("; ", ";\n").split("\n"),
    ]
    if not calibrated:
        lines.insert(1, "This probability is not calibrated for these weights: do not rely on it.")
    scale = max(0.32, picture.shape[1] / 1400)
    height = round(34 * scale)
    footer = np.full((height * len(lines) + height // 2, picture.shape[1], 3), 255, np.uint8)
    for row, line in enumerate(lines, 1):
        shown = line.replace("<", "below").replace(">", "above")
        (wide, _), _ = cv2.getTextSize(shown, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        fitted = scale * min(1.0, (picture.shape[1] - 12) / wide)
        cv2.putText(
            footer,
            shown,
            (6, round(height * row)),
            cv2.FONT_HERSHEY_SIMPLEX,
            fitted,
            (26, 37, 48),
            1,
            cv2.LINE_AA,
        )
    return _png(cv2.cvtColor(np.vstack([picture, footer]), cv2.COLOR_RGB2BGR))


def mask_png(prediction: Prediction) -> bytes:
    """PNG of the mask, 255 inside the nerves, else 0, in the scan's own pixels."""
    return _png(prediction.mask)


def _png(picture: np.ndarray) -> bytes:
    done, png = cv2.imencode(".png", picture)
    assert done
    return png.tobytes()
