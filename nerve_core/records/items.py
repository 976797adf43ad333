"""What the records hand out: plain values, with nothing in them that the reader may not see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import numpy as np

Value = TypeVar("Value")

SIDES = ("", "left", "right")
"""Sides of the body; empty where it is not said."""


@dataclass(frozen=True)
class Page(Generic[Value]):
    """One page of a long list.

    Attributes:
        items: those on this page.
        total: how many there are on all pages.
        number: of this page, from 1.
        size: most items a page.
    """

    items: tuple[Value, ...]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True)
class Saved:
    """What came of saving.

    Attributes:
        scan, patient, visit: their identifiers.
        prediction: its identifier, None where none was given.
        new: False where this frame of this file was saved for this patient before.
        elsewhere: the same file is also saved for another patient: one of the two may be a mix-up.
        removed: what de-identification took out, in words.
        cautions: what a person should still look at, since no program can, in words.
    """

    scan: str
    patient: str
    visit: str
    prediction: str | None
    new: bool
    elsewhere: bool
    removed: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sizes:
    """Sizes of one outline as they were recorded; fields as in ``nerve_core.clinical.measure.Measurement``.

    Attributes:
        number: of the nerve in its prediction or of the outline in its reading, from 0.
        flattening: None where the outline has no height.
    """

    number: int
    unit: str
    area: float
    perimeter: float
    equivalent_diameter: float
    width: float
    height: float
    flattening: float | None
    circularity: float
    depth: float
    echo: float
    hypoechoic: dict[str, float]


@dataclass(frozen=True)
class SavedPrediction:
    """What one model said of a scan.

    Attributes:
        nerves: as in ``Prediction.to_dict``: contour, centroid, area_px, area_mm2, confidence, p_affected,
            verdict.
        sizes: of the nerves.
        config_sha256: of the weights' whole config; None where none was given.
        click: (x, y) px, where the user pointed.
    """

    id: str
    model: str
    version: str
    config_sha256: str | None
    verdict: str
    p_affected: float | None
    reason: str | None
    beyond: str | None
    click: tuple[float, float] | None
    nerves: tuple[dict[str, Any], ...]
    sizes: tuple[Sizes, ...]
    made: datetime
    made_by: str

    @property
    def contours(self) -> list[np.ndarray]:
        """float32 (N, 2) each, x then y, px."""
        return [np.asarray(nerve["contour"], np.float32).reshape(-1, 2) for nerve in self.nerves]


@dataclass(frozen=True)
class Review:
    """One person's reading of a scan.

    Attributes:
        agrees: with the model; None where the reader did not see what it said.
        reading: one of ``nerve_core.inference.review.READINGS``.
        contours: the outlines the reader stands by, (x, y) px.
        corrected: whether these were changed by hand; else they are the model's.
        blinded: read without the model's verdict and any other reading.
        second: asked for as a second reading.
        current: no later reading of the same person supersedes it.
        sizes: of the outlines.
    """

    id: str
    scan: str
    prediction: str | None
    reviewer: str
    agrees: bool | None
    reading: str
    contours: tuple[tuple[tuple[float, float], ...], ...]
    corrected: bool
    comment: str
    blinded: bool
    second: bool
    current: bool
    sizes: tuple[Sizes, ...]
    made: datetime


@dataclass(frozen=True)
class Comment:
    """A remark on a patient, or on one of their scans."""

    id: str
    scan: str | None
    author: str
    text: str
    made: datetime


@dataclass(frozen=True)
class SavedScan:
    """One frame of one file of a patient, with all that was said of it.

    Attributes:
        shape: (height, width) px.
        spacing_mm: (row, column) mm per px, None when the scale is unknown.
        urgency, reasons: place in the worklist, and why.
        hidden: the reader is to read it blinded: predictions, reviews, comments, urgency are left out.
        predictions: latest first.
        reviews: latest first, superseded ones too.
    """

    id: str
    patient: str
    pseudonym: str
    visit: str
    date: date
    sha256: str
    frame: int
    shape: tuple[int, int]
    nerve: str
    site: str
    side: str
    spacing_mm: tuple[float, float] | None
    saved: datetime
    saved_by: str
    urgency: float = 0.0
    reasons: tuple[str, ...] = ()
    reviewed: bool = False
    hidden: bool = False
    predictions: tuple[SavedPrediction, ...] = ()
    reviews: tuple[Review, ...] = ()
    comments: tuple[Comment, ...] = ()

    @property
    def prediction(self) -> SavedPrediction | None:
        """What was said last, by a model."""
        return self.predictions[0] if self.predictions else None

    @property
    def review(self) -> Review | None:
        """The last reading that still holds and nobody gave as a second one."""
        return next((one for one in self.reviews if one.current and not one.second), None)


@dataclass(frozen=True)
class Visit:
    """What was scanned on one day."""

    id: str
    date: date
    scans: tuple[SavedScan, ...] = ()


@dataclass(frozen=True)
class Patient:
    """A patient with their visits, the latest first, and the remarks on them."""

    id: str
    pseudonym: str
    created: datetime
    visits: tuple[Visit, ...] = ()
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True)
class Found:
    """A patient as a search lists them.

    Attributes:
        scans, unread: how many.
        first, last: days of the first and the last visit, None without any.
    """

    id: str
    pseudonym: str
    visits: int
    scans: int
    unread: int
    first: date | None
    last: date | None


@dataclass(frozen=True)
class WorkItem:
    """A scan as the worklist shows it.

    Attributes:
        verdict, p_affected, area_mm2: of the last prediction; None where there is none.
        urgency: 0 to 5, see :mod:`nerve_core.records.urgency`.
        reasons: why it stands where it does, in words.
        reading: the last one, None while it is unread.
        readers: who has read it.
    """

    scan: str
    patient: str
    pseudonym: str
    date: date
    nerve: str
    site: str
    side: str
    verdict: str | None
    p_affected: float | None
    area_mm2: float | None
    urgency: float
    reasons: tuple[str, ...]
    reviewed: bool
    reading: str | None
    readers: tuple[str, ...]
    saved: datetime


@dataclass(frozen=True)
class Request:
    """A second reading asked for.

    Attributes:
        open: nobody has answered it yet.
    """

    id: str
    scan: str
    patient: str
    pseudonym: str
    date: date
    nerve: str
    site: str
    side: str
    asked_by: str
    colleague: str
    blinded: bool
    open: bool
    made: datetime


@dataclass(frozen=True)
class Point:
    """One value in the course of a nerve's area.

    Attributes:
        area: in ``unit`` squared.
        by: the reader's name where the outline is theirs, else the model's.
        read: whether the outline is a reader's.
    """

    scan: str
    date: date
    area: float
    unit: str
    by: str
    read: bool


@dataclass(frozen=True)
class Course:
    """The area of one nerve at one site on one side over the visits, earliest first."""

    nerve: str
    site: str
    side: str
    points: tuple[Point, ...] = field(default=())
