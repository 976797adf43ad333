"""What can go wrong with the records, each in a sentence for the user, and what databases say in theirs."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, SQLAlchemyError

from nerve_core.errors import NerveCoreError


class RecordsError(NerveCoreError):
    """The records cannot do what was asked; nothing was changed."""


class NotFound(RecordsError):
    """There is no such record, or it is not of the patient it was asked for."""


class FileAltered(RecordsError):
    """A stored file is missing, damaged, or locked by a key that is not there."""


FULL = (
    "The disk that holds the records is full; nothing was saved. Free some space, then save again. "
    "What was saved before is whole."
)
REFUSING = (
    "The disk that holds the records did not take the data: it is full, limited, or failing; nothing was "
    "saved. Look at the disk, then save again. What was saved before is whole."
)
READ_ONLY = (
    "The records may not be written here; nothing was saved. Give the program's user the right to write in "
    "the folder of the records and in its database."
)
BUSY = "The records are busy with another long task; nothing was saved. Try again in a minute."
DAMAGED = (
    "The database of the records is damaged or is no database; nothing was changed. Put the last backup in "
    "its place, then run `python -m nerve_core records verify`."
)
AWAY = (
    "The database of the records cannot be reached; check that it is running and that NERVE_DATABASE names "
    "it rightly."
)
OLD = (
    "The database of the records was made by an earlier version of this program; make a backup, then run "
    "`python -m nerve_core records migrate`."
)

CONFLICT = (
    "Somebody else saved the same at this moment; nothing of yours was saved. Look at theirs, then save "
    "again."
)

SIGNS = (
    ("disk is full", FULL),
    ("disk full", FULL),
    ("no space left", FULL),
    ("disk i/o error", REFUSING),
    ("readonly database", READ_ONLY),
    ("unable to open database", READ_ONLY),
    ("permission denied", READ_ONLY),
    ("read-only", READ_ONLY),
    ("database is locked", BUSY),
    ("lock timeout", BUSY),
    ("unique", CONFLICT),
    ("not a database", DAMAGED),
    ("malformed", DAMAGED),
    ("no such table", OLD),
    ("no such column", OLD),
    ("connection", AWAY),
    ("does not exist", AWAY),
    ("password", AWAY),
)
"""Words in what a database says, and the sentence for the user; the first that fits."""


def sentence_of(fault: BaseException) -> str:
    """The user's sentence for what a database or the operating system says; no value of a record is in it."""
    if isinstance(fault, OSError) and fault.errno is not None:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return FULL
        if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return READ_ONLY
        return f"The records cannot be written ({fault.strerror}); nothing was saved. Check the disk."
    said = str(fault.orig if isinstance(fault, DBAPIError) else fault).lower()
    for sign, text in SIGNS:
        if sign in said:
            return text
    kind = type(fault.orig if isinstance(fault, DBAPIError) else fault).__name__
    return f"The database of the records refused this ({kind}); nothing was changed. See the program's log."


@contextmanager
def spoken() -> Iterator[None]:
    """Turn what databases and the operating system raise into :class:`RecordsError`."""
    try:
        yield
    except (DatabaseError, SQLAlchemyError, OSError) as fault:
        raise RecordsError(sentence_of(fault)) from fault
