"""Where the records lie: one database, one folder of files, opened once a process.

SQLite by default, in the folder of the files, in write-ahead mode: readers never wait, writers take turns
(``BEGIN IMMEDIATE``), and what was committed is on the disk (``synchronous=FULL``). PostgreSQL by its URL.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

from nerve_core.config import settings
from nerve_core.records import migrate
from nerve_core.records.errors import RecordsError, spoken
from nerve_core.records.files import FileStore
from nerve_core.records.place import make_folder

BUSY_S = 30.0
"""Longest wait, s, for another writer."""

DATABASE = "records.sqlite"
"""Name of the SQLite file in the folder of the records."""


class Archive:
    """One set of records.

    Args:
        folder: of the files, and of the SQLite database; made at the first writing.
        database: SQLAlchemy URL; empty for an SQLite file in the folder.
        key_file: keys that lock the files; None leaves them in the clear.

    Raises:
        RecordsError: the URL is none that can be used.
    """

    def __init__(self, folder: Path, database: str = "", key_file: Path | None = None) -> None:
        self.folder, self.url = folder, _url(folder, database)
        self.files = FileStore(folder / "files", key_file)
        self.path = Path(self.url.database or "") if self.is_sqlite else None
        self._engine: Engine | None = None
        self._inode: int | None = None
        self._lock = threading.RLock()

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of SQLite."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def exists(self) -> bool:
        """Whether anything was ever saved here. Looking makes nothing.

        Raises:
            RecordsError: the database cannot be reached, or its tables are not of this program's version.
        """
        if self.path is not None and not self.path.exists():
            return False
        return self._engine is not None or self._open(make=False)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in a transaction of its own that is kept when the block ends well, and undone when not.

        Raises:
            RecordsError: whatever the database or the disk says against it, in one sentence.
        """
        with spoken():
            self._open(make=True)
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing; errors as in ``writing``."""
        with spoken():
            self._open(make=True)
            assert self._engine is not None
            engine = self._engine.execution_options(reading=True)
            with sessionmaker(engine, expire_on_commit=False)() as session, session.begin():
                yield session

    def migrate(self) -> tuple[str | None, str]:
        """Make the tables or bring them up to date; see :func:`nerve_core.records.migrate.migrate`."""
        with self._lock, spoken():
            engine = self._connected()
            with engine.begin() as connection:
                done = migrate.migrate(connection)
            self._engine = engine
            return done

    def connection(self) -> Connection:
        """A connection outside of any transaction, for the upkeep of the database file."""
        self._open(make=True)
        assert self._engine is not None
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT", upkeep=True)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None

    def _open(self, make: bool) -> bool:
        """Connect, once; with ``make``, make an empty database's tables. Whether there are tables."""
        with self._lock:
            if self._engine is not None and self._same_file():
                return True
            self.close()
            with spoken():
                engine = self._connected()
                with engine.execution_options(reading=True).begin() as connection:
                    ready = migrate.check(connection)
                if not ready and make:
                    with engine.begin() as connection:
                        migrate.migrate(connection)
                    ready = True
            if ready:
                self._engine = engine
                self._go_on()
            else:
                engine.dispose()
            return ready

    def _go_on(self) -> None:
        """Finish what a broken-off erasure left on the disk."""
        from nerve_core.records.erasure import remove_doomed

        with contextlib.suppress(RecordsError):  # a folder that may only be read is still read
            remove_doomed(self)

    def _same_file(self) -> bool:
        """Whether the SQLite file that was opened still lies there: one that was deleted takes no records."""
        if self.path is None:
            return True
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _connected(self) -> Engine:
        if self.path is None:
            return create_engine(self.url, pool_pre_ping=True)
        make_folder(self.path.parent)
        # SQLite gives its side files the rights of the database.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self._inode = self.path.stat().st_ino
        engine = create_engine(self.url, connect_args={"timeout": BUSY_S})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine


def _url(folder: Path, database: str) -> URL:
    if not database:
        return URL.create("sqlite", database=str(folder / DATABASE))
    try:
        url = make_url(database)
        kind = url.get_backend_name()
    except ArgumentError:
        kind = ""
    if kind == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return url
    raise RecordsError(
        "NERVE_DATABASE is none that can be used; give postgresql://USER@HOST/NAME or sqlite:///FILE, or "
        "leave it empty for a file in the folder of the records."
    )


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    """What every connection to SQLite needs; transactions are begun by :func:`_begin`, not by the driver."""
    connection.isolation_level = None
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _write_ahead(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "cache_size=-32000"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the write-ahead log on; SQLite does not wait here by itself when several processes begin."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("upkeep"):
        connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")


_OPEN: dict[tuple[Path, str, Path | None], Archive] = {}
_LOCK = threading.Lock()


def get_archive() -> Archive:
    """The archive that the settings name, opened once a process and shared by its threads.

    Raises:
        RecordsError: the settings name none that can be used.
    """
    chosen = settings()
    key = (chosen.records, chosen.database, chosen.records_key)
    with _LOCK:
        if key not in _OPEN:
            _OPEN[key] = Archive(*key)
        return _OPEN[key]
