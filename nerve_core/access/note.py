"""Entries of the audit log for what touches no record: signing in and out, a token refused, a scan judged."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from nerve_core.access import audit
from nerve_core.access.roles import Actor
from nerve_core.errors import NerveCoreError

SIGN_IN, SIGN_OUT = "sign in", "sign out"
NOBODY = "unknown"
"""Stands for somebody who was not let in and whose name is not known."""

MOST = 60
"""Most entries a minute about somebody who is not known, so that nobody can fill the disk from outside."""

_log = logging.getLogger(__name__)
_lately: deque[float] = deque(maxlen=MOST)
_lock = threading.Lock()


def note(actor: Actor | str, action: str, outcome: str = audit.DONE, subject: str = "") -> None:
    """Write an entry, in a transaction of its own.

    Args:
        actor: who acts; a bare name where nobody was let in.
        action: ``sign in``, ``sign out``, or one of ``roles.ACTIONS``.
        outcome: ``done``, ``refused`` or ``failed``.
        subject: random identifier (UUID) of the record, or empty.

    Raises:
        RecordsError: the entry cannot be written; what it is about must then not be done.
    """
    from nerve_core.records.archive import get_archive

    with get_archive().writing() as session:
        audit.append(session, actor, action, subject, outcome)


def note_stranger(action: str = SIGN_IN) -> None:
    """Write that somebody unknown was not let in; a full disk must not keep them from being told so."""
    with _lock:
        now = time.monotonic()
        if len(_lately) == MOST and now - _lately[0] < 60:
            return
        _lately.append(now)
    try:
        note(NOBODY, action, audit.FAILED)
    except NerveCoreError as fault:
        _log.error("a refused sign-in could not be written to the audit log: %s", fault)
