"""Stored files: whole, locked, checked; keys exchanged, also when that is broken off at any point."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from nerve_core.access.roles import LOCAL
from nerve_core.records import files as stored
from nerve_core.records import upkeep
from nerve_core.records.archive import Archive
from nerve_core.records.errors import FileAltered, RecordsError
from nerve_core.records.files import FileStore, extension_of, key_of
from nerve_core.records.keys import KeyRing
from nerve_core.records.models import FileRow
from nerve_core.records.records import Records
from tests.records import made
from tests.records.conftest import save


def put(store: FileStore, content: bytes) -> str:
    with store.stage(content) as staged:
        staged.put()
        return staged.sha256


def key_file(folder: Path, number: int = 1) -> Path:
    ring = KeyRing({})
    for _ in range(number):
        ring = ring.with_new()
    path = folder / "keys"
    ring.write(path)
    return path


def locked(tmp_path: Path) -> Records:
    return Records(LOCAL, Archive(tmp_path / "records", key_file=key_file(tmp_path)))


@pytest.mark.parametrize("with_key", [False, True])
@how(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=3000))
def test_what_is_put_is_read_again(tmp_path: Path, with_key: bool, content: bytes) -> None:
    store = FileStore(tmp_path / str(with_key), key_file(tmp_path) if with_key else None)
    sha256 = put(store, content)
    assert store.read(sha256) == content and put(store, content) == sha256
    path = store.path_of(sha256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    if with_key:
        assert key_of(path.read_bytes()) == "k1"
        assert len(content) < 8 or content not in path.read_bytes()


def test_what_was_staged_and_not_put_is_gone(tmp_path: Path) -> None:
    store = FileStore(tmp_path, None)
    with store.stage(b"content"):
        pass
    assert list(store.addresses()) == [] and not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("with_key", [False, True])
def test_every_changed_byte_is_noticed(tmp_path: Path, with_key: bool) -> None:
    store = FileStore(tmp_path / "files", key_file(tmp_path) if with_key else None)
    sha256 = put(store, b"an ultrasound scan")
    path = store.path_of(sha256)
    whole = path.read_bytes()
    for k in range(len(whole)):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :])
        with pytest.raises(FileAltered):
            store.read(sha256)
    for part in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"x"):
        path.write_bytes(part)
        with pytest.raises(FileAltered):
            store.read(sha256)
    path.write_bytes(whole)
    assert store.read(sha256) == b"an ultrasound scan"


def test_one_locked_file_in_anothers_place_is_noticed(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files", key_file(tmp_path))
    first, second = put(store, b"one"), put(store, b"two")
    store.path_of(first).write_bytes(store.path_of(second).read_bytes())
    with pytest.raises(FileAltered):
        store.read(first)


def test_a_wrong_or_missing_key_is_said(tmp_path: Path) -> None:
    records = locked(tmp_path)
    saved = save(records)
    assert records.content(saved.scan) == made.png(0)
    KeyRing({}).with_new().write(tmp_path / "keys")  # another key of the same name
    with pytest.raises(FileAltered, match="key"):
        records.content(saved.scan)
    KeyRing({"other": bytes(32)}).write(tmp_path / "keys")
    with pytest.raises(FileAltered, match="'k1'"):
        records.content(saved.scan)
    (problem,) = records.verify().problems
    assert problem.kind == upkeep.ALTERED
    os.unlink(tmp_path / "keys")
    with pytest.raises(RecordsError, match="NERVE_RECORDS_KEY"):
        records.content(saved.scan)


@pytest.mark.parametrize(
    "text",
    ["", "k1", "k1 !!!", "k1 AAAA", "k 1 AAAA", "k1 " + "A" * 43 + "=\nk1 " + "A" * 43 + "=", "ü AAAA"],
)
def test_a_key_file_without_proper_keys_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(RecordsError):
        KeyRing.read(path)


def test_a_key_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    assert KeyRing.read(path).active == "k1"
    path.chmod(0o640)
    with pytest.raises(RecordsError, match="chmod 600"):
        KeyRing.read(path)


def test_keys_are_exchanged(tmp_path: Path) -> None:
    records = locked(tmp_path)
    scans = [save(records, seed=seed).scan for seed in range(3)]
    assert records.rotate_key() == (3, 0)
    store = records.archive.files
    assert {key_of(store.path_of(sha).read_bytes()) for sha in store.addresses()} == {"k2"}
    assert records.rotate_key(new_key=False, drop_old=True) == (0, 1)
    assert list(KeyRing.read(tmp_path / "keys").keys) == ["k2"]
    assert [records.content(scan) for scan in scans] == [made.png(seed) for seed in range(3)]
    assert records.verify().sound


def test_what_lay_in_the_clear_is_locked(tmp_path: Path) -> None:
    saved = save(Records(LOCAL, Archive(tmp_path / "records")))
    with pytest.raises(RecordsError, match="No key file"):
        Records(LOCAL, Archive(tmp_path / "records")).rotate_key()
    records = Records(LOCAL, Archive(tmp_path / "records", key_file=tmp_path / "keys"))
    assert records.rotate_key() == (1, 0)
    (sha,) = records.archive.files.addresses()
    assert key_of(records.archive.files.path_of(sha).read_bytes()) == "k1"
    assert records.content(saved.scan) == made.png(0)


class Killed(BaseException):
    """Stands for the end of the process."""


def test_an_exchange_broken_off_anywhere_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut before every replacing of a file, the key file's own included; nothing is ever unreadable."""
    records = locked(tmp_path)
    scans = [save(records, seed=seed).scan for seed in range(3)]
    real = os.replace
    for last in range(4):
        calls = iter(range(99))

        def cut(source: str, target: str, calls=calls, last=last) -> None:
            if next(calls) == last:
                raise Killed
            real(source, target)

        with monkeypatch.context() as patched:
            patched.setattr("nerve_core.records.place.os.replace", cut)
            with pytest.raises(Killed):
                records.rotate_key()
        again = Records(LOCAL, Archive(tmp_path / "records", key_file=tmp_path / "keys"))
        assert [again.content(scan) for scan in scans] == [made.png(seed) for seed in range(3)]
        if last:  # cut earlier, not even the key file was changed
            with pytest.raises(RecordsError, match="--finish"):
                upkeep.drop_old_keys(again.archive)
        again.rotate_key(new_key=False)
        store = again.archive.files
        assert {key_of(store.path_of(sha).read_bytes()) for sha in store.addresses()} == {store.keys.active}


