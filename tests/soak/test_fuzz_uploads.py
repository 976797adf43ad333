"""Damaged uploads never crash, hang or eat memory: a few hundred in `make test`, 20,700 in `make soak`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLOWEST_S, MOST_MIB = 10.0, 2048
RESULTS = ROOT / "benchmarks" / "results" / "fuzz.json"


def fuzz(count: int, seed: int, limit_s: int) -> dict[str, Any]:
    """Run the files in a program of their own: a crash of a decoder must not take the tests with it."""
    command = [sys.executable, "-m", "tests.soak.fuzz_run", "--count", str(count), "--seed", str(seed)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit_s, check=False
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stderr[-3000:]}"
    return json.loads(done.stdout)


def check(seen: dict[str, Any], count: int) -> None:
    assert seen["files"] == count
    assert seen["failures"] == []
    assert seen["slowest_s"] < SLOWEST_S and seen["peak_mib"] < MOST_MIB
    assert seen["outcomes"]["read"] > count / 10 and seen["outcomes"]["refused"] > count / 10
    assert seen["outcomes"]["cleaned"] > count / 10


def test_hundreds_of_damaged_uploads() -> None:
    check(fuzz(360, 7, 100), 360)


@pytest.mark.soak
def test_twenty_thousand_damaged_uploads() -> None:
    seen = fuzz(20_700, 0, 3500)
    RESULTS.write_text(json.dumps(seen, indent=1) + "\n")
    check(seen, 20_700)
