"""Coded words of the DICOM objects: standard terms (DICOM, SNOMED CT, UCUM) where there are, else our own."""

from __future__ import annotations

import hashlib

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from nerve_core.inference.prediction import (
    AFFECTED,
    NO_NERVE,
    NOT_ASSESSABLE,
    UNAFFECTED,
    UNCERTAIN,
)

SCHEME = "99NERVECORE"
"""Our own coding scheme; the prefix 99 is what PS3.16 chapter 8 sets aside for private ones."""

STRUCTURE = codes.SCT.AnatomicalStructure
NERVE = codes.SCT.PeripheralNerve
ULTRASOUND = Code("399064001", "SCT", "2D mode ultrasound")
COMMENT = codes.DCM.Comment
ARTIFICIAL_INTELLIGENCE = Code("123109", "DCM", "Artificial Intelligence")

VERDICT = Code("VERDICT", SCHEME, "Verdict of the network")
PROBABILITY = Code("P_AFFECTED", SCHEME, "Probability of looking affected")
VERDICTS = {
    AFFECTED: Code("AFFECTED", SCHEME, "Looks affected"),
    UNAFFECTED: Code("UNAFFECTED", SCHEME, "Looks unaffected"),
    UNCERTAIN: Code("UNCERTAIN", SCHEME, "Uncertain"),
    NO_NERVE: Code("NO_NERVE", SCHEME, "No nerve found"),
    NOT_ASSESSABLE: Code("NOT_ASSESSABLE", SCHEME, "Not assessable"),
}

MEASURED: dict[str, tuple[Code, str]] = {
    "area": (codes.SCT.Area, "area"),
    "perimeter": (codes.SCT.Perimeter, "length"),
    "equivalent_diameter": (
        Code("EQUIV_DIAMETER", SCHEME, "Diameter of the circle of this area"),
        "length",
    ),
    "width": (codes.SCT.LongAxis, "length"),
    "height": (codes.SCT.ShortAxis, "length"),
    "depth": (codes.SCT.Depth, "length"),
    "flattening": (Code("FLATTENING", SCHEME, "Long over short axis"), "ratio"),
    "circularity": (Code("CIRCULARITY", SCHEME, "4 pi area over squared perimeter"), "ratio"),
    "echo": (Code("MEAN_ECHO", SCHEME, "Mean grey level, 0 to 255"), "ratio"),
}
"""Code and kind of unit of each figure of ``Measurement``."""

UNITS = {
    ("mm", "area"): codes.UCUM.SquareMillimeter,
    ("mm", "length"): codes.UCUM.Millimeter,
    ("px", "area"): Code("{pixels}2", "UCUM", "square pixels"),
    ("px", "length"): Code("{pixels}", "UCUM", "pixels"),
}
RATIO = codes.UCUM.NoUnits


def uid_of(*parts: object) -> str:
    """A UID (root 2.25) that the same parts always give, so that the same result is the same object."""
    text = "|".join(str(part) for part in parts)
    return f"2.25.{int(hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32], 16)}"
