"""Looking after the records: is everything there as it was saved, and locking files under a new key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from nerve_core.records.errors import FileAltered, RecordsError
from nerve_core.records.keys import KeyRing
from nerve_core.records.models import (
    CommentRow,
    FileRow,
    PatientRow,
    PredictionRow,
    ReviewRow,
    ScanRow,
    VisitRow,
)
from nerve_core.records.place import make_folder

if TYPE_CHECKING:
    from nerve_core.records.archive import Archive

MISSING, ALTERED, ORPHANED, UNUSED, LEFT_OVER, DATABASE, LOG = (
    "missing file",
    "altered or locked file",
    "orphaned file",
    "file row without a scan",
    "half-written file",
    "database",
    "audit log",
)
HARMLESS = (ORPHANED, UNUSED, LEFT_OVER)
"""What a broken-off run may leave; ``tidy`` takes it away."""


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be.

    Attributes:
        kind: one of the constants above.
        said: in words; content addresses only, no pseudonym.
        tidied: it was taken away.
    """

    kind: str
    said: str
    tidied: bool = False


@dataclass(frozen=True)
class Health:
    """What a check of the records found.

    Attributes:
        files: how many stored files were read and compared with their SHA-256.
        entries: how many entries of the audit log were checked.
        head: number and hash of its last entry, to be noted where nobody who may write in the database can.
        problems: what is wrong.
    """

    files: int
    entries: int
    head: str
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong that was not tidied."""
        return all(problem.tidied for problem in self.problems)


@dataclass(frozen=True)
class Stats:
    """How much the records hold.

    Attributes:
        bytes: of the stored files, before they were locked.
        unread: scans that nobody has read.
        database: ``sqlite`` or ``postgresql``.
        locked: whether new files are locked with a key.
    """

    patients: int
    visits: int
    scans: int
    unread: int
    predictions: int
    reviews: int
    comments: int
    files: int
    bytes: int
    database: str
    locked: bool


def check_files(archive: Archive, tidy: bool) -> tuple[int, list[Problem]]:
    """Read every stored file, and look for files that belong to nothing.

    Returns:
        How many files were read, and what is wrong.
    """
    with archive.reading() as session:
        known = set(session.scalars(select(FileRow.sha256).where(~FileRow.doomed)))
        used = set(session.scalars(select(ScanRow.sha256).distinct()))
    found = [*_stored(archive, sorted(known & used)), *_stray(archive, known, used, tidy)]
    return len(known & used), found


def _stored(archive: Archive, wanted: list[str]) -> Iterator[Problem]:
    for sha256 in wanted:
        try:
            archive.files.read(sha256)
        except (FileAltered, OSError) as fault:
            with archive.reading() as session:  # it may have been erased meanwhile
                if session.get(FileRow, sha256) is None:
                    continue
            kind = ALTERED if archive.files.path_of(sha256).exists() else MISSING
            yield Problem(kind, f"{sha256}: {fault}")


def _stray(archive: Archive, known: set[str], used: set[str], tidy: bool) -> Iterator[Problem]:
    """What belongs to nothing; files so new that they may be just being saved are left out."""
    files = archive.files
    for path in files.leftovers():
        yield Problem(LEFT_OVER, f"{path.name} was never finished.", tidy and _unlinked(path))
    for sha256 in sorted(known - used):
        with archive.writing() as session:
            row = session.scalars(
                select(FileRow).where(FileRow.sha256 == sha256).with_for_update()
            ).one_or_none()
            if row is None or session.scalars(select(ScanRow.id).where(ScanRow.sha256 == sha256)).first():
                continue
            row.doomed = tidy
        yield Problem(UNUSED, f"{sha256} belongs to no scan.", tidy)
    for sha256 in files.addresses():
        if sha256 in known or not files.is_stale(files.path_of(sha256)):
            continue
        with archive.writing() as session:
            if session.get(FileRow, sha256) is not None:
                continue
            gone = tidy and _unlinked(files.path_of(sha256))
        yield Problem(ORPHANED, f"{sha256} is in no row of the database.", gone)


def _unlinked(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def check_database(archive: Archive) -> list[Problem]:
    """Whether the database's own pages and references are whole."""
    if not archive.is_sqlite:
        return []  # PostgreSQL checks its references itself, and its pages by `pg_amcheck`
    with archive.connection() as connection:
        said = [row[0] for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    found = [Problem(DATABASE, line) for line in said]
    return found + [Problem(DATABASE, f"A row of {row[0]} refers to a missing {row[2]}.") for row in broken]


def rotate(archive: Archive, new_key: bool) -> int:
    """Lock every file under the newest key; broken off at any point, the next run goes on.

    Each file is exchanged whole, while its row is locked, so that no reader misses it and no erased file
    comes back. Old keys stay in the key file: backups may need them.

    Args:
        new_key: make a new key first, in the key file; without, files under other keys are brought over to
            the last one.

    Returns:
        How many files were locked anew.

    Raises:
        RecordsError: no key file is set, or it cannot be used.
        FileAltered: files cannot be opened; they are as they were, and all others are locked anew.
    """
    path = archive.files.key_file
    if path is None:
        raise RecordsError(
            "No key file is set; set NERVE_RECORDS_KEY to where it is to lie, apart from the records, and "
            "run this again."
        )
    if new_key:
        with archive.writing() as session:
            _hold(session)
            ring = KeyRing.read(path) if path.exists() else KeyRing({})
            make_folder(path.parent)
            ring.with_new().write(path)
    with archive.reading() as session:
        wanted = session.scalars(select(FileRow.sha256).where(~FileRow.doomed)).all()
    done, faults = 0, []
    for sha256 in wanted:
        with archive.writing() as session:
            row = select(FileRow).where(FileRow.sha256 == sha256, ~FileRow.doomed).with_for_update()
            if session.scalars(row).one_or_none() is None or not archive.files.path_of(sha256).exists():
                continue
            try:
                done += archive.files.relock(sha256)
            except FileAltered as fault:
                faults.append(f"{sha256}: {fault}")
    if faults:
        raise FileAltered(
            f"{done} files were locked anew, but {len(faults)} could not be opened and are as they were: "
            f"{faults[0]}"
        )
    return done


def _hold(session: Session) -> None:
    """Keep savers waiting until this transaction ends; SQLite's writers take turns in any case."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE file IN EXCLUSIVE MODE"))


def drop_old_keys(archive: Archive) -> int:
    """Take every key but the newest out of the key file, once no stored file needs them.

    Returns:
        How many keys were taken out.

    Raises:
        RecordsError: a file is locked with an older key, or not at all.
    """
    from nerve_core.records.files import key_of

    path = archive.files.key_file
    with archive.writing() as session:
        _hold(session)
        ring = archive.files.keys
        if path is None or ring.active is None:
            raise RecordsError("No key file is set (NERVE_RECORDS_KEY), so there are no keys to take out.")
        for sha256 in session.scalars(select(FileRow.sha256)):
            file = archive.files.path_of(sha256)
            if file.exists():
                with file.open("rb") as opened:
                    name = key_of(opened.read(64))
                if name != ring.active:
                    raise RecordsError(
                        "Not every file is locked with the newest key yet; run `python -m nerve_core records "
                        "rotate-key --finish`, then this again."
                    )
        ring.only_active().write(path)
        return len(ring.keys) - 1


def stats_of(session: Session, archive: Archive) -> Stats:
    """How much the records hold."""

    def count(table: type) -> int:
        return session.scalar(select(func.count()).select_from(table)) or 0

    return Stats(
        patients=count(PatientRow),
        visits=count(VisitRow),
        scans=count(ScanRow),
        unread=session.scalar(select(func.count()).where(~ScanRow.reviewed)) or 0,
        predictions=count(PredictionRow),
        reviews=count(ReviewRow),
        comments=count(CommentRow),
        files=count(FileRow),
        bytes=int(session.scalar(select(func.sum(FileRow.size))) or 0),
        database=archive.url.get_backend_name(),
        locked=archive.files.keys.active is not None,
    )
