"""A report of one scan as PDF: picture, findings, measurements, norms, and what it must not be taken for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import matplotlib
import numpy as np
from fpdf import FPDF
from fpdf.fonts import FontFace
from PIL import Image

from nerve_core.inference.prediction import NOTICE

FONT = "DejaVu"
FILES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
"""Fonts that come with matplotlib and hold ², ×, ≥ and letters of every European name."""

WIDTH, MARGIN, TALLEST = 210.0, 16.0, 105.0
"""Of the A4 page and of the picture on it, mm."""


@dataclass(frozen=True, eq=False)
class Table:
    """A part of the report.

    Attributes:
        heading: above it.
        columns: headings of the columns.
        rows: cells as text.
        widths: of the columns, in any unit; empty makes them alike.
        note: below it, small.
    """

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int] = ()
    note: str = ""


@dataclass(frozen=True, eq=False)
class Report:
    """All that stands in the report; nothing else goes into the file.

    Attributes:
        reference: what the site calls the scan; as typed, never the file's own name.
        reader: who read it; may be empty.
        verdict: of the model, in words.
        picture: uint8 (H, W, 3), RGB.
        caption: below the picture.
        findings: text of the reader, paragraphs parted by line breaks.
        tables: measurements, norms.
        model: name and version of the weights.
        written: when.
        next_steps: published sentences that the reader kept or changed, parted by line breaks; may be empty.
    """

    reference: str
    reader: str
    verdict: str
    picture: np.ndarray
    caption: str
    findings: str
    tables: Sequence[Table]
    model: str
    written: datetime
    next_steps: str = ""


def as_pdf(report: Report) -> bytes:
    """The report as a PDF of one page or more, A4, every page with the standing notice."""
    pdf = _Page(format="A4")
    pdf.set_margin(MARGIN)
    pdf.set_auto_page_break(True, 22)
    for style, file in FILES.items():
        pdf.add_font(FONT, style, Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file)
    pdf.set_title("Nerve ultrasound report")
    pdf.set_creation_date(report.written)
    pdf.add_page()
    _heading(pdf, "Nerve ultrasound report", 15)
    head = [f"Scan: {report.reference}"] if report.reference else []
    head += [f"Read by: {report.reader}"] if report.reader else []
    head += [f"Written: {report.written:%Y-%m-%d %H:%M}", f"Model: {report.model}"]
    _text(pdf, "   ".join(head), 9)
    _picture(pdf, report.picture, report.caption)
    _heading(pdf, report.verdict, 12)
    _text(pdf, NOTICE, 9)
    if report.findings.strip():
        _heading(pdf, "Findings", 11)
        _text(pdf, report.findings.strip(), 10)
    if report.next_steps.strip():
        _heading(pdf, "Next steps, published and kept by the reader", 11)
        _text(pdf, report.next_steps.strip(), 9)
    for table in report.tables:
        _table(pdf, table)
    return bytes(pdf.output())


class _Page(FPDF):
    def footer(self) -> None:
        self.set_y(-17)
        self.set_font(FONT, "", 7)
        self.multi_cell(0, 3.4, NOTICE, align="C", new_x="LMARGIN", new_y="NEXT")
        self.cell(0, 4, f"page {self.page_no()}", align="C")


def _heading(pdf: FPDF, text: str, size: int) -> None:
    pdf.ln(2)
    pdf.set_font(FONT, "B", size)
    pdf.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def _text(pdf: FPDF, text: str, size: int) -> None:
    pdf.set_font(FONT, "", size)
    pdf.multi_cell(0, size * 0.47, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _picture(pdf: FPDF, picture: np.ndarray, caption: str) -> None:
    """As wide as the page allows, and not so tall that no words are left."""
    height, width = picture.shape[:2]
    across = min(WIDTH - 2 * MARGIN, TALLEST * width / height)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    pdf.ln(3)
    pdf.image(file, x=(WIDTH - across) / 2, w=across)
    pdf.ln(1)
    _text(pdf, caption, 8)


def _table(pdf: FPDF, table: Table) -> None:
    _heading(pdf, table.heading, 11)
    pdf.set_font(FONT, "", 8)
    widths = tuple(table.widths) or None
    with pdf.table(
        col_widths=widths, line_height=4.6, text_align="LEFT", headings_style=FontFace(emphasis="BOLD"),
        borders_layout="HORIZONTAL_LINES",
    ) as drawn:  # fmt: skip
        for cells in (table.columns, *table.rows):
            drawn.row([str(cell) for cell in cells])
    if table.note:
        pdf.ln(1)
        _text(pdf, table.note, 8)
