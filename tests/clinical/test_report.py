"""The report can be read back: every word, on every page the notice, and nothing that was not asked for."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from pypdf import PdfReader

from nerve_core.clinical.report import Report, Table, as_pdf
from nerve_core.inference.prediction import NOTICE


def report(findings: str = "Nerve 1: swollen.", rows: int = 2, shape: tuple[int, int] = (120, 200)) -> Report:
    return Report(
        reference="study 12-ä",
        reader="Dr. Müller-Łęcki",
        verdict="Looks affected, 62 % probability of looking affected",
        picture=np.full((*shape, 3), 90, np.uint8),
        caption="Outlines by the model.",
        findings=findings,
        tables=(
            Table(
                "Measurements", ("Measurement", "Nerve 1"), [(f"Area {k}", f"{k} mm²") for k in range(rows)]
            ),
            Table(
                "Norms", ("What it says", "z"), [("within 7 to 13 mm² †", "+1.2")], (3, 1), "† quotes others."
            ),
        ),
        model="research 1.3",
        written=datetime(2026, 1, 2, 3, 4),
    )


def words(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_everything_stands_in_it() -> None:
    (said,) = words(as_pdf(report()))
    for part in (
        "study 12-ä", "Dr. Müller-Łęcki", "62 % probability", "Nerve 1: swollen.", "1 mm²",
        "within 7 to 13 mm² †", "+1.2", "research 1.3", "2026-01-02 03:04", "page 1",
    ):  # fmt: skip
        assert part in said
    assert said.count(NOTICE) == 2  # beside the verdict and at the foot


def test_a_long_report_takes_more_pages_each_with_the_notice() -> None:
    pages = words(as_pdf(report("A long paragraph of findings. " * 120, rows=60)))
    assert len(pages) > 1 and all(NOTICE in page for page in pages)
    assert "59 mm²" in " ".join(pages)


@pytest.mark.parametrize("shape", [(1200, 60), (60, 1200), (1, 1)])
def test_a_picture_of_any_shape_fits(shape: tuple[int, int]) -> None:
    reader = PdfReader(io.BytesIO(as_pdf(report(shape=shape))))
    assert sum(len(page.images) for page in reader.pages) == 1 and len(reader.pages) <= 2


def test_without_a_finding_there_is_no_heading_for_it() -> None:
    assert "Findings" not in " ".join(words(as_pdf(report("  \n "))))
    assert "Findings" in " ".join(words(as_pdf(report())))


def test_next_steps_stand_in_it_only_where_the_reader_kept_some() -> None:
    kept = replace(report(), next_steps="Follow the nerve (Some guideline, doi:10.1/2).")
    (said,) = words(as_pdf(kept))
    assert "Next steps, published and kept by the reader" in said and "doi:10.1/2" in said
    assert "Next steps" not in " ".join(words(as_pdf(report())))
