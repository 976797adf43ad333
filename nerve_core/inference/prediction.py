"""What a prediction is, and the one JSON form in which it leaves the program."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

AFFECTED = "affected"
UNAFFECTED = "unaffected"
UNCERTAIN = "uncertain"
NO_NERVE = "no nerve found"
NOT_ASSESSABLE = "not assessable"

NOTICE = (
    "Research use only, not a medical device. Learned from simulated pathology on healthy nerves; "
    "never tested on diagnosed patients."
)
"""Stands beside every verdict, wherever it is shown."""

UNCERTAIN_RANGE = (0.4, 0.6)
"""Open interval of p_affected called uncertain by weights without calibrated abstention."""


def verdict_of(p_affected: float) -> str:
    """Verdict in words for one probability in [0, 1], without calibrated abstention."""
    low, high = UNCERTAIN_RANGE
    if low < p_affected < high:
        return UNCERTAIN
    return AFFECTED if p_affected >= high else UNAFFECTED


@dataclass(frozen=True, eq=False)
class Nerve:
    """One connected contour, in px of the scan.

    Attributes:
        contour: float32 (N, 2), x then y, closed polygon without the repeated first point.
        centroid: (x, y) px.
        area_px: enclosed area in px².
        area_mm2: enclosed area in mm², None when the scale is unknown.
        confidence: mean contour probability inside, 0 to 1.
        p_affected: probability of looking affected, 0 to 1.
        word: the verdict where abstention is calibrated; None leaves it to :func:`verdict_of`.
    """

    contour: np.ndarray
    centroid: tuple[float, float]
    area_px: float
    area_mm2: float | None
    confidence: float
    p_affected: float
    word: str | None = None

    @property
    def verdict(self) -> str:
        return self.word or verdict_of(self.p_affected)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Everything the system says of one scan.

    Attributes:
        probability: float32 (H, W) in the scan's own pixels, 0 to 1: how likely each pixel is nerve.
        mask: uint8 (H, W), 255 inside the nerves that were kept, else 0.
        nerves: the nerves, most likely affected first.
        verdict: one of the five verdicts.
        p_affected: the largest over the nerves, None when there is none.
        reason: why the scan is not assessable or no nerve is claimed in it, else None.
        beyond: what the learned gate holds against the scan, whether or not the gate was on; else None. The
            user may have such a scan judged all the same, with the gate off.
        model: name and version of the weights.
        timings_ms: milliseconds by stage; ``total`` is their sum.
        edited: whether the outlines are a person's (:mod:`nerve_core.inference.edited`); the nerves' contours
            and areas are then those drawn, and the probability map is still the model's.
    """

    probability: np.ndarray
    mask: np.ndarray
    nerves: tuple[Nerve, ...]
    verdict: str
    p_affected: float | None
    model: str
    reason: str | None = None
    beyond: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    edited: bool = False

    def to_dict(self, file: str) -> dict[str, Any]:
        """The JSON object of the command line and the REST API; with ``edited`` where outlines were drawn."""
        done, png = cv2.imencode(".png", self.mask)
        assert done
        answer = {
            "file": file,
            "verdict": self.verdict,
            "p_affected": None if self.p_affected is None else round(self.p_affected, 6),
            "reason": self.reason,
            "nerves": [
                {
                    "p_affected": round(nerve.p_affected, 6),
                    "verdict": nerve.verdict,
                    "confidence": round(nerve.confidence, 4),
                    "area_px": round(nerve.area_px, 2),
                    "area_mm2": None if nerve.area_mm2 is None else round(nerve.area_mm2, 2),
                    "centroid": [round(value, 2) for value in nerve.centroid],
                    "contour": np.round(nerve.contour, 2).tolist(),
                }
                for nerve in self.nerves
            ],
            "mask_png": base64.b64encode(png.tobytes()).decode("ascii"),
            "model": self.model,
            "ms": round(self.timings_ms.get("total", 0.0), 2),
        }
        return answer | {"edited": True} if self.edited else answer
