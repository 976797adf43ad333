"""Poor scans made of good ones: what a bad setting, a bad contact or an old machine does to a picture.

Grey levels of a displayed scan are decibels, so gain is added, and a narrower dynamic range stretches the
levels downwards from white.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

Fault = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
"""Float32 grey levels (H, W), 0 to 255, and how bad, 0 to 1; may leave the range."""


def _blur(picture: np.ndarray, bad: float, rng: np.random.Generator) -> np.ndarray:
    """Out of focus: sigma 0.2 to 0.9 % of the long side."""
    return cv2.GaussianBlur(picture, (0, 0), (0.002 + 0.007 * bad) * max(picture.shape))


def _low_gain(picture: np.ndarray, bad: float, rng: np.random.Generator) -> np.ndarray:
    """Too dark, by 0.2 to 0.9 of the median level; what falls below black is lost."""
    return picture - np.median(picture).astype(np.float32) * np.float32(0.2 + 0.7 * bad)


def _speckle(picture: np.ndarray, bad: float, rng: np.random.Generator) -> np.ndarray:
    """Grain as in the training's augmentation, up to 1.6 times as strong."""
    grain = rng.normal(0, 0.1 + 0.3 * bad, picture.shape).astype(np.float32)
    return picture * (1 + 1.5 * cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.2)))


def _flat(picture: np.ndarray, bad: float, rng: np.random.Generator) -> np.ndarray:
    """Poor contrast: all levels drawn towards the mean, to 0.9 to 0.35 of their distance."""
    mean = np.float32(picture.mean())
    return mean + (picture - mean) * np.float32(0.9 - 0.55 * bad)


def _narrow(picture: np.ndarray, bad: float, rng: np.random.Generator) -> np.ndarray:
    """A narrow dynamic range: the softest 10 to 45 % of the picture fall into black, white stays."""
    black = np.percentile(picture, 10 + 35 * bad).astype(np.float32)
    return (picture - black) * (255 / max(255 - black, np.float32(1)))


FAULTS: dict[str, Fault] = {
    "blur": _blur,
    "low gain": _low_gain,
    "speckle": _speckle,
    "poor contrast": _flat,
    "narrow range": _narrow,
}
"""What can be wrong with a scan."""


def degrade(
    image: np.ndarray,
    rng: np.random.Generator,
    faults: Sequence[str] = (),
    severity: tuple[float, float] = (0.3, 1.0),
    most: int = 3,
) -> np.ndarray:
    """A poor version of a scan, nothing moved: uint8 (H, W) in and out.

    Args:
        faults: names in ``FAULTS``, applied in their order there; empty draws one to ``most`` of them.
        severity: of each, drawn evenly between these two, 0 to 1.
        most: of faults drawn.
    """
    chosen = set(faults or rng.choice(list(FAULTS), int(rng.integers(1, most + 1)), replace=False))
    picture = image.astype(np.float32)
    for name, fault in FAULTS.items():
        if name in chosen:
            # A display has 256 levels at every stage: what one fault clips, the next cannot bring back.
            picture = np.clip(fault(picture, float(rng.uniform(*severity)), rng), 0, 255)
    return np.rint(picture).astype(np.uint8)
