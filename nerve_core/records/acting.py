"""Who does what in the records: every act is permitted, done and logged, or refused and logged."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from nerve_core.access import audit
from nerve_core.access.roles import AccessError, Actor, require
from nerve_core.records.archive import Archive, get_archive
from nerve_core.records.errors import NotFound, RecordsError
from nerve_core.records.reading import NO_SCAN


@dataclass
class Act:
    """One act under way.

    Attributes:
        session: in whose transaction it happens.
        subject: random identifier of the record it is about, or empty; may be set while it is under way.
    """

    session: Session
    subject: str = ""


class Acting:
    """An actor at work in an archive.

    Args:
        actor: who acts, and in which role.
        archive: by default the one the settings name.
    """

    def __init__(self, actor: Actor, archive: Archive | None = None) -> None:
        self.actor = actor
        self.archive = archive or get_archive()

    @contextmanager
    def _writing(self, action: str, subject: str = "") -> Iterator[Act]:
        """An act that changes the records: it and its entry in the log are kept together, or neither is."""
        self._allow(action, subject)
        with self._noted(action, subject), self.archive.writing() as session:
            act = Act(session, subject)
            yield act
            audit.append(session, self.actor, action, act.subject)

    @contextmanager
    def _reading(self, action: str, subject: str = "") -> Iterator[Act]:
        """An act that only reads. Its entry is in the log before anything read is handed out."""
        self._allow(action, subject)
        with self._noted(action, subject):
            if not self.archive.exists:
                raise NotFound(NO_SCAN)
            with self.archive.reading() as session:
                act = Act(session, subject)
                yield act
            self._log(action, act.subject)

    def _nothing(self, action: str) -> bool:
        """Whether nothing was ever saved, so that a list is empty; looking makes nothing."""
        self._allow(action, "")
        return not self.archive.exists

    def _allow(self, action: str, subject: str) -> None:
        try:
            require(self.actor, action)
        except AccessError:
            self._note(action, subject, audit.REFUSED)
            raise

    @contextmanager
    def _noted(self, action: str, subject: str) -> Iterator[None]:
        """Log what was not found or failed; the act itself was undone by then."""
        try:
            yield
        except NotFound:
            if self.archive.exists:
                self._note(action, subject, audit.FAILED)
            raise
        except RecordsError:
            self._note(action, subject, audit.FAILED)
            raise

    def _note(self, action: str, subject: str, outcome: str) -> None:
        """Log what did not happen; the reason it did not may keep the log from being written too."""
        with contextlib.suppress(RecordsError):
            self._log(action, subject, outcome)

    def _log(self, action: str, subject: str = "", outcome: str = audit.DONE) -> None:
        with self.archive.writing() as session:
            audit.append(session, self.actor, action, subject if is_id(subject) else "", outcome)


def is_id(text: str) -> bool:
    """Whether a text is an identifier; what somebody typed instead may be a name, and is never logged."""
    try:
        return str(uuid.UUID(text)) == text
    except (ValueError, AttributeError, TypeError):
        return False
