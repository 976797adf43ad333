"""Bearer tokens of the REST service: made by an admin, kept as a hash only, with a role and an end.

They are for programs (a scanner's gateway, a script), which cannot sign in at a page. The provider's own
access tokens are not taken: many providers make them opaque or for themselves only, and one that leaked could
not be taken back before its end. A token is 256 random bits, so that a plain SHA-256 of it cannot be turned
round.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from nerve_core.access.roles import AccessError, Actor, Role
from nerve_core.access.tables import TokenRow
from nerve_core.records.base import now

PREFIX = "nerve_"
"""How every token begins, so that one left in a file is found by whoever searches for leaked secrets."""

LONGEST = 366
"""Most days a token may live."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")

UNKNOWN = "The bearer token is not known, or its time is over; ask an admin for a new one."


def make(session: Session, name: str, role: Role, days: int) -> str:
    """Make a token.

    Args:
        session: on the records database, in a transaction.
        name: of the program that will use it, as the audit log shows it; never used before.
        role: what it may do.
        days: how long, 1 to 366.

    Returns:
        The token: it is shown once and kept nowhere.

    Raises:
        AccessError: the name or the time cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise AccessError(
            "The name of a token has 1 to 63 letters a-z, digits, dots, dashes or underscores: gateway-1."
        )
    if not 1 <= days <= LONGEST:
        raise AccessError(f"A token lives 1 to {LONGEST} days; make a new one before its end.")
    if session.scalar(select(TokenRow).where(TokenRow.name == name)) is not None:
        raise AccessError(f"There was a token named {name} already; the audit log needs another name.")
    token = PREFIX + secrets.token_urlsafe(32)
    session.add(
        TokenRow(name=name, role=str(role), sha256=_hash(token), expires=now() + timedelta(days=days))
    )
    session.flush()
    return token


def actor_of(session: Session, token: str) -> Actor:
    """Whose token this is.

    Args:
        session: on the records database.
        token: as it came in the request.

    Raises:
        AccessError: no token like this is known, or it was revoked, or its time is over; the sentence is the
            same for all three.
    """
    row = None
    if _TOKEN.fullmatch(token):
        row = session.scalar(select(TokenRow).where(TokenRow.sha256 == _hash(token)))
    if row is None or row.revoked is not None or row.expires <= now():
        raise AccessError(UNKNOWN)
    return Actor(f"token {row.name}", Role(row.role))


def revoke(session: Session, name: str) -> None:
    """End a token now.

    Raises:
        AccessError: there is none of this name that still works.
    """
    row = session.scalar(select(TokenRow).where(TokenRow.name == name))
    if row is None or row.revoked is not None:
        raise AccessError(f"There is no token named {name} that still works.")
    row.revoked = now()
    session.flush()


def listed(session: Session) -> list[TokenRow]:
    """Every token there ever was, in the order of their names."""
    return list(session.scalars(select(TokenRow).order_by(TokenRow.name)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
