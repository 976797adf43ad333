"""A copy of the records that can take their place: the database at one moment, and every stored file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from nerve_core.records.errors import RecordsError
from nerve_core.records.files import FileStore
from nerve_core.records.models import FileRow
from nerve_core.records.place import make_folder, stage

if TYPE_CHECKING:
    from nerve_core.records.archive import Archive


@dataclass(frozen=True)
class BackedUp:
    """What was copied.

    Attributes:
        database: whether the database is in the copy; PostgreSQL's is copied by ``pg_dump``.
        files: how many stored files the copy holds.
        copied: how many of them were new to it.
        removed: how many files of erased patients left it.
    """

    database: bool
    files: int
    copied: int
    removed: int


def back_up(archive: Archive, out: Path) -> BackedUp:
    """Copy the records into a folder of the same layout; one copied into before is brought up to date.

    Files stay locked as they are; the key file is not copied. What is no longer in the records leaves the
    copy.

    Args:
        out: folder, made where it is missing; outside of the records' own.

    Raises:
        RecordsError: the folder is within the records.
        OSError: it cannot be written.
    """
    if out.resolve().is_relative_to(archive.folder.resolve()):
        raise RecordsError("The backup must lie outside of the records' own folder; name another.")
    make_folder(out)
    with archive.reading() as session:
        wanted = set(session.scalars(select(FileRow.sha256).where(~FileRow.doomed)))
    copy = FileStore(out / "files", None)
    copied = 0
    for sha256 in sorted(wanted):
        target, source = copy.path_of(sha256), archive.files.path_of(sha256)
        if not target.exists() and source.exists():
            make_folder(target.parent)
            stage(target.parent, source.read_bytes()).replace(target)
            copied += 1
    if archive.path is not None:  # after the files: each row in the copy has its file there
        _copy_database(archive.path, out / archive.path.name)
    removed = sum(copy.remove(sha256) for sha256 in list(copy.addresses()) if sha256 not in wanted)
    return BackedUp(archive.is_sqlite, len(wanted), copied, removed)


def _copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database while it is in use, whole or not at all."""
    staged = stage(target.parent, b"")
    try:
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(staged)) as other:
            one.backup(other)
        staged.replace(target)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
