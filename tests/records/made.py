"""Scans and predictions made for the tests: a speckled picture with one round nerve, 0.1 mm a pixel."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from nerve_core.imaging.read import open_scan
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, Nerve, Prediction, verdict_of

SIZE = (96, 128)
CENTRE = (64.0, 48.0)
SPACING = (0.1, 0.1)


def png(seed: int = 0) -> bytes:
    """A grey PNG of 128 × 96 px, another one for each seed."""
    noise = np.random.default_rng(seed).normal(90, 40, SIZE).clip(5, 250).astype(np.uint8)
    return cv2.imencode(".png", cv2.GaussianBlur(noise, (0, 0), 1.0))[1].tobytes()


def scan_of(content: bytes, spacing: tuple[float, float] | None = SPACING) -> Scan:
    """The scan of a PNG, with a scale."""
    return replace(open_scan(content, "made.png").scan(), spacing_mm=spacing)


def circle(radius: float = 15.0, centre: tuple[float, float] = CENTRE) -> np.ndarray:
    """float32 (64, 2), x then y, px: about π r² large."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], axis=1).astype(
        np.float32
    )


def prediction(p: float | None = 0.9, radius: float = 15.0, model: str = "research 1") -> Prediction:
    """One round nerve with a probability of looking affected; None finds none."""
    mask = np.zeros(SIZE, np.uint8)
    if p is None:
        return Prediction(mask / np.float32(255), mask, (), NO_NERVE, None, model)
    contour = circle(radius)
    cv2.fillPoly(mask, [np.rint(contour).astype(np.int32)], 255)
    area = float(np.pi * radius**2)
    nerve = Nerve(contour, CENTRE, area, area * SPACING[0] * SPACING[1], 0.9, p)
    return Prediction(mask / np.float32(255), mask, (nerve,), verdict_of(p), p, model)
