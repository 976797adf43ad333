"""A predictor without a network, and scans made in memory."""

from __future__ import annotations

import io
import threading
from typing import Any

import cv2
import numpy as np
from PIL import Image

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Nerve, Prediction, verdict_of


class FakePredictor:
    """Calls the bright disc of ``scan_array`` a nerve; remembers what it was asked."""

    name = "fake"
    version = "1"
    device = "cpu"
    backend = "none"

    def __init__(self, p_affected: float = 0.9) -> None:
        self.p_affected = p_affected
        self.clicks: list[tuple[float, float] | None] = []
        self._lock = threading.Lock()

    def predict(self, scan: Scan, click: tuple[float, float] | None = None, **_: Any) -> Prediction:
        with self._lock:
            self.clicks.append(click)
        mask = np.where(scan.pixels > 220, 255, 0).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        nerves = []
        for outline in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            contour = outline.reshape(-1, 2).astype(np.float32)
            x, y = contour.mean(axis=0)
            nerves.append(
                Nerve(
                    contour, (float(x), float(y)), float(cv2.contourArea(outline)), None, 0.8, self.p_affected
                )
            )
        return Prediction(
            probability=(mask / 255).astype(np.float32),
            mask=mask,
            nerves=tuple(nerves),
            verdict=verdict_of(self.p_affected) if nerves else "no nerve found",
            p_affected=self.p_affected if nerves else None,
            model="fake 1",
            timings_ms={"network": 1.0, "total": 1.0},
        )


def scan_array(centre: tuple[int, int] = (90, 60), seed: int = 0) -> np.ndarray:
    """uint8 (128, 192): speckle with one bright disc of radius 15 at (x, y) ``centre``."""
    pixels = np.random.default_rng(seed).integers(20, 120, (128, 192)).astype(np.uint8)
    cv2.circle(pixels, centre, 15, 250, -1)
    return pixels


def as_file(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """The pixels as an image file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()
