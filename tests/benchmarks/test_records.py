"""The measurements of the records: rows that fit the tables, and the page they are written on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.records import OUT, asked, fill, timed
from benchmarks.records_table import PAGE, kills, times
from nerve_core.access.roles import LOCAL
from nerve_core.records.archive import Archive
from nerve_core.records.records import Filter, Records


def test_the_rows_are_those_the_program_reads(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    fill(archive, patients=60, scans=300)
    records = Records(LOCAL, archive)
    found = records.stats()
    assert (found.patients, found.scans, found.files, found.predictions) == (60, 300, 300, 300)
    assert found.reviews == 300 - found.unread > 0
    page = records.worklist(size=500)
    order = [(item.reviewed, -item.urgency) for item in page.items]
    assert page.total == 300 and order == sorted(order)
    assert records.worklist(Filter(reviewed=True)).total == found.reviews
    for act in asked(records).values():
        assert act() is not None
    assert timed(lambda: None, repeats=5)["n"] == 5


def test_figures_become_tables() -> None:
    acts = {"patient page": {"n": 40, "median_ms": 12.4, "processor_ms": 8.6, "p95_ms": 301.0}}
    said = times({"sqlite": {"patients": 10_000, "scans": 100_000, "cores": 2, "load": 1.0, "acts": acts}})
    assert "10,000 patients and 100,000 scans" in said and "| patient page | 12 (301) · 9 |" in said
    assert "slowest 95th percentile 301 ms" in said
    tally = dict.fromkeys(("lost", "half", "problems"), 0)
    said = kills({"sqlite": {"kills": 200, "accepted": 2345, "in_flight": 6, "stray": 3, **tally}})
    assert "| SQLite | 200 | 2,345 | 0 | 0 | 0 | 6 | 3 |" in said


def test_the_page_holds_the_last_figures() -> None:
    if not OUT.exists():
        pytest.skip("Nothing is measured yet: python -m benchmarks.records")
    page = PAGE.path.read_text(encoding="utf-8")
    assert PAGE.rewritten(page, json.loads(OUT.read_text())) == page, "run python -m benchmarks.records_table"
