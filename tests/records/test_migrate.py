"""The database's tables: made on first use, brought up to date on request, a newer version's left alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from nerve_core.access.roles import LOCAL
from nerve_core.records import migrate
from nerve_core.records.archive import Archive
from nerve_core.records.errors import RecordsError
from nerve_core.records.records import Records
from nerve_core.records.tables import METADATA
from tests.records.conftest import save


def test_the_tables_made_are_those_the_program_works_with(archive: Archive) -> None:
    with archive.writing() as session:
        connection = session.connection()
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), METADATA
        )
        if not archive.is_sqlite:
            assert found == []
        # SQLite tells Alembic nothing of the direction of an index, so those two seem to differ.
        assert {change[1].name for change in found} <= {"ix_scan_newest", "ix_scan_urgent"}
        assert migrate.version_of(connection) == migrate.VERSION


def test_the_version_named_is_the_last_one() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(migrate._config()).get_heads() == [migrate.VERSION]


def test_migrating_is_said_and_can_be_repeated(empty: Archive) -> None:
    records = Records(LOCAL, empty)
    assert records.migrate() == (None, migrate.VERSION)
    assert records.migrate() == (migrate.VERSION, migrate.VERSION)
    save(records)
    assert records.migrate() == (migrate.VERSION, migrate.VERSION) and records.search().total == 1


@pytest.mark.parametrize("newer", ["0002", "9999"])
def test_a_newer_database_is_left_alone(archive: Archive, newer: str) -> None:
    save(Records(LOCAL, archive))
    with archive.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": newer})
    archive.close()
    for act in (lambda r: r.migrate(), lambda r: r.search(), lambda r: save(r, "P-2", 2)):
        with pytest.raises(RecordsError, match="newer version"):
            act(Records(LOCAL, archive))


def test_an_older_database_is_not_changed_unasked(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    save(Records(LOCAL, archive))
    archive.close()
    monkeypatch.setattr(migrate, "VERSION", "0002")
    with pytest.raises(RecordsError, match="records migrate"):
        Records(LOCAL, archive).search()


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(RecordsError, match="something else"):
        save(Records(LOCAL, Archive(tmp_path / "records", f"sqlite:///{path}")))


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "sqlite://", "sqlite:///:memory:", "nonsense", "http://x", "postgresql+none://"]
)
def test_what_is_no_database_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(RecordsError, match=r"NERVE_DATABASE|reached"):
        save(Records(LOCAL, Archive(tmp_path, url)))


def test_a_server_that_is_away_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="cannot be reached"):
        Records(LOCAL, Archive(tmp_path, f"postgresql://nobody@/x?host={tmp_path}")).search()


def test_processes_that_begin_together_make_the_tables_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nerve_core.access.roles import LOCAL;"
        "from nerve_core.records.archive import Archive;"
        "archive = Archive(Path(sys.argv[1]));"
        "from nerve_core.access import audit\n"
        "with archive.writing() as session: audit.append(session, LOCAL, 'read')"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "records")], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * 3, said
    assert Records(LOCAL, Archive(tmp_path / "records")).verify().entries == 3


def test_a_database_that_is_taken_away_is_noticed(plain: Archive) -> None:
    records = Records(LOCAL, plain)
    save(records)
    for path in plain.folder.glob("records.sqlite*"):
        path.unlink()
    assert records.search().total == 0
    save(records, "P-2", 2)
    assert [found.pseudonym for found in records.search().items] == ["P-2"]
