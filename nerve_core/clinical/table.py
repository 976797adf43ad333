"""Every open scan in one table, a row a nerve, as CSV or Excel.

Text that a spreadsheet would take for a formula is made harmless: it could come from a file's name or a
reader's words, and run on the machine of whoever opens the table (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from datetime import datetime

from nerve_core.clinical.finding import Finding
from nerve_core.clinical.norms import Norm
from nerve_core.inference.prediction import NOTICE

Cell = str | float | int | None

LENGTHS = ("perimeter", "equivalent_diameter", "width", "height", "depth")
"""Measurements that are lengths, as :class:`~nerve_core.clinical.measure.Measurement` names them."""

COLUMNS: dict[str, str] = {
    "scan": "number or pseudonym of the scan",
    "file": "name of the file, where it was asked for",
    "sha256": "of the file, to tell scans apart without their names",
    "frame": "of the file, from 1",
    "verdict": "of the scan: affected, unaffected, uncertain, no nerve found, not assessable",
    "nerve_number": "from 1, most likely affected first; empty where there is none",
    "nerve_verdict": "of this nerve",
    "p_affected (0-1)": "probability of looking affected",
    "outline_by": "model, or reader where it was corrected",
    "nerve": "as the reader said",
    "site": "as the reader said",
    "side": "as the reader said",
    "scale_from": "file, ruler, or empty where the scale is unknown",
    "scale_down (mm/px)": "of rows",
    "scale_across (mm/px)": "of columns",
    "area (mm2)": "cross-sectional area, where the scale is known",
    **{f"{name} (mm)": "where the scale is known" for name in LENGTHS},
    "area (px2)": "cross-sectional area, where the scale is unknown",
    **{f"{name} (px)": "where the scale is unknown" for name in LENGTHS},
    "flattening (ratio)": "width / height",
    "circularity (0-1)": "4 pi area / perimeter squared",
    "echo (0-255)": "mean grey level",
    "hypoechoic_yen (0-1)": "dark share by Yen's threshold; no norm",
    "hypoechoic_maximum_entropy (0-1)": "dark share by Kapur's threshold; no norm",
    "z (SD)": "standard deviations from the mean of z_source",
    "z_source": "the paper",
    "norms": "what every published size says of the area",
    "remark": "why there is no verdict, or no nerve",
    "model": "name and version of the weights",
    "notice": "stands in every row",
}
"""Every column with its meaning, in order."""

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Beginnings that a spreadsheet may take for a formula."""


def rows(findings: Sequence[Finding]) -> list[dict[str, Cell]]:
    """A row a nerve; a scan without one still has its row. Keys are those of ``COLUMNS``."""
    found = []
    for finding in findings:
        prediction = finding.prediction
        scan: dict[str, Cell] = {
            "scan": finding.label,
            "file": finding.file,
            "sha256": finding.digest,
            "frame": finding.frame + 1,
            "verdict": "" if prediction is None else prediction.verdict,
            "remark": finding.remark,
            "model": "" if prediction is None else prediction.model,
            "notice": NOTICE,
        }
        nerves = range(len(finding.sizes)) if finding.sizes else [None]
        for number in nerves:
            own = {} if number is None else _nerve(finding, number)
            found.append(dict.fromkeys(COLUMNS) | scan | own)
    return found


def as_csv(findings: Sequence[Finding]) -> bytes:
    """The table as CSV: UTF-8 with the mark by which Excel knows it, numbers with a decimal point."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(findings):
        writer.writerow(["" if value is None else safe(value) for value in row.values()])
    return "\ufeff".encode() + text.getvalue().encode()


def as_excel(findings: Sequence[Finding], made: datetime) -> bytes:
    """The table as an Excel workbook: ``scans``, and ``columns`` with the meaning of each and the notice.

    Args:
        findings: the scans.
        made: when, written into the file's properties.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.properties.creator = "Nerve ultrasound"
    book.properties.created = book.properties.modified = made.replace(tzinfo=None)
    sheet = book.active
    assert sheet is not None
    sheet.title = "scans"
    meanings = book.create_sheet("columns")
    lines = [[safe(value) for value in row.values()] for row in rows(findings)]
    for page, head, body in (
        (sheet, list(COLUMNS), lines),
        (meanings, ["column", "meaning"], [*map(list, COLUMNS.items()), ["notice", NOTICE]]),
    ):
        for number, line in enumerate([head, *body], 1):
            for column, value in enumerate(line, 1):
                cell = page.cell(number, column)
                if isinstance(value, str):
                    cell.value, cell.data_type = value, "s"  # never a formula
                elif value is not None:
                    cell.value = value
        for column, title in enumerate(head, 1):
            page.cell(1, column).font = Font(bold=True)
            widest = max([len(str(title)), *(len(str(line[column - 1] or "")) for line in body)])
            page.column_dimensions[get_column_letter(column)].width = min(60, widest + 2)
        page.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def safe(value: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers, and none is infinite.

    >>> safe("=1+1"), safe("wrist"), safe(-1.5)
    ("'=1+1", 'wrist', -1.5)
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, str):
        return value
    text = "".join(letter for letter in value if letter in "\t\r\n" or letter.isprintable())
    return f"'{text}" if text.lstrip(" ").startswith(RISKY) else text


def _nerve(finding: Finding, number: int) -> dict[str, Cell]:
    """The columns of one nerve."""
    assert finding.prediction is not None
    nerve, size = finding.prediction.nerves[number], finding.sizes[number]
    spacing, place, norms = finding.spacing_mm[number], finding.place(number), finding.norms(number)
    found: dict[str, Cell] = {
        "nerve_number": number + 1,
        "nerve_verdict": nerve.verdict,
        "p_affected (0-1)": round(nerve.p_affected, 4),
        "outline_by": "reader" if finding.prediction.edited else "model",
        f"area ({size.unit}2)": round(size.area, 2),
        "flattening (ratio)": round(size.flattening, 3),
        "circularity (0-1)": round(size.circularity, 3),
        "echo (0-255)": round(size.echo, 1),
        "norms": "; ".join(_said(norm, size.area) for norm in norms),
    }
    found |= {f"{name} ({size.unit})": round(getattr(size, name), 2) for name in LENGTHS}
    found |= {f"hypoechoic_{name} (0-1)": round(share, 3) for name, share in size.hypoechoic.items()}
    if spacing is not None:
        found["scale_from"] = finding.scale
        found["scale_down (mm/px)"], found["scale_across (mm/px)"] = (round(each, 6) for each in spacing)
    if place is not None:
        found |= {"nerve": place.nerve, "site": place.site, "side": place.side}
    z = next(((score, norm.source) for norm in norms if (score := norm.z(size.area)) is not None), None)
    if z is not None:
        found |= {"z (SD)": round(z[0], 2), "z_source": z[1]}
    return found


def _said(norm: Norm, area: float) -> str:
    return f"{norm.said_of(area)} ({norm.source}{', quotes others' if norm.secondary else ''})"
