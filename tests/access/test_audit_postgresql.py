"""The audit log on PostgreSQL: it refuses changes there too, and many writers at once make one chain."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from nerve_core.access import audit
from nerve_core.access.roles import LOCAL
from nerve_core.records.archive import Archive
from tests.records.conftest import postgresql

__all__ = ["postgresql"]


@pytest.fixture
def archive(postgresql: str, tmp_path: Path) -> Iterator[Archive]:
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgresql.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    made = Archive(tmp_path / "records", postgresql.format(name))
    yield made
    made.close()


def test_refuses_changes_and_finds_them_when_forced(archive: Archive) -> None:
    with archive.writing() as session:
        for _ in range(5):
            audit.append(session, LOCAL, "read")
    connection = archive.connection()
    statements = (
        "UPDATE audit SET actor = 'bob' WHERE number = 2",
        "DELETE FROM audit WHERE number = 5",
        "TRUNCATE audit",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
        "UPDATE audit_head SET number = 3",
    )
    for statement in statements:
        with pytest.raises(DatabaseError):
            connection.execute(text(statement))
    with archive.reading() as session:
        assert audit.verify(session) == [] and audit.count(session) == 5
    connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
    connection.execute(text(statements[0]))
    connection.execute(text(statements[1]))
    connection.close()
    with archive.reading() as session:
        changed, cut = audit.verify(session)
    assert changed.startswith("Entry 2 ") and "ends at entry 4, but 5 were written" in cut


def test_eight_writers_make_one_chain(archive: Archive) -> None:
    def write() -> None:
        for _ in range(10):
            with archive.writing() as session:
                audit.append(session, LOCAL, "save")

    archive.migrate()
    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with archive.reading() as session:
        assert audit.verify(session) == [] and audit.count(session) == 80
