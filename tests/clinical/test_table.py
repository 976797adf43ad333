"""The table of all scans: a row a nerve, units in the header, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from nerve_core.clinical.finding import Finding, Place, finding_of
from nerve_core.clinical.table import COLUMNS, RISKY, as_csv, as_excel, rows, safe
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NOTICE, Nerve, Prediction

EVIL = '=HYPERLINK("http://evil","x")'


def circle(x: float, radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    return np.column_stack([x + radius * np.cos(angle), 60 + radius * np.sin(angle)]).astype(np.float32)


def judged(spacing: tuple[float, float] | None = (0.1, 0.1), nerves: int = 2, **more: object) -> Finding:
    """A scan with circles of 20 and 10 px, drawn by hand so that they are measured as they are."""
    pixels = np.random.default_rng(0).integers(20, 200, (120, 200)).astype(np.uint8)
    outlines = [circle(50, 20), circle(140, 10)][:nerves]
    found = tuple(
        Nerve(each, (float(each[:, 0].mean()), 60.0), 1.0, None, 0.9, p)
        for each, p in zip(outlines, (0.9, 0.1), strict=False)
    )
    verdict, p = ("affected", 0.9) if found else ("no nerve found", None)
    blank = np.zeros(pixels.shape, np.uint8)
    prediction = Prediction(
        blank / np.float32(1), blank, found, verdict, p, "research 1.3",
        reason=None if found else "Nothing was outlined.", edited=bool(found),
    )  # fmt: skip
    return finding_of("7", Scan(pixels, spacing_mm=spacing), prediction, **more)


def read(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_row_a_nerve_with_known_answers() -> None:
    first, second = read(as_csv([judged(places=[Place(0, "median", "wrist", "left")])]))
    assert first["area (mm2)"] == "12.57" and first["equivalent_diameter (mm)"] == "4.0"
    assert second["area (mm2)"] == "3.14" and second["nerve_verdict"] == "unaffected"
    assert first["depth (mm)"] == "4.0" and first["area (px2)"] == "" and first["width (px)"] == ""
    assert (first["nerve"], first["site"], first["side"]) == ("median", "wrist", "left")
    assert first["z (SD)"] == f"{(np.pi * 4 - 9.33) / 1.55:.2f}" and "Bae 2021" in first["z_source"]
    assert "within the range of 7 to 13 mm²" in first["norms"] and "quotes others" in first["norms"]
    assert second["nerve"] == second["norms"] == second["z (SD)"] == ""
    assert first["model"] == "research 1.3" and first["outline_by"] == "reader"
    assert {row["notice"] for row in (first, second)} == {NOTICE}
    assert first["scale_from"] == "file" and first["scale_down (mm/px)"] == "0.1"


def test_without_a_scale_there_are_no_millimetres_and_no_norms() -> None:
    (row,) = read(as_csv([judged(None, 1, places=[Place(0, "median", "wrist")])]))
    assert float(row["area (px2)"]) == pytest.approx(1256.6, abs=0.2) and row["norms"] == ""
    assert not any(row[name] for name in COLUMNS if "mm" in name) and row["scale_from"] == ""


def test_scans_without_a_nerve_or_a_verdict_keep_their_row() -> None:
    none, broken = read(as_csv([judged(nerves=0), Finding("8", None, remark="The file is empty.")]))
    assert none["verdict"] == "no nerve found" and none["remark"] == "Nothing was outlined."
    assert broken["verdict"] == "" and broken["remark"] == "The file is empty." and broken["scan"] == "8"


def test_lengths_and_areas_carry_their_unit_in_the_header() -> None:
    for name in COLUMNS:
        if name.split(" ")[0] in ("area", "perimeter", "equivalent_diameter", "width", "height", "depth"):
            assert name.endswith(("(mm)", "(mm2)", "(px)", "(px2)"))


def test_the_file_name_leaves_only_when_asked() -> None:
    assert b"Jane" not in as_csv([judged()])
    assert read(as_csv([judged(file="Jane.png", ruler=True)]))[0]["file"] == "Jane.png"


@settings(deadline=None)
@given(st.sampled_from([*RISKY, " =", "  +"]), st.text(max_size=20))
def test_no_cell_begins_like_a_formula(start: str, rest: str) -> None:
    found = safe(start + rest)
    assert isinstance(found, str) and found.startswith("'")


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_words_come_back_from_csv_and_excel(text: str) -> None:
    shown = safe(text)
    finding = Finding(text, None, remark=text)
    assert read(as_csv([finding]))[0]["remark"].replace("\r\n", "\n") == str(shown).replace("\r\n", "\n")
    assert not str(shown).lstrip(" ").startswith(RISKY)


def test_numbers_stay_numbers_and_none_is_infinite() -> None:
    assert safe(-1.5) == -1.5 and safe(3) == 3 and safe(float("inf")) is None and safe(float("nan")) is None


def test_the_workbook_holds_the_same_and_no_formula() -> None:
    findings = [
        judged(places=[Place(0, "median", "wrist")]),
        Finding(EVIL, None, file=EVIL, remark="+cmd\x07"),
    ]
    book = load_workbook(io.BytesIO(as_excel(findings, datetime(2026, 1, 2, tzinfo=UTC))))
    sheet = book["scans"]
    assert [cell.value for cell in sheet[1]] == list(COLUMNS) and sheet.max_row == 4
    for line, row in zip(sheet.iter_rows(min_row=2), rows(findings), strict=True):
        for cell, value in zip(line, row.values(), strict=True):
            assert cell.data_type != "f" and (cell.value or "") == (safe(value) or "")
    area = list(COLUMNS).index("area (mm2)")
    assert sheet[2][area].data_type == "n" and sheet[2][area].value == pytest.approx(12.57)
    assert sheet[4][0].value == f"'{EVIL}" and sheet[4][list(COLUMNS).index("remark")].value == "'+cmd"
    assert NOTICE in {cell.value for cell in book["columns"]["B"]}
    assert book.properties.creator == "Nerve ultrasound"
