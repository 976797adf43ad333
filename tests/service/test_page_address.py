"""Streamlit's own page, served by its own routes, with the address written in."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from streamlit.web.server.starlette.starlette_gzip_middleware import SelectiveGZipMiddleware
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_assets_routes

from nerve_core.service.page_address import ADDRESS, PageAddress

STATIC = Path(streamlit.__file__).parent / "static"
INDEX = (STATIC / "index.html").read_bytes()
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "identity"}


async def echo(socket: WebSocket) -> None:
    await socket.accept(subprotocol="streamlit")
    await socket.send_text(await socket.receive_text())
    await socket.close()


def served(base: str = "") -> TestClient:
    """Streamlit's static files behind its own compression and ours before it, as in the dashboard."""
    routes = [
        WebSocketRoute("/_stcore/stream", echo),
        Route("/docs", lambda request: HTMLResponse("<html><script src='x.js'></script></html>")),
        Route("/text", lambda request: PlainTextResponse("plain " * 500)),
        *create_streamlit_static_assets_routes(base),
    ]
    middleware = [Middleware(PageAddress), Middleware(SelectiveGZipMiddleware, base_url=base)]
    return TestClient(Starlette(routes=routes, middleware=middleware))


@pytest.mark.parametrize("path", ["/", "/data", "/diagnose?a=1"])
def test_every_page_says_where_its_server_is_before_its_program_runs(path: str):
    answer = served().get(path, headers=PAGE)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert answer.content.count(ADDRESS) == 1 and answer.content.replace(ADDRESS, b"") == INDEX
    assert answer.content.index(ADDRESS) < answer.content.index(b'<script type="module"')
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_is_found_below_a_base_path():
    assert ADDRESS in served("tools/nerve").get("/tools/nerve/data", headers=PAGE).content


def test_a_page_is_compressed_when_the_browser_takes_it():
    answer = served().get("/data", headers=PAGE | {"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip" and ADDRESS in answer.content
    assert int(answer.headers["content-length"]) < len(INDEX)


def test_an_unchanged_page_is_not_sent_again():
    client = served()
    tag = client.get("/data", headers=PAGE).headers["etag"]
    again = client.get("/data", headers=PAGE | {"if-none-match": f'"old", W/{tag}'})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == tag
    assert client.get("/data", headers=PAGE | {"if-none-match": '"old"'}).status_code == 200


def test_other_answers_are_left_as_they_are():
    client = served()
    assert client.get("/docs", headers=PAGE).text == "<html><script src='x.js'></script></html>"
    text = client.get("/text", headers=PAGE | {"accept-encoding": "gzip"})
    assert text.text == "plain " * 500 and text.headers["content-encoding"] == "gzip"
    assert client.get("/data/_stcore/health", headers=PAGE).status_code == 404
    script = next((STATIC / "static" / "js").glob("index.*.js"))
    answer = client.get(f"/static/js/{script.name}", headers={"accept": "*/*"})
    assert answer.content == script.read_bytes() and "immutable" in answer.headers["cache-control"]
    part = client.get("/static/js/" + script.name, headers=PAGE | {"range": "bytes=0-9"})
    assert part.status_code == 206 and part.content == script.read_bytes()[:10]


def test_websockets_pass():
    with served().websocket_connect("/_stcore/stream", subprotocols=["streamlit"]) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello" and socket.accepted_subprotocol == "streamlit"
