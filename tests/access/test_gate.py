"""Who may talk to the server at all, with and without a login."""

from __future__ import annotations

import json
import secrets
import time

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from nerve_core.access import audit, cookie, gate
from nerve_core.access.sessions import Sessions
from nerve_core.records.archive import Archive

NAME = "_streamlit_user"
CLAIMS = {"iss": "https://login.example.org", "sub": "42", "email": "ann@example.org", "is_logged_in": True}
SECRET = "c" * 40


def page(request: Request) -> Response:
    return PlainTextResponse("page")


def callback(request: Request) -> Response:
    """What Streamlit answers when somebody comes back from the provider."""
    answer = RedirectResponse("/", 302)
    if "code" in request.query_params:
        answer.set_cookie(NAME, "value", httponly=True, samesite="lax", max_age=3600)
        answer.set_cookie("_streamlit_other", "value")
    elif "error" in request.query_params:
        answer.delete_cookie(NAME)
    return answer


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("page")
    await socket.close()


def client(caller: str = "127.0.0.1", host: str = "127.0.0.1:8501") -> TestClient:
    routes = [
        WebSocketRoute("/_stcore/stream", stream),
        Route("/oauth2callback", callback),
        Route("/{path:path}", page, methods=["GET", "PUT", "POST"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(gate.Gate)])
    return TestClient(app, f"http://{host}", client=(caller, 5000), follow_redirects=False)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    made = Sessions()
    monkeypatch.setattr(gate, "SESSIONS", made)
    monkeypatch.setattr("streamlit.web.server.server_util.get_cookie_secret", lambda: SECRET)
    return made


def signed(claims: dict, secret: str = SECRET) -> dict[str, str]:
    return {NAME: create_signed_value(secret, NAME, json.dumps(claims)).decode()}


def fresh() -> dict:
    return CLAIMS | {"iat": time.time()}


def logged(archive: Archive) -> list[tuple[str, str, str]]:
    if not archive.exists:
        return []
    with archive.reading() as session:
        return [(entry.actor, entry.action, entry.outcome) for entry in audit.entries(session)]


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "LOCALHOST", "[::1]:8501"])
def test_without_a_login_this_computer_is_let_in(host: str) -> None:
    for caller in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert client(caller, host).get("/diagnose").text == "page"


@pytest.mark.parametrize(
    ("caller", "host", "headers"),
    [
        ("192.168.1.7", "127.0.0.1", {}),
        ("192.168.1.7", "nerve.example.org", {}),
        ("::ffff:192.168.1.7", "127.0.0.1", {}),
        ("127.0.0.1", "nerve.example.org", {}),  # a proxy here, or a foreign page whose name leads here
        ("127.0.0.1", "127.0.0.1.nip.io", {}),
        ("127.0.0.1", "localhost.example.org", {}),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "192.168.1.7"}),
        ("127.0.0.1", "127.0.0.1", {"Forwarded": "for=192.168.1.7"}),
        ("127.0.0.1", "127.0.0.1", {"X-Real-IP": "192.168.1.7"}),
    ],
)
def test_without_a_login_nobody_else_is(
    caller: str, host: str, headers: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = client(caller, host)
    answer = asked.get("/diagnose", headers=headers)
    assert answer.status_code == 403 and "serves this computer only" in answer.text
    answer = asked.post("/api/predict", headers=headers)
    assert answer.status_code == 403 and "serves this computer only" in answer.json()["error"]
    with pytest.raises(WebSocketDisconnect), asked.websocket_connect("/_stcore/stream", headers=headers):
        pass
    monkeypatch.setenv("NERVE_ACCEPT_NO_LOGIN", "1")
    assert asked.get("/diagnose", headers=headers).text == "page"


def test_a_login_set_up_by_half_serves_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERVE_OIDC_URL", "https://login.example.org/x")
    answer = client().get("/")
    assert answer.status_code == 503 and "by half" in answer.text


@pytest.mark.parametrize("path", ["/_stcore/upload_file/a/b", "/media/abc.png", "/_stcore/agent/interact"])
def test_side_doors_open_to_those_signed_in_alone(oidc: None, sessions: Sessions, path: str) -> None:
    asked, claims = client("192.168.1.7", "nerve.example.org"), fresh()
    assert asked.get("/").text == "page"  # it shows the sign-in page
    for cookies in (
        {},
        signed(claims, "d" * 40),
        signed(CLAIMS | {"iat": 1}),
        signed(claims | {"is_logged_in": False}),
        {NAME: "forged"},
        {NAME: "chunks-2"},
    ):
        asked.cookies = cookies
        answer = asked.put(path)
        assert answer.status_code == 401 and "Sign in first" in answer.text
    asked.cookies = signed(claims)
    assert asked.put(path).text == "page"
    sessions.end(claims)
    assert asked.put(path).status_code == 401


def test_a_failed_login_is_logged_and_others_are_not(
    oidc: None, sessions: Sessions, archive: Archive
) -> None:
    asked = client("192.168.1.7", "nerve.example.org")
    asked.get("/oauth2callback")  # back from signing out at the provider
    asked.get("/oauth2callback?code=1&state=2")
    assert logged(archive) == []
    asked.get("/oauth2callback?error=access_denied&state=2")
    asked.get("/oauth2callback?state=forged")
    assert logged(archive) == [("unknown", "sign in", "failed")] * 2


def test_failed_logins_do_not_fill_the_disk(oidc: None, sessions: Sessions, archive: Archive) -> None:
    from nerve_core.access import note

    note._lately.clear()
    asked = client("192.168.1.7", "nerve.example.org")
    for _ in range(note.MOST + 5):
        asked.get("/oauth2callback?error=x")
    assert len(logged(archive)) == note.MOST
    note._lately.clear()


def test_the_login_s_cookie_travels_over_tls_only(oidc: None, sessions: Sessions) -> None:
    found = client("192.168.1.7", "nerve.example.org").get("/oauth2callback?code=1&state=2")
    first, other = found.headers.get_list("set-cookie")
    assert first.startswith(NAME) and "HttpOnly" in first and first.endswith("; Secure")
    assert "Secure" not in other


def test_signing_out_ends_the_login_and_is_logged_once(
    oidc: None, sessions: Sessions, archive: Archive
) -> None:
    asked, claims = client("192.168.1.7", "nerve.example.org"), fresh()
    asked.cookies = signed(claims)
    asked.get("/auth/logout")
    assert sessions.over(claims) == "You signed out; sign in again."
    asked.get("/auth/logout")
    asked.cookies = {NAME: "forged"}
    asked.get("/auth/logout")
    assert logged(archive) == [("ann@example.org", "sign out", "done")]


def test_a_long_login_that_streamlit_cut_in_pieces_is_read(sessions: Sessions) -> None:
    from streamlit.auth_util import set_cookie_with_chunks

    claims, jar = fresh() | {"groups": [secrets.token_hex(20) for _ in range(200)]}, {}

    def keep(name: str, value: str) -> None:
        jar[name] = create_signed_value(SECRET, name, value).decode()

    set_cookie_with_chunks(
        keep, lambda name, value: create_signed_value(SECRET, name, value), NAME, claims, cookie_attr_size=60
    )
    assert len(jar) > 1
    assert cookie.claims_of(jar) == claims
    del jar[sorted(jar)[-1]]
    assert cookie.claims_of(jar) is None
