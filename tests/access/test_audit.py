"""The chain of the audit log: known answers, every way to tamper with it, and many writers at once."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from nerve_core.access import audit
from nerve_core.access.roles import Actor, Role

ANN = Actor("ann@example.org", Role.CLINICIAN)
ONE, TWO = (str(uuid.UUID(int=0xAB << 40 | number)) for number in (1, 2))
TRIGGERS = ("audit_no_update", "audit_no_delete", "audit_head_no_delete", "audit_head_forward")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with ten entries."""
    found = tmp_path / "records.sqlite"
    engine = opened(found)
    with engine.begin() as connection:
        audit.install(connection)
    with Session(engine) as session, session.begin():
        for number in range(10):
            audit.append(session, ANN, "read", ONE if number % 2 else TWO)
    engine.dispose()
    return found


@pytest.fixture
def session(path: Path) -> Iterator[Session]:
    engine = opened(path)
    with Session(engine) as found:
        yield found
    engine.dispose()


def opened(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", connect_args={"timeout": 60})


def verified(path: Path, expect: str = "") -> list[str]:
    engine = opened(path)
    with Session(engine) as session:
        found = audit.verify(session, expect)
    engine.dispose()
    return found


def tamper(path: Path, *statements: str) -> None:
    """What somebody who owns the file can do: take the triggers away, then change what they like."""
    with sqlite3.connect(path) as connection:
        for name in TRIGGERS:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_hash_of_an_entry_as_the_docs_give_it(session: Session) -> None:
    first, second = list(audit.entries(session))[:2]
    listed = [first.hash, 2, second.time, "ann@example.org", "clinician", "read", ONE, "done"]
    written = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    assert second.hash == hashlib.sha256(written.encode()).hexdigest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", second.time)


def test_a_whole_log(session: Session) -> None:
    assert audit.verify(session) == []
    assert audit.count(session) == 10
    assert [entry.number for entry in audit.entries(session)] == list(range(1, 11))
    assert [entry.number for entry in audit.entries(session, last=3)] == [8, 9, 10]
    assert [entry.number for entry in audit.entries(session, last=2, subjects=[ONE])] == [8, 10]
    assert list(audit.entries(session, actor="bob@example.org")) == []
    assert [entry["number"] for entry in audit.about(session, [ONE] * 501)] == [2, 4, 6, 8, 10]
    others = [str(uuid.UUID(int=number)) for number in range(1200)]
    assert [entry["number"] for entry in audit.about(session, [*others, TWO, ONE])] == list(range(1, 11))


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    engine = opened(tmp_path / "empty.sqlite")
    with engine.begin() as connection:
        audit.install(connection)
    with Session(engine) as session:
        assert audit.verify(session) == []
        assert audit.verify(session, audit.head(session)) == []


def test_an_entry_goes_with_what_it_records(path: Path, session: Session) -> None:
    audit.append(session, ANN, "erase", ONE)
    session.rollback()
    assert audit.count(session) == 10
    assert verified(path) == []


@pytest.mark.parametrize("subject", ["P-017", "Jane Doe", ONE.upper(), ONE + "\n", "a.dcm"])
def test_nothing_but_random_identifiers_enters_as_subject(session: Session, subject: str) -> None:
    with pytest.raises(ValueError, match="random identifier"):
        audit.append(session, ANN, "read", subject)


def test_names_are_kept_printable_and_short(session: Session) -> None:
    entry = audit.append(session, "a\nb\x1b[2J" + "é" * 400, "sign in", outcome=audit.FAILED)
    assert entry.actor.startswith("a?b?[2Jé")
    assert len(entry.actor) == 255
    assert entry.role == ""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'refused' WHERE number = 4",
        "DELETE FROM audit WHERE number = 4",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET number = 3",
        "UPDATE audit_head SET number = 12",
        "INSERT INTO audit_head VALUES (2, 0, '')",
    ],
)
def test_the_database_refuses_changes(session: Session, statement: str) -> None:
    with pytest.raises(DatabaseError):
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["UPDATE audit SET actor = 'bob@example.org' WHERE number = 4"], ["Entry 4 .* was changed"]),
        (["UPDATE audit SET outcome = 'failed' WHERE number = 10"], ["Entry 10 .* was changed"]),
        (["UPDATE audit SET time = '2020' WHERE number = 1"], ["Entry 1 .* was changed"]),
        (["DELETE FROM audit WHERE number = 4"], ["Entry 4 is missing"]),
        (["DELETE FROM audit WHERE number IN (4, 5, 6)"], ["Entries 4 to 6 are missing"]),
        (["DELETE FROM audit WHERE number = 1"], ["Entry 1 is missing"]),
        (["DELETE FROM audit WHERE number > 7"], ["ends at entry 7, but 10 were written"]),
        (["DELETE FROM audit"], ["ends at entry 0, but 10 were written"]),
        (["DELETE FROM audit_head"], ["head of the audit log is missing"]),
        (["UPDATE audit_head SET hash = 'x'"], ["head .* is not its last entry"]),
        (
            [
                "UPDATE audit SET number = 99 WHERE number = 4",
                "UPDATE audit SET number = 4 WHERE number = 5",
                "UPDATE audit SET number = 5 WHERE number = 99",
            ],
            ["Entry 4 .* was changed", "Entry 5 .* was changed", "Entry 6 .* was changed"],
        ),
        (
            [
                "DELETE FROM audit WHERE number = 4",
                "UPDATE audit SET number = number - 1 WHERE number > 4",
                "UPDATE audit_head SET number = 9",
            ],
            [f"Entry {number} .* was changed" for number in range(4, 10)],
        ),
    ],
)
def test_tampering_is_found(path: Path, statements: list[str], said: list[str]) -> None:
    tamper(path, *statements)
    found = verified(path)
    assert len(found) == len(said)
    for sentence, pattern in zip(found, said, strict=True):
        assert re.search(pattern, sentence)


