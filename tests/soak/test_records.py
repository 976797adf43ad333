"""The long runs on the records: 200 kills of eight writers, and 100,000 scans asked for within 300 ms.

``make soak`` runs them; what they find is kept in ``benchmarks/results/records.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from benchmarks.records import OUT, TARGET_MS
from benchmarks.records_table import PAGE
from nerve_core.config import ROOT
from tests.records.conftest import postgresql  # noqa: F401  a fixture

pytestmark = pytest.mark.soak


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """URL of an empty database; empty for SQLite."""
    if request.param == "sqlite":
        return ""
    import psycopg

    server = request.getfixturevalue("postgresql")
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name)


def test_two_hundred_kills_lose_nothing(database: str, tmp_path: Path) -> None:
    words = ["tests.records.hammer", str(tmp_path / "hammer"), "--rounds", "200", "--database", database]
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == 200 and found["accepted"] > 1000
    assert (found["lost"], found["half"], found["problems"]) == (0, 0, 0)
    (tmp_path / "kills.json").write_text(done.stdout)
    kept = run("benchmarks.records", "--kills", str(tmp_path / "kills.json"), "--database", database)
    assert kept.returncode == 0, kept.stderr
    PAGE.write(OUT)


def test_a_hundred_thousand_scans_are_found_in_time(database: str) -> None:
    done = run("benchmarks.records", "--database", database)
    assert done.returncode == 0, done.stderr
    kind = "postgresql" if database else "sqlite"
    acts = json.loads(OUT.read_text())["times"][kind]["acts"]
    assert {name: act["p95_ms"] for name, act in acts.items() if act["p95_ms"] > TARGET_MS} == {}
    PAGE.write(OUT)
