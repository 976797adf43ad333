"""The long runs on the records: 200 kills of eight writers, and 100,000 scans asked for within 300 ms.

``make soak`` runs them; what they find is kept in ``benchmarks/results/records.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.records import OUT, TARGET_MS
from benchmarks.records_table import PAGE
from nerve_core.config import ROOT
from tests.records.conftest import database, postgresql  # noqa: F401  a fixture

pytestmark = pytest.mark.soak


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database; empty for SQLite."""
    return "" if request.param == "sqlite" else database(request.getfixturevalue("postgresql"))


def test_two_hundred_kills_lose_nothing(url: str, tmp_path: Path) -> None:
    words = ["tests.records.hammer", str(tmp_path / "hammer"), "--rounds", "200", "--database", url]
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == 200 and found["accepted"] > 1000
    assert (found["lost"], found["half"], found["problems"]) == (0, 0, 0)
    (tmp_path / "kills.json").write_text(done.stdout)
    kept = run("benchmarks.records", "--kills", str(tmp_path / "kills.json"), "--database", url)
    assert kept.returncode == 0, kept.stderr
    PAGE.write(OUT)


def test_a_hundred_thousand_scans_are_found_in_time(url: str) -> None:
    done = run("benchmarks.records", "--database", url)
    assert done.returncode == 0, done.stderr
    kind = "postgresql" if url else "sqlite"
    acts = json.loads(OUT.read_text())["times"][kind]["acts"]
    assert {name: act["p95_ms"] for name, act in acts.items() if act["p95_ms"] > TARGET_MS} == {}
    PAGE.write(OUT)
