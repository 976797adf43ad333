"""Tables of the audit log and of bearer tokens, and the triggers that keep the log as it was written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Connection, Integer, String, insert, text
from sqlalchemy.orm import Mapped, mapped_column

from nerve_core.records.base import Base, UtcDateTime, new_id, now

START = "0" * 64
"""The hash before the first entry."""

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class AuditRow(Base):
    """One entry; see :class:`nerve_core.access.audit.Entry`."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(36), index=True)
    outcome: Mapped[str] = mapped_column(String(20))
    hash: Mapped[str] = mapped_column(String(64))


class HeadRow(Base):
    """Number and hash of the last entry: a cut tail is noticed, and writers take turns at this one row."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(_NUMBER)
    hash: Mapped[str] = mapped_column(String(64))


class TokenRow(Base):
    """A bearer token of the REST service, without the token itself; see :mod:`nerve_core.access.tokens`."""

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime)


_SQLITE = (
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'entries of the audit log cannot be changed'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'entries of the audit log cannot be deleted'); END""",
    """CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'the head of the audit log cannot be deleted'); END""",
    """CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
    WHEN NEW.number NOT IN (OLD.number, OLD.number + 1)
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'entries of the audit log cannot be changed or deleted'; END $$""",
    """CREATE FUNCTION audit_forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.number NOT IN (OLD.number, OLD.number + 1) THEN RAISE EXCEPTION 'the audit log only grows'; END IF;
    RETURN NEW; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_forward()""",
)


def install(connection: Connection) -> None:
    """Make the three tables, begin the chain, and have the database refuse to change it; for a migration.

    Args:
        connection: to SQLite or PostgreSQL, in the transaction that makes the other tables.
    """
    for table in (AuditRow.__table__, HeadRow.__table__, TokenRow.__table__):
        table.create(connection)
    connection.execute(insert(HeadRow.__table__).values(id=1, number=0, hash=START))
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        connection.execute(text(statement))
