"""Who calls the REST service, and whether they may: nothing is answered before that is known."""

from __future__ import annotations

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from nerve_core.access import audit
from nerve_core.access.cookie import claims_of
from nerve_core.access.login import Mode, actor_of, mode
from nerve_core.access.note import note, note_stranger
from nerve_core.access.roles import LOCAL, AccessError, Actor, require
from nerve_core.access.sessions import SESSIONS
from nerve_core.errors import NerveCoreError

OPEN, PROGRAMS = "/health", "/static-offline-docs/"
"""Answered to everybody: whether the service is up, and the programs of its description page."""

DESCRIPTION = ("/docs", "/openapi.json")
"""Answered also to whoever is signed in at the dashboard with the same browser. Nothing else is: a page
elsewhere could make that browser send requests."""

NO_TOKEN = "Send a bearer token (Authorization: Bearer ...); an admin makes one, see docs/access.md."


class Callers:
    """ASGI middleware: puts the :class:`Actor` who calls into ``request.state.actor``, or answers 401 or 403.

    Without a login set up, everybody who reaches the service is ``LOCAL``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            found = await anyio.to_thread.run_sync(_caller, request)
        except NotSignedIn as fault:
            await _refusal(str(fault), 401)(scope, receive, send)
        except AccessError as fault:
            await _refusal(str(fault), 403)(scope, receive, send)
        except NerveCoreError as fault:
            await _refusal(str(fault), 503)(scope, receive, send)
        else:
            request.state.actor = found
            await self.app(scope, receive, send)


class NotSignedIn(AccessError):
    """Nobody that is known: no bearer token, or one that does not work."""


def permitted(request: Request, action: str) -> Actor:
    """Who calls, if they may do this.

    Args:
        request: that came through :class:`Callers`.
        action: one of :data:`nerve_core.access.roles.ACTIONS`.

    Raises:
        AccessError: the caller's role may not do this; the audit log says so.
    """
    actor: Actor = request.state.actor
    try:
        require(actor, action)
    except AccessError:
        note_call(actor, action, audit.REFUSED)
        raise
    return actor


def note_call(actor: Actor, action: str, outcome: str = audit.DONE) -> None:
    """Write a call into the audit log where a login is set up; without one, a call leaves nothing behind.

    Raises:
        RecordsError: the entry cannot be written; the answer must then not be given.
    """
    if mode() is Mode.LOGIN:
        note(actor, action, outcome)


def _caller(request: Request) -> Actor | None:
    # Below the mount, the path begins with where the service is mounted.
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if mode() is not Mode.LOGIN:
        return LOCAL
    if path == OPEN or path.startswith(PROGRAMS):
        return None
    if path in DESCRIPTION:
        claims = claims_of(request.cookies)
        if claims is not None and SESSIONS.over(claims) is None:
            return actor_of(claims)
    return _by_token(request)


def _by_token(request: Request) -> Actor:
    from nerve_core.access import tokens
    from nerve_core.records.archive import get_archive

    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        note_stranger("call")
        raise NotSignedIn(NO_TOKEN)
    archive = get_archive()
    try:
        if not archive.exists:
            raise AccessError(tokens.UNKNOWN)
        with archive.reading() as session:
            return tokens.actor_of(session, token.strip())
    except AccessError as fault:
        note_stranger("call")
        raise NotSignedIn(str(fault)) from fault


def _refusal(sentence: str, status: int) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": sentence}, status, headers)
