"""The audit log: who did what and when, each entry chained to the one before by a hash.

An entry is written in the same transaction as what it records, so neither is ever there without the other.
Its hash is SHA-256 over the hash before it and its own fields, so that an entry changed, taken out, put in or
moved breaks the chain, as in Schneier and Kelsey, "Secure audit logs to support computer forensics" (1999),
without their keys: whoever owns the database could forge the chain anew from some entry on. Two things stand
against that: the database itself refuses to change or delete entries, and the head (number and hash of the
last entry) can be noted elsewhere and compared (``verify(session, expect=...)``).

Patients appear by the random identifier of their record only: the log stays whole when a patient is erased.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from nerve_core.access.roles import Actor
from nerve_core.access.tables import START, AuditRow, HeadRow, install

__all__ = ["START", "AuditRow", "Entry", "HeadRow", "about", "append", "count", "entries", "head", "install"]

DONE, REFUSED, FAILED = "done", "refused", "failed"
"""Outcomes: it happened, the role did not allow it, or it was tried in vain (no such record, a full disk)."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Entry:
    """One entry of the audit log.

    Attributes:
        number: from 1, without gaps.
        time: UTC, ISO 8601 with microseconds.
        actor: name of who acted.
        role: their role then; empty for somebody who was not let in.
        action: what they did, such as ``read`` or ``sign in``.
        subject: random identifier of the record it was done to, or empty.
        outcome: ``done``, ``refused`` or ``failed``.
        hash: SHA-256, hexadecimal, over the hash of the entry before and all of the above.
    """

    number: int
    time: str
    actor: str
    role: str
    action: str
    subject: str
    outcome: str
    hash: str

    @property
    def fields(self) -> tuple[int, str, str, str, str, str, str]:
        """What the hash is made over, besides the hash before."""
        return self.number, self.time, self.actor, self.role, self.action, self.subject, self.outcome


def chained(previous: str, fields: tuple[int, str, str, str, str, str, str]) -> str:
    """Hash of an entry: SHA-256, hexadecimal, of the UTF-8 JSON list of the hash before it and its fields.

    >>> chained(START, (1, "2026-01-01T00:00:00.000000+00:00", "local", "admin", "read", "", "done"))[:16]
    '26f88b4700855b8d'
    """
    listed = json.dumps([previous, *fields], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(listed.encode()).hexdigest()


def append(
    session: Session, actor: Actor | str, action: str, subject: str = "", outcome: str = DONE
) -> Entry:
    """Write an entry within the transaction that the session is in; it counts when that is kept.

    From here until the transaction ends no other writer appends, so call it as late as can be.

    Args:
        session: on the records database.
        actor: who acts; a bare name for somebody who was not let in.
        action: one of ``roles.ACTIONS``, or what concerns the login (``sign in``, ``sign out``).
        subject: random identifier (UUID) of the record, or empty.
        outcome: ``done``, ``refused`` or ``failed``.

    Returns:
        The entry.

    Raises:
        ValueError: the subject is no UUID: a name or a pseudonym must never enter the log.
    """
    if subject and not _UUID.fullmatch(subject):
        raise ValueError("The subject of an audit entry must be the random identifier of a record.")
    name, role = (actor.name, str(actor.role)) if isinstance(actor, Actor) else (actor, "")
    # Counting up takes the lock on the head, in both databases, before anything is read of it.
    head = session.execute(
        update(HeadRow)
        .where(HeadRow.id == 1)
        .values(number=HeadRow.number + 1)
        .returning(HeadRow.number, HeadRow.hash)
        .execution_options(synchronize_session=False)
    ).one()
    time = datetime.now(UTC).isoformat(timespec="microseconds")
    fields = (head.number, time, _plain(name), role, action, subject, outcome)
    entry = Entry(*fields, chained(head.hash, fields))
    session.execute(insert(AuditRow.__table__).values(**vars(entry)))
    session.execute(
        update(HeadRow)
        .where(HeadRow.id == 1)
        .values(hash=entry.hash)
        .execution_options(synchronize_session=False)
    )
    return entry


def _plain(name: str) -> str:
    """A name as it can be stored and shown anywhere: printable, at most 255 characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:255]


def entries(
    session: Session, last: int | None = None, subjects: Sequence[str] = (), actor: str = ""
) -> Iterator[Entry]:
    """Entries in their order, a few at a time from the database.

    Args:
        session: on the records database.
        last: only so many, the latest; None for all.
        subjects: only those about one of these records.
        actor: only those by this name.
    """
    chosen = select(*(getattr(AuditRow, name) for name in Entry.__dataclass_fields__))
    if subjects:
        chosen = chosen.where(AuditRow.subject.in_(subjects))
    if actor:
        chosen = chosen.where(AuditRow.actor == actor)
    if last is not None:
        found = session.execute(chosen.order_by(AuditRow.number.desc()).limit(last)).all()
        yield from (Entry(*row) for row in reversed(found))
        return
    ordered = chosen.order_by(AuditRow.number).execution_options(yield_per=2000)
    yield from (Entry(*row) for row in session.execute(ordered))


def about(session: Session, subjects: Sequence[str]) -> list[dict[str, str | int]]:
    """Every entry about these records, as plain values: who had access to them, as a patient may ask."""
    # Some hundred at a time: databases allow only so many parameters.
    each = sorted(set(subjects))
    found = [
        vars(entry)
        for first in range(0, len(each), 500)
        for entry in entries(session, subjects=each[first : first + 500])
    ]
    return sorted(found, key=lambda entry: entry["number"])


def count(session: Session) -> int:
    """How many entries there are."""
    return session.scalar(select(func.count()).select_from(AuditRow)) or 0


def head(session: Session) -> str:
    """``NUMBER:HASH`` of the last entry, to be noted where nobody who can write in the database can."""
    found = session.execute(select(HeadRow.number, HeadRow.hash)).one_or_none()
    return "" if found is None else f"{found.number}:{found.hash}"


def verify(session: Session, expect: str = "") -> list[str]:
    """Check every link of the chain.

    Args:
        session: on the records database.
        expect: a head noted before (see :func:`head`): the log must still hold it.

    Returns:
        One sentence about each broken link; empty when the log is whole.
    """
    wrong: list[str] = []
    number, previous, held = 0, START, expect in ("", f"0:{START}")
    for entry in entries(session):
        number += 1
        if entry.number != number:
            last = entry.number - 1
            missing = f"Entry {last} is" if last == number else f"Entries {number} to {last} are"
            wrong.append(f"{missing} missing from the audit log.")
            number = entry.number
        elif chained(previous, entry.fields) != entry.hash:
            wrong.append(
                f"Entry {number} of the audit log was changed, or does not follow the one before it."
            )
        previous = entry.hash
        held = held or expect == f"{number}:{entry.hash}"
    kept = session.execute(select(HeadRow.number, HeadRow.hash)).one_or_none()
    if kept is None:
        wrong.append("The head of the audit log is missing.")
    elif kept.number > number:
        wrong.append(
            f"The audit log ends at entry {number}, but {kept.number} were written: its tail was cut off."
        )
    elif (kept.number, kept.hash) != (number, previous):
        wrong.append("The head of the audit log is not its last entry.")
    if not held:
        wrong.append(
            f"The audit log does not hold the head noted before ({expect[:24]}...): it was cut or replaced."
        )
    return wrong
