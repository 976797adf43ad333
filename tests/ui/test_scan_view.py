"""What goes to the browser and what is accepted from it."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from nerve_core.imaging.scan import Scan
from nerve_core.ui import scan_view

SCAN = Scan(np.arange(80 * 100, dtype=np.uint32).reshape(80, 100).astype(np.uint8))


@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        ({"x": 10.5, "y": 20}, (10.5, 20.0)),
        ({"x": -5, "y": 1e9}, (0.0, 79.0)),
        ({"clear": True}, None),
        ({"x": "1", "y": None}, None),
        ({"x": float("nan"), "y": 3}, None),
    ],
)
def test_a_point_from_the_browser_is_kept_inside_the_scan(sent, accepted):
    assert scan_view._accepted(sent, SCAN) == accepted


def decode(url: str) -> np.ndarray:
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_picture_keeps_every_pixel():
    url, width = scan_view.encoded(SCAN)
    assert width == 100 and np.array_equal(decode(url), SCAN.pixels)


def test_a_very_large_scan_is_shown_reduced():
    url, width = scan_view.encoded(Scan(np.zeros((1000, 4000), np.uint8)))
    assert width == scan_view.MAX_SHOWN and decode(url).shape == (400, 1600)


def test_true_mask_becomes_one_closed_path_a_nerve():
    mask = np.zeros((80, 100), np.uint8)
    mask[10:20, 10:20] = mask[40:60, 40:60] = 255
    paths = [scan_view._path(contour) for contour in scan_view._contours(mask)]
    assert len(paths) == 2 and all(path.startswith("M") and path.endswith("Z") for path in paths)
