"""Stands before pages and REST service alike: who may talk to this server at all.

Without a login it lets in this computer alone, whatever interface the server was told to listen on. With a
login it closes Streamlit's side doors (uploads and pictures, which Streamlit serves to anybody), logs who
could not sign in and who signs out, and has the cookie sent over TLS only.
"""

from __future__ import annotations

import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nerve_core.access import login
from nerve_core.access.cookie import claims_of
from nerve_core.access.login import Mode
from nerve_core.access.note import SIGN_OUT, note, note_stranger
from nerve_core.access.roles import AccessError
from nerve_core.access.sessions import SESSIONS

GUARDED = ("/_stcore/upload_file", "/media", "/_stcore/agent")
"""Addresses of Streamlit that it serves to whoever asks: only somebody who signed in may."""

SIGN_IN_FIRST = "Sign in first; open the dashboard's start page to do so."

_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded")
_USER = "_streamlit_user"


class Gate:
    """ASGI middleware; the first that a request meets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            mode = login.mode()
        except AccessError as fault:
            await _refuse(scope, receive, send, 503, str(fault))
            return
        if mode is Mode.LOCAL and not from_here(scope):
            await _refuse(scope, receive, send, 403, login.REFUSED)
        elif mode is Mode.LOGIN:
            await self._signed_in(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _signed_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(_base())
        claims = claims_of(cookie_parser(Headers(scope=scope).get("cookie", "")))
        if path.startswith(GUARDED) and (claims is None or SESSIONS.over(claims) is not None):
            await _refuse(scope, receive, send, 401, SIGN_IN_FIRST)
            return
        if path == "/auth/logout" and claims is not None and SESSIONS.end(claims):
            await anyio.to_thread.run_sync(note, login.name_of(claims), SIGN_OUT)
        sender = _Watched(send)
        await self.app(scope, receive, sender)
        if path == "/oauth2callback" and not sender.let_in:
            asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            if "state" in asked or "error" in asked:  # else somebody who comes back from signing out
                await anyio.to_thread.run_sync(note_stranger)


def from_here(scope: Scope) -> bool:
    """Whether a request was made on this computer, by a page of this computer.

    The caller's address alone does not say so: a proxy on this computer calls for others, and a web page
    elsewhere may have its own name lead here (DNS rebinding); both give themselves away in the headers.
    """
    headers = Headers(scope=scope)
    if any(name in headers for name in _FORWARDED):
        return False
    client = scope.get("client")
    if client and not login.is_here(client[0]):  # a Unix socket has no client
        return False
    host = urlsplit("//" + headers.get("host", "")).hostname or ""
    return login.is_here(host)


class _Watched:
    """Sees whether an answer brings a login's cookie, and has that sent over TLS only where there is TLS."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.let_in = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            found = headers.getlist("set-cookie")
            if any(cookie.startswith(_USER) for cookie in found):
                self.let_in = any(_brings_login(cookie) for cookie in found)
                chosen = login.provider()
                if chosen is not None and chosen.redirect_uri.startswith("https://"):
                    del headers["set-cookie"]
                    for cookie in found:
                        headers.append(
                            "set-cookie", f"{cookie}; Secure" if cookie.startswith(_USER) else cookie
                        )
                message = {**message, "headers": headers.raw}
        await self.send(message)


def _brings_login(text: str) -> bool:
    """Whether this cookie holds a login, rather than taking one away."""
    try:
        cookie = SimpleCookie(text).get(_USER)
    except CookieError:
        return False
    return cookie is not None and bool(cookie.value) and cookie["max-age"] != "0"


def _base() -> str:
    from streamlit import config

    path = (config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
        return
    api = scope["path"].removeprefix(_base()).startswith("/api")
    body = json.dumps({"error": sentence}).encode() if api else sentence.encode()
    headers = [
        (b"content-type", b"application/json" if api else b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
