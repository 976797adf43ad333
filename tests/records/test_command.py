"""``python -m nerve_core records``."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nerve_core.access.roles import LOCAL
from nerve_core.cli import main
from nerve_core.inference.review import Reading
from nerve_core.records.archive import Archive
from nerve_core.records.records import Records
from tests.records import made
from tests.records.conftest import save

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on records of the test's own: exit status, standard output, standard error."""
    monkeypatch.setenv("NERVE_RECORDS", str(tmp_path / "records"))
    monkeypatch.delenv("NERVE_DATABASE", raising=False)
    monkeypatch.setenv("NERVE_RECORDS_KEY", str(tmp_path / "keys"))

    def call(*words: str) -> tuple[int, str, str]:
        status = main(["records", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def opened(tmp_path: Path) -> Records:
    return Records(LOCAL, Archive(tmp_path / "records", key_file=tmp_path / "keys"))


def test_from_empty_to_erased(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("stats") == (0, "Nothing was saved yet.\n", "")
    assert not (tmp_path / "records").exists()
    assert run("migrate")[0] == 0 and "already" in run("migrate")[1]
    assert run("rotate-key")[1].startswith("0 files")
    saved = save(opened(tmp_path), "P-1", 1)
    opened(tmp_path).review(saved.scan, Reading(True, "affected", contours=(made.circle(),)))
    found = json.loads(run("stats", "--json")[1])
    assert (found["patients"], found["scans"], found["reviews"], found["locked"]) == (1, 1, 1, True)
    agreed = json.loads(run("agreement", "--json")[1])
    assert agreed["readers with the model"]["n"] == 1 and agreed["second readings with first"]["n"] == 0
    assert run("agreement", "--blinded")[1].startswith("readers with the model: 1 pairs, 1 patients\n")
    assert run("rotate-key", "--drop-old")[1] == "1 files were locked anew. 1 older keys taken out.\n"

    status, out, _ = run("verify")
    assert status == 0 and out.startswith("Everything is sound: 1 files")
    head = out.split()[-1]
    assert run("verify", "--expect", head)[0] == 0
    status, out, _ = run("verify", "--json", "--expect", "1:" + "0" * 64)
    assert status == 1 and json.loads(out)["problems"][0]["kind"] == "audit log"

    assert run("corrections", "--out", str(tmp_path / "set"))[0] == 0
    assert (tmp_path / "set" / "manifest.csv").exists()
    assert run("backup", "--out", str(tmp_path / "records" / "x"))[0] == 1
    status, out, _ = run("backup", "--out", str(tmp_path / "copy"))
    assert status == 0 and "1 files, 1 of them new" in out
    copy = Records(LOCAL, Archive(tmp_path / "copy", key_file=tmp_path / "keys"))
    assert copy.content(saved.scan) == made.png(1) and copy.verify().sound
    assert run("export", "P-1", "--out", str(tmp_path / "copy.zip"))[0] == 0
    status, _, err = run("export", "P-2", "--out", str(tmp_path / "none.zip"))
    assert status == 1 and "no such patient" in err and not (tmp_path / "none.zip").exists()

    monkeypatch.setattr("sys.stdin", io.StringIO("P-2\n"))
    assert run("erase", "P-1")[0] == 1
    assert opened(tmp_path).search().total == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("P-1\n"))
    status, out, _ = run("erase", "P-1")
    assert status == 0 and "Backups" in out and "(copy)" in out and "(corrections)" in out
    assert run("erase", "P-1", "--yes")[0] == 1
    assert "0 files, 0 of them new; 1 files of erased" in run("backup", "--out", str(tmp_path / "copy"))[1]
    assert opened(tmp_path).search().total == 0 and run("verify")[0] == 0


def test_damage_is_told_by_the_exit_status(run: Run, tmp_path: Path) -> None:
    run("rotate-key")
    save(opened(tmp_path), "P-1", 1)
    (path,) = [path for path in (tmp_path / "records" / "files").rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:-1])
    status, out, _ = run("verify")
    assert status == 1 and "altered or locked file" in out and "Something is wrong" in out
    path.unlink()
    assert "missing file" in run("verify")[1]
