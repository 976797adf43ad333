"""Tells Streamlit's page where its server is, so that the browser need not search for it.

On an address such as ``/data`` the page first asks for ``/data/_stcore/health`` and is answered 404: every
deep link began with errors in the browser's console. Told the address, it asks once and rightly.
"""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MARK = b'<script type="module"'
"""Where Streamlit's own page loads its program; a page without it is left as it is."""

ADDRESS = b"<script>window.__streamlit = {BACKEND_BASE_URL: new URL('.', location.href).href}</script>"
"""The folder of the page's address: it holds the page's program too (``./static``), so this is right below
a base path and behind a proxy that takes a prefix away, neither of which the server need know."""

_REPLACED = {b"accept-encoding", b"if-none-match", b"if-modified-since"}
"""What a browser asks of the page that it gets; the page inside is asked for plain and whole."""


class PageAddress:
    """ASGI middleware that writes ``ADDRESS`` into Streamlit's page and passes all else through untouched.

    The page keeps ``Cache-Control``, is compressed for browsers that take it, and has an ``ETag`` of its own
    content, to which an unchanged page is answered 304.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._compressed = GZipMiddleware(self._page, minimum_size=500, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and "text/html" in Headers(scope=scope).get("accept", "")
        )
        await (self._compressed if page else self.app)(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name not in _REPLACED]
        # Without extensions a file arrives as bytes, not as a path for the server to send.
        inside = {**scope, "headers": headers, "extensions": {}}
        known = Headers(scope=scope).get("if-none-match", "")
        await self.app(inside, receive, _Rewriter(send, known))


class _Rewriter:
    """Holds a page back until it is whole, then sends it changed; other answers go straight on."""

    def __init__(self, send: Send, known: str) -> None:
        self.send, self.known = send, known
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] == 200 and kind.startswith("text/html"):
                self.start = message
                return
        if self.start is None or message["type"] != "http.response.body":
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        body = self.body.replace(MARK, ADDRESS + MARK, 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        if body != self.body:
            headers["etag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers["content-length"] = str(len(body))
            del headers["last-modified"]  # the time of a file that is not what is sent
            if headers["etag"] in self.known:  # weak or strong, alone or in a list
                start, body = {**start, "status": 304}, b""
                del headers["content-length"]
        await self.send({**start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": body})
