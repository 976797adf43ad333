"""Full disks, disks that may only be read, kills, damage: a clear sentence, and nothing accepted is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from nerve_core.access.roles import LOCAL
from nerve_core.config import ROOT
from nerve_core.records.archive import Archive
from nerve_core.records.errors import (
    AWAY,
    BUSY,
    DAMAGED,
    FULL,
    READ_ONLY,
    REFUSING,
    RecordsError,
    sentence_of,
)
from nerve_core.records.records import Records
from tests.records.conftest import save

OWN_DISK = ["unshare", "--map-root-user", "--mount", "--"]
"""Runs a command where it may mount disks that nobody else sees; most Linuxes allow it to anybody."""


def has_own_disk() -> bool:
    """Whether such disks can be had here."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*OWN_DISK, "true"], capture_output=True, check=False).returncode == 0


def on_a_narrow_disk(folder: Path) -> dict[str, object]:
    """What :mod:`tests.records.narrow_disk` found."""
    folder.mkdir()
    words = [sys.executable, "-m", "tests.records.narrow_disk", str(folder)]
    if has_own_disk():
        line = 'mount -t tmpfs -o size=8m tmpfs "$4" && exec "$@"'
        words = [*OWN_DISK, "sh", "-c", line, "sh", *words]
    elif sys.platform == "linux":
        words += ["--limit", "1000000"]
    else:
        pytest.skip("A narrow disk can only be had on Linux")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    found = on_a_narrow_disk(tmp_path / "disk")
    assert found["accepted"] >= 3 and found["sentence"] in (FULL, REFUSING)
    assert found["whole"] and found["problems"] == [] and found["goes on"] == 2
    assert found["files"] == found["parts"] == 0  # nothing of the refused scan stays on the disk
    if "read-only save" in found:
        assert found["read-only save"] == found["read-only read"] == READ_ONLY and found["whole after"]


def test_writers_killed_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.records.hammer", str(tmp_path), "--rounds", "5", "--most", "8"]
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("Processes cannot be parted here")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == 5 and found["accepted"] >= 5
    assert (found["lost"], found["half"], found["problems"]) == (0, 0, 0)


def test_a_damaged_database_is_said(plain: Archive) -> None:
    save(Records(LOCAL, plain))
    plain.close()
    (plain.folder / "records.sqlite").write_bytes(b"no database at all" * 500)
    for path in plain.folder.glob("records.sqlite-*"):
        path.unlink()
    with pytest.raises(RecordsError) as said:
        Records(LOCAL, plain).search()
    assert str(said.value) == DAMAGED


def test_a_damaged_page_is_found(plain: Archive) -> None:
    records = Records(LOCAL, plain)
    for seed in range(12):
        save(records, f"P-{seed}", seed)
    plain.close()
    path = plain.folder / "records.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(8, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = bytes(64)
    path.write_bytes(content)
    try:
        assert not records.verify().sound
    except RecordsError as fault:
        assert str(fault) == DAMAGED


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (OSError(28, "No space left on device"), FULL),
        (OSError(13, "Permission denied"), READ_ONLY),
        (OperationalError("", {}, Exception("database is locked")), BUSY),
        (OperationalError("", {}, Exception("database or disk is full")), FULL),
        (OperationalError("", {}, Exception("attempt to write a readonly database")), READ_ONLY),
        (OperationalError("", {}, Exception("could not extend file: No space left on device")), FULL),
        (OperationalError("", {}, Exception("connection to server failed")), AWAY),
        (OperationalError("", {}, Exception("database disk image is malformed")), DAMAGED),
    ],
)
def test_what_databases_say_becomes_a_sentence(fault: Exception, said: str) -> None:
    assert sentence_of(fault) == said


def test_no_value_of_a_record_is_in_an_error() -> None:
    fault = OperationalError(
        "INSERT INTO patient VALUES (?)", {"pseudonym": "Zebra"}, Exception("odd: Zebra")
    )
    assert "Zebra" not in sentence_of(fault)
