"""What is known of one scan after it was judged: what tables and messages to other systems are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nerve_core.clinical.measure import Measurement, measure
from nerve_core.clinical.norms import Norm, norms_of
from nerve_core.imaging.scan import Scan, Spacing
from nerve_core.inference.prediction import Prediction

FROM_FILE, FROM_RULER = "file", "ruler"


@dataclass(frozen=True)
class Place:
    """Which nerve of the scan, from 0, the reader says is which nerve at which site, and on which side."""

    number: int
    nerve: str
    site: str
    side: str = ""


@dataclass(frozen=True, eq=False)
class Finding:
    """One scan, its verdict and its measurements.

    Attributes:
        label: what the scan is called in a table or message: a number or pseudonym, never a name.
        file: name of the file; empty where it shall not leave.
        digest: SHA-256 of the file, hexadecimal; may be empty.
        frame: of the file, from 0.
        prediction: what the model said, None where the scan could not be judged.
        sizes: of each nerve, in the prediction's order.
        spacing_mm: (row, column) mm per px around each nerve, None where unknown.
        scale: ``file``, ``ruler`` or empty where unknown.
        remark: why there is no verdict, or no nerve; else empty.
        places: what the reader said of nerves.
    """

    label: str
    prediction: Prediction | None
    sizes: Sequence[Measurement] = ()
    spacing_mm: Sequence[Spacing | None] = ()
    file: str = ""
    digest: str = ""
    frame: int = 0
    scale: str = ""
    remark: str = ""
    places: Sequence[Place] = ()

    def place(self, number: int) -> Place | None:
        """What the reader said of a nerve, from 0."""
        return next((place for place in self.places if place.number == number), None)

    def norms(self, number: int) -> list[Norm]:
        """Published sizes for a nerve, from 0; none without a millimetre scale or a reader's word."""
        return norms_at(self.place(number), self.sizes[number])


def norms_at(place: Place | None, size: Measurement) -> list[Norm]:
    """Published sizes of the nerve at a place; none for a size in pixels."""
    return [] if place is None or size.unit != "mm" else norms_of(place.nerve, place.site)


def finding_of(
    label: str,
    scan: Scan,
    prediction: Prediction,
    ruler: bool = False,
    file: str = "",
    digest: str = "",
    places: Sequence[Place] = (),
) -> Finding:
    """Measure every nerve of a judged scan.

    Args:
        label: what the scan shall be called.
        scan, prediction: the frame judged, and the answer.
        ruler: whether the scale is the user's.
        file, digest: of the file, where they may leave.
        places: what the reader said of nerves.
    """
    spacing = [scan.spacing_at(nerve.centroid[1], nerve.centroid[0]) for nerve in prediction.nerves]
    known = any(each is not None for each in spacing)
    return Finding(
        label,
        prediction,
        [measure(scan, prediction, nerve) for nerve in prediction.nerves],
        spacing,
        file,
        digest,
        scan.frame,
        (FROM_RULER if ruler else FROM_FILE) if known else "",
        prediction.reason or "",
        [place for place in places if place.number < len(prediction.nerves)],
    )
