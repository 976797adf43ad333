"""What a reader says of a scan and its verdict, in the form in which it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from nerve_core.errors import NerveCoreError
from nerve_core.inference.prediction import AFFECTED, NOT_ASSESSABLE, UNAFFECTED, UNCERTAIN

READINGS = (AFFECTED, UNAFFECTED, UNCERTAIN, NOT_ASSESSABLE)
"""What a reader may conclude."""

LONGEST = 4000
"""Most letters of a comment."""


class ReadingError(NerveCoreError):
    """A reading that cannot be kept."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One reader's word on one scan.

    Attributes:
        agrees: with the model's own verdict; None when not said.
        reading: one of ``READINGS``: the reader's conclusion on the scan.
        comment: free text, at most ``LONGEST`` letters.
        reviewer: the reader's name, as typed or as signed in.
        contours: the outlines the reader stands by, each float32 (N, 2), x then y, px of the scan.
        corrected: whether these were changed by hand; else they are the model's.
        blinded: whether the reader did not see the model's answer before.
        written: when, with its time zone.

    Raises:
        ReadingError: the reading is none of ``READINGS``, or the comment is too long.
    """

    agrees: bool | None
    reading: str
    comment: str = ""
    reviewer: str = ""
    contours: tuple[np.ndarray, ...] = ()
    corrected: bool = False
    blinded: bool = False
    written: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        if self.reading not in READINGS:
            raise ReadingError(f"A reading is one of {', '.join(READINGS)}, not {self.reading!r}.")
        if len(self.comment) > LONGEST:
            raise ReadingError(f"The comment is longer than {LONGEST} letters: shorten it.")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; contours to hundredths of a pixel."""
        return {
            "agrees": self.agrees,
            "reading": self.reading,
            "comment": self.comment,
            "reviewer": self.reviewer,
            "contours": [np.round(np.asarray(each, np.float64), 2).tolist() for each in self.contours],
            "corrected": self.corrected,
            "blinded": self.blinded,
            "written": self.written.isoformat(timespec="seconds"),
        }
