"""What the REST service answers with, as OpenAPI shows it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Verdict = Literal["affected", "unaffected", "uncertain", "no nerve found"]


class NerveAnswer(BaseModel):
    """One nerve, in pixels of the uploaded scan."""

    p_affected: float = Field(ge=0, le=1, description="Probability of looking affected.")
    verdict: Verdict
    confidence: float = Field(ge=0, le=1, description="Mean contour probability inside the nerve.")
    area_px: float = Field(ge=0, description="Enclosed area, px².")
    area_mm2: float | None = Field(description="Enclosed area, mm²; null when the scale is unknown.")
    centroid: tuple[float, float] = Field(description="x, y in px.")
    contour: list[tuple[float, float]] = Field(description="Closed polygon of x, y in px.")


class PredictionAnswer(BaseModel):
    """The prediction of one scan. Research use only."""

    file: str = Field(description="Base name of the uploaded file.")
    verdict: Verdict
    p_affected: float | None = Field(description="Largest over the nerves; null when no nerve was found.")
    reason: str | None = Field(default=None, description="Why there is no verdict, where there is none.")
    nerves: list[NerveAnswer]
    mask_png: str = Field(description="Base64 PNG of the scan's size: 255 inside a nerve, else 0.")
    model: str = Field(description="Name and version of the weights.")
    ms: float = Field(description="Milliseconds from decoding to verdict.")


class ErrorAnswer(BaseModel):
    """Why a request was refused, in one sentence."""

    error: str
    verdict: Literal["not assessable"] | None = Field(
        default=None, description="Present when the picture was readable but must not be judged."
    )


class HealthAnswer(BaseModel):
    """Whether the service can predict, and with what."""

    status: Literal["ok"]
    model: str
    device: str
    backend: str
    notice: str
