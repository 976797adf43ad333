"""Overlay and mask files."""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Nerve, Prediction
from nerve_core.ui import draw
from nerve_core.ui.theme import VERDICT_COLOURS, rgb

SQUARE = np.array([[20, 20], [60, 20], [60, 60], [20, 60]], np.float32)


def found(p: float) -> tuple[Scan, Prediction]:
    scan = Scan(np.full((80, 100), 100, np.uint8))
    mask = np.zeros((80, 100), np.uint8)
    mask[20:61, 20:61] = 255
    nerve = Nerve(SQUARE, (40.0, 40.0), 1600.0, None, 0.9, p)
    return scan, Prediction(mask / np.float32(255), mask, (nerve,), nerve.verdict, p, "research 1")


def decode(png: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_outline_has_the_colour_of_its_verdict_and_the_rest_is_untouched():
    for p, verdict in ((0.9, "affected"), (0.1, "unaffected"), (0.5, "uncertain")):
        picture = draw.overlay(*found(p))
        # Smoothed edges blend a little of the black rim into the line.
        assert np.abs(picture[40, 20].astype(int) - rgb(VERDICT_COLOURS[verdict])).max() < 40
        assert tuple(picture[40, 40]) == (100, 100, 100) == tuple(picture[70, 90])


def test_overlay_file_carries_the_notice_below_the_scan():
    picture = decode(draw.overlay_png(*found(0.9)))
    assert picture.shape[1] == 100 and picture.shape[0] > 80
    assert np.array_equal(picture[:80], draw.overlay(*found(0.9)))
    assert (picture[80:] < 100).any()


def test_mask_file_is_the_mask():
    _, prediction = found(0.9)
    mask = cv2.imdecode(np.frombuffer(draw.mask_png(prediction), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(mask, prediction.mask)


def test_an_uncalibrated_probability_adds_a_line_to_the_overlay_file():
    scan, prediction = found(0.9)
    plain = decode(draw.overlay_png(scan, prediction))
    warned = decode(draw.overlay_png(scan, prediction, calibrated=False))
    assert warned.shape[0] > plain.shape[0] and np.array_equal(warned[:80], plain[:80])
