"""Bringing the database's tables to the form this program works with, all in one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from nerve_core.records.errors import OLD, RecordsError

if TYPE_CHECKING:
    from alembic.config import Config

VERSION = "0001"
"""The last of the changes in ``migrations/versions``: what this program works with."""

NEWER = (
    "The database of the records was made by a newer version of this program, so this one leaves it alone; "
    "update the program, or name another database (NERVE_DATABASE)."
)
FOREIGN = (
    "The database of the records holds tables of something else; name an empty database, or that of the "
    "records (NERVE_DATABASE)."
)
LOCK = 0x6E657276
"""Number of the lock that lets one process at a time change a PostgreSQL database's tables."""


def version_of(connection: Connection) -> str | None:
    """The change that the database was brought to last; None for a database without tables.

    Raises:
        RecordsError: there are tables, but not of the records.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if tables:
        raise RecordsError(FOREIGN)
    return None


def check(connection: Connection) -> bool:
    """Whether the tables are there, in the form of this program.

    Raises:
        RecordsError: they are of an earlier or a newer version, or of something else.
    """
    found = version_of(connection)
    if found is None:
        return False
    if found != VERSION:
        raise RecordsError(OLD if found in known() else NEWER)
    return True


def migrate(connection: Connection) -> tuple[str | None, str]:
    """Make or change the tables, within the transaction the connection is in.

    Returns:
        The version before, None for an empty database, and the version after.

    Raises:
        RecordsError: the database is of a newer version, or of something else.
    """
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
    before = version_of(connection)
    if before == VERSION:
        return before, VERSION
    if before is not None and before not in known():
        raise RecordsError(NEWER)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, VERSION)
    return before, VERSION


def known() -> set[str]:
    """Every version this program can bring up to date."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