def test_a_file_saved_while_the_key_changes_is_locked_with_the_new_one(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files", key_file(tmp_path))
    with store.stage(b"scan") as staged:
        KeyRing.read(tmp_path / "keys").with_new().only_active().write(tmp_path / "keys")
        staged.put()
    assert key_of(store.path_of(staged.sha256).read_bytes()) == "k2" and store.read(staged.sha256) == b"scan"


def test_missing_altered_and_orphaned_files_are_found(
    plain: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records(LOCAL, plain)
    saved = [save(records, seed=seed) for seed in range(4)]
    paths = [plain.files.path_of(records.scan(one.scan).sha256) for one in saved]
    assert records.verify().sound and records.verify().files == 4
    paths[0].unlink()
    paths[1].write_bytes(b"something else")
    orphan = put(plain.files, b"nobody's")
    (paths[3].parent / ".x.part").write_bytes(b"half")
    assert [problem.kind for problem in records.verify().problems if problem.kind == upkeep.ORPHANED] == []
    monkeypatch.setattr(stored, "STALE_S", -1.0)
    kinds = sorted(problem.kind for problem in records.verify().problems)
    assert kinds == sorted([upkeep.MISSING, upkeep.ALTERED, upkeep.ORPHANED, upkeep.LEFT_OVER])
    tidied = records.verify(tidy=True)
    assert not tidied.sound and sum(problem.tidied for problem in tidied.problems) == 2
    assert not plain.files.path_of(orphan).exists() and paths[3].exists()
    for one, broken in zip(saved[:2], ("missing", "not what was saved"), strict=True):
        with pytest.raises(FileAltered, match=broken):
            records.content(one.scan)
    again = save(records, seed=0)  # saving it again puts the file back
    assert not again.new and records.content(again.scan) == made.png(0)


def test_a_file_that_no_scan_is_in_any_more_is_tidied(plain: Archive) -> None:
    records = Records(LOCAL, plain)
    save(records)
    sha256 = put(plain.files, b"left")
    with plain.writing() as session:
        session.add(FileRow(sha256=sha256, size=4, extension=".png"))
    (problem,) = records.verify().problems
    assert problem.kind == upkeep.UNUSED and plain.files.path_of(sha256).exists()
    assert records.verify(tidy=True).sound
    assert not plain.files.path_of(sha256).exists() and records.verify().problems == ()


def test_endings_follow_the_content() -> None:
    assert [extension_of(data) for data in (made.png(), b"\xff\xd8\xff", b"II*\0", b"BM", b"DICM")] == [
        ".png", ".jpg", ".tif", ".bmp", ".dcm"
    ]  # fmt: skip
