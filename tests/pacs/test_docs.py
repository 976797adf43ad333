"""docs/pacs.md says what the program does: every setting, and every header field that stays."""

import re

import pytest

from nerve_core.config import ROOT, Settings
from nerve_core.imaging import deidentify_header as header
from nerve_core.pacs.dimse import SYNTAXES

TEXT = (ROOT / "docs" / "pacs.md").read_text(encoding="utf-8")
ROWS = {
    "kept where they hold numbers alone": header.KEPT_NUMBERS,
    "kept where they hold a standard term": header.KEPT_TERMS,
    "kept unless they hold a word of a name or number": header.KEPT_TEXTS,
    "of each ultrasound region, kept where numbers": header.REGION_NUMBERS,
    "emptied, for the image object must have them": header.EMPTY,
    "moved, with `--shift-dates`": header.DATES,
    "`BodyPartExamined`, kept where it is one of": tuple(sorted(header.BODY_PARTS)),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_de_identification_table_is_the_program_s(row):
    assert f"| {row} | {', '.join(ROWS[row])} |" in TEXT


def test_every_setting_is_in_the_table_and_no_other():
    there = {name for name in Settings.__dataclass_fields__ if name.startswith("pacs_")} | {"aet", "dicomweb"}
    named = set(re.findall(r"`NERVE_([A-Z_]+)`", TEXT[TEXT.index("## Settings") :])) - {"DEIDENTIFY_SALT"}
    assert {name.upper() for name in there} == named


def test_the_transfer_syntaxes_are_named():
    words = ["implicit", "explicit", "baseline", "lossless", "JPEG-LS", "2000", "RLE"]
    line = TEXT[TEXT.index("Transfer syntaxes received") :].split("are sent")[0]
    assert all(word in line for word in words) and len(SYNTAXES) == 8
