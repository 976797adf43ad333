"""Who acts, and which role may do what.

``ACTIONS`` is the whole of it: the records ask :func:`require` before anything they do, pages and REST only
say who is asking. ``docs/access.md`` shows the same table; a test keeps the two alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nerve_core.errors import NerveCoreError


class AccessError(NerveCoreError):
    """Somebody asked for what they may not do, or may not be here at all."""


class Role(StrEnum):
    """What somebody is here for; everybody who is let in has exactly one."""

    VIEWER = "viewer"
    CLINICIAN = "clinician"
    RESEARCHER = "researcher"
    ADMIN = "admin"


@dataclass(frozen=True)
class Actor:
    """Somebody who acts: a person or a program, never a patient.

    Attributes:
        name: e-mail or subject from the login, or the name of a bearer token; as the audit log shows it.
        role: what they may do.
    """

    name: str
    role: Role


LOCAL = Actor("local", Role.ADMIN)
"""Whoever sits at this computer, where login is off: they could open the files themselves."""

_EVERYONE = frozenset(Role)
_CARE = frozenset({Role.CLINICIAN, Role.ADMIN})
_RESEARCH = frozenset({Role.RESEARCHER, Role.ADMIN})
_ADMIN = frozenset({Role.ADMIN})

ACTIONS: dict[str, frozenset[Role]] = {
    "predict": _EVERYONE,
    "read": frozenset({Role.VIEWER, Role.CLINICIAN, Role.ADMIN}),
    "save": _CARE,
    "review": _CARE,
    "comment": _CARE,
    "second reading": _CARE,
    "export": _CARE,
    "erase": _ADMIN,
    "statistics": frozenset({Role.CLINICIAN, Role.RESEARCHER, Role.ADMIN}),
    "export corrections": _RESEARCH,
    "settings": _ADMIN,
    "verify": _ADMIN,
    "rotate key": _ADMIN,
    "back up": _ADMIN,
    "read audit": _ADMIN,
}
"""Which roles may do what."""

MEANS: dict[str, str] = {
    "predict": "have a scan judged, on the pages or by the REST service; nothing is kept",
    "read": "see patients, their scans, readings and comments, and the worklist",
    "save": "put a scan into the records, by hand, from a watched folder or from the PACS",
    "review": "correct a contour, agree or disagree, give a final reading",
    "comment": "write a remark on a patient or a scan",
    "second reading": "ask a colleague for a second reading",
    "export": "take a patient's data out: report, SEG, SR, FHIR, CSV, Excel, or to the PACS",
    "erase": "delete a patient for good",
    "statistics": "see figures over all readings, such as agreement, without a patient",
    "export corrections": "take out de-identified scans with corrected contours, to train from",
    "settings": "set alerts, presets, bearer tokens and what else holds for everybody",
    "verify": "check stored files and the chain of the audit log",
    "rotate key": "lock the stored files with a new key",
    "back up": "copy the records, or bring their tables up to date",
    "read audit": "see who did what",
}
"""What each action covers, in words."""


def allowed(actor: Actor, action: str) -> bool:
    """Whether the actor's role may do this; KeyError for an action that is not in ``ACTIONS``."""
    return actor.role in ACTIONS[action]


def require(actor: Actor, action: str) -> None:
    """Let the actor pass, or not.

    Args:
        actor: who asks.
        action: one of ``ACTIONS``; any other is a defect of the program (KeyError), never let through.

    Raises:
        AccessError: the actor's role may not do this.

    >>> require(Actor("ann@example.org", Role.CLINICIAN), "review")
    >>> require(Actor("ann@example.org", Role.CLINICIAN), "erase")
    Traceback (most recent call last):
    nerve_core.access.roles.AccessError: The role clinician may not do this (erase); ask an admin.
    """
    if not allowed(actor, action):
        able = [role.value for role in Role if role in ACTIONS[action]]
        raise AccessError(f"The role {actor.role} may not do this ({action}); ask {_listed(able)}.")


def _listed(roles: list[str]) -> str:
    named = [("an " if role[0] in "aeiou" else "a ") + role for role in roles]
    return named[0] if len(named) == 1 else ", ".join(named[:-1]) + " or " + named[-1]