def test_a_tail_cut_together_with_the_head_is_found_by_the_noted_head(path: Path, session: Session) -> None:
    noted = audit.head(session)
    seventh = list(audit.entries(session))[6].hash
    session.close()
    assert verified(path, noted) == []
    tamper(
        path, "DELETE FROM audit WHERE number > 7", f"UPDATE audit_head SET number = 7, hash = '{seventh}'"
    )
    assert verified(path) == []
    assert re.search("does not hold the head", verified(path, noted)[0])
    assert verified(path, f"7:{seventh}") == []


def test_a_chain_written_anew_is_found_by_the_noted_head(path: Path, session: Session) -> None:
    noted, rows = audit.head(session), list(audit.entries(session))
    session.close()
    previous, statements = rows[3].hash, []
    for row in rows[4:]:
        fields = (*row.fields[:2], "mallory", *row.fields[3:])
        previous = audit.chained(previous, fields)
        statements.append(
            f"UPDATE audit SET actor = 'mallory', hash = '{previous}' WHERE number = {row.number}"
        )
    tamper(path, *statements, f"UPDATE audit_head SET hash = '{previous}'")
    assert verified(path) == []
    assert len(verified(path, noted)) == 1


def write(path: str, who: int, times: int) -> None:
    engine = opened(Path(path))
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    for _ in range(times):
        with Session(engine) as session, session.begin():
            audit.append(session, Actor(f"writer {who}", Role.CLINICIAN), "save", ONE)


@pytest.mark.timeout(300)  # eight programs start on a machine that may be busy
def test_eight_processes_write_one_chain(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(str(path), who, 6)) for who in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(200)
        assert writer.exitcode == 0
    assert verified(path) == []
    engine = opened(path)
    with Session(engine) as session:
        assert audit.count(session) == 10 + 8 * 6
        for who in range(8):
            assert len(list(audit.entries(session, actor=f"writer {who}"))) == 6
