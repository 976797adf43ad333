"""What a session keeps of one file: the file, how the user looks at it, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from nerve_core.imaging.scan import Box, Scan
from nerve_core.inference.prediction import Prediction
from nerve_core.inference.review import Reading

if TYPE_CHECKING:
    from nerve_core.imaging.preprocess import Preprocess

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Item:
    """One file to look at: an upload, a sample, or a scan made or chosen on another page.

    Attributes:
        id: unique within the session.
        name: base name of the file.
        content: the file's bytes.
        digest: SHA-256 of the bytes, hexadecimal.
        truth: where the nerves truly are, for simulated scans only: the path of a mask, or the mask of the
            first frame itself, uint8 (H, W), 255 inside nerves.
        note: what is known of a simulated scan, else empty.
    """

    id: str
    name: str
    content: bytes
    digest: str
    truth: Path | np.ndarray | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Edit:
    """Where the correction of one frame's outlines stands.

    Attributes:
        revision: number of the last step that arrived from the browser.
        contours: the outlines drawn, each float32 (N, 2), x then y, px; None for the model's own.
        problem: why the last step could not be used, else empty; the outlines are then those before it.
    """

    revision: int = 0
    contours: tuple[np.ndarray, ...] | None = None
    problem: str = ""


@dataclass
class View:
    """How the user looks at one item.

    Attributes:
        frame: frame shown, from 0.
        points: where the user pointed, (x, y) px, by frame.
        settings: image processing chosen on the page, None for the model's own.
        region: ultrasound region chosen on the page, None for the one found.
        ruler: ends of a known length that the user clicked on, (x, y) px, at most two.
        ruling: whether the next click is such an end.
        mm_per_px: scale the user gave, where the file states none.
        trusted: frames that the user wants judged although the learned gate holds them out of scope.
        edits: what was done to the outlines by hand, by frame.
        readings: the reader's word, by frame.
        token: tells this look from an earlier one at the same file, whose steps the browser may still hold.
    """

    frame: int = 0
    points: dict[int, Point] = field(default_factory=dict)
    settings: Preprocess | None = None
    region: Box | None = None
    ruler: tuple[Point, ...] = ()
    ruling: bool = False
    mm_per_px: float | None = None
    trusted: set[int] = field(default_factory=set)
    edits: dict[int, Edit] = field(default_factory=dict)
    readings: dict[int, Reading] = field(default_factory=dict)
    token: str = field(default_factory=lambda: uuid4().hex)

    @property
    def point(self) -> Point | None:
        return self.points.get(self.frame)

    @property
    def edit(self) -> Edit:
        return self.edits.get(self.frame, Edit())


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one item: a prediction, a refusal with its reason, or an error; never an exception.

    Attributes:
        item: the file.
        scan: the frame judged, None when the file could not be read.
        prediction: what the model said, None on error or refusal.
        refused: why the picture must not be judged, else None.
        error: why the file cannot be used, else None.
        read_ms: time to read and decode the frame, ms.
        ms: time from the decoded frame to the verdict, ms.
        before: what the model said by its own outlines, where ``prediction`` is of outlines drawn by hand.
    """

    item: Item
    scan: Scan | None = None
    prediction: Prediction | None = None
    refused: str | None = None
    error: str | None = None
    read_ms: float = 0.0
    ms: float = 0.0
    before: Prediction | None = None


@dataclass(frozen=True)
class Summary:
    """The few words of an outcome that a table of many needs."""

    verdict: str | None
    p_affected: float | None
    nerves: int
    frames: int
    message: str
