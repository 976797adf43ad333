"""The REST service with a login set up: every role, every way not to be let in, and what is logged."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from nerve_core.access import audit, note, tokens
from nerve_core.access.roles import ACTIONS, Role
from nerve_core.access.sessions import Sessions
from nerve_core.inference.prediction import NO_NERVE, Prediction
from nerve_core.records.archive import Archive, get_archive
from nerve_core.records.records import Records
from nerve_core.service import caller
from nerve_core.service.app import create_app
from tests.access.conftest import OIDC

SECRET = OIDC["NERVE_OIDC_COOKIE_SECRET"]
KEYS = {role: f"{role}-key" for role in Role}


class Nothing:
    """A predictor that finds nothing."""

    name, version, device, backend = "fake", "1", "cpu", "torch"

    def predict(self, scan, click=None) -> Prediction:
        mask = np.zeros(scan.pixels.shape, np.uint8)
        return Prediction(mask / np.float32(255), mask, (), NO_NERVE, None, "fake 1")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.setenv("NERVE_RECORDS", str(tmp_path / "kept"))
    monkeypatch.setattr("nerve_core.inference.predictor.get_predictor", Nothing)
    monkeypatch.setattr("streamlit.web.server.server_util.get_cookie_secret", lambda: SECRET)
    monkeypatch.setattr(caller, "SESSIONS", Sessions())
    note._lately.clear()
    return get_archive()


@pytest.fixture
def kept(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> dict[Role, str]:
    """A login set up, and a token of every role."""
    for name, value in OIDC.items():
        monkeypatch.setenv(name, value)
    with archive.writing() as session:
        return {role: tokens.make(session, KEYS[role], role, 1) for role in Role}


@pytest.fixture
def served() -> TestClient:
    """The service, and one route more for every action, as a route of the records would be written."""
    app = create_app()

    @app.get("/try/{action}")
    def attempt(request: Request, action: str) -> JSONResponse:
        return JSONResponse({"actor": caller.permitted(request, action).name})

    return TestClient(app, raise_server_exceptions=False)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def scan() -> dict:
    import cv2

    noise = np.random.default_rng(0).normal(90, 40, (160, 200)).clip(5, 250).astype(np.uint8)
    return {"file": ("a.png", cv2.imencode(".png", cv2.GaussianBlur(noise, (0, 0), 1.0))[1].tobytes())}


def logged(archive: Archive) -> list[tuple[str, str, str, str]]:
    with archive.reading() as session:
        return [(each.actor, each.role, each.action, each.outcome) for each in audit.entries(session)]


def test_without_a_login_nothing_is_asked_and_nothing_is_kept(archive: Archive, served: TestClient) -> None:
    assert served.post("/predict", files=scan()).status_code == 200
    assert served.get("/openapi.json").status_code == 200
    assert served.get("/try/erase").json() == {"actor": "local"}
    assert not archive.exists and not archive.folder.exists()


@pytest.mark.parametrize("role", Role)
def test_every_action(kept: dict[Role, str], archive: Archive, served: TestClient, role: Role) -> None:
    name, refused = f"token {KEYS[role]}", []
    for action, able in ACTIONS.items():
        answer = served.get(f"/try/{action}", headers=bearer(kept[role]))
        if role in able:
            assert (answer.status_code, answer.json()) == (200, {"actor": name})
            continue
        refused.append((name, str(role), action, "refused"))
        assert answer.status_code == 403
        assert answer.json()["error"].startswith(f"The role {role} may not do this ({action}); ask ")
    assert logged(archive) == refused


def test_a_scan_judged_is_logged(kept: dict[Role, str], archive: Archive, served: TestClient) -> None:
    allowed = bearer(kept[Role.VIEWER])
    assert served.post("/predict", files=scan(), headers=allowed).json()["verdict"] == NO_NERVE
    assert served.post("/predict", files={"file": ("a.png", b"none")}, headers=allowed).status_code == 400
    name = f"token {KEYS[Role.VIEWER]}"
    assert logged(archive) == [
        (name, "viewer", "predict", "done"),
        (name, "viewer", "predict", "failed"),
    ]


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer nerve_" + "A" * 43, "Bearer " + "x" * 5000],
)
def test_without_a_token_that_works_there_is_no_answer(
    kept: dict[Role, str], archive: Archive, served: TestClient, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    paths = ("/predict", "/docs", "/openapi.json", "/nothing", "/try/read", "/healthy", "/health/")
    for path in paths:
        answer = served.post(path, files=scan(), headers=headers)
        assert answer.status_code == served.get(path, headers=headers).status_code == 401
        assert set(answer.json()) == {"error"} and "bearer token" in answer.json()["error"]
        assert answer.headers["www-authenticate"] == "Bearer"
    assert logged(archive) == [("unknown", "", "call", "failed")] * 2 * len(paths)


def test_the_health_is_open_and_a_revoked_token_is_not(
    kept: dict[Role, str], archive: Archive, served: TestClient
) -> None:
    assert served.get("/health").status_code == 200
    token = bearer(kept[Role.ADMIN])
    assert served.get("/openapi.json", headers=token).status_code == 200
    with archive.writing() as session:
        tokens.revoke(session, KEYS[Role.ADMIN])
    assert served.get("/openapi.json", headers=token).status_code == 401


def test_the_description_says_how_to_sign_in(kept: dict[Role, str], served: TestClient) -> None:
    found = served.get("/openapi.json", headers=bearer(kept[Role.VIEWER])).json()
    assert found["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert {"401", "403"} <= set(found["paths"]["/predict"]["post"]["responses"])


def test_whoever_is_signed_in_at_the_pages_reads_the_description_and_no_more(
    kept: dict[Role, str], served: TestClient
) -> None:
    claims = {"is_logged_in": True, "sub": "42", "iat": time.time(), "roles": ["admin"]}

    def signed(**changes: object) -> dict[str, str]:
        text = json.dumps(claims | changes)
        return {"_streamlit_user": create_signed_value(SECRET, "_streamlit_user", text).decode()}

    served.cookies = signed()
    assert served.get("/docs").status_code == served.get("/openapi.json").status_code == 200
    assert served.post("/predict", files=scan()).status_code == 401
    assert served.get("/try/read").status_code == 401
    served.cookies = signed(iat=1)
    assert served.get("/docs").status_code == 401
    served.cookies = signed(roles=[])
    answer = served.get("/docs")
    assert answer.status_code == 403 and "nobody has given you a role" in answer.json()["error"]


def test_records_of_a_patient_are_not_read_by_guessing(kept: dict[Role, str], archive: Archive) -> None:
    """Whatever is typed for an identifier, nothing is found, and what was typed is not kept."""
    from nerve_core.access.roles import AccessError, Actor
    from nerve_core.records.errors import NotFound

    viewer, researcher = (Actor(f"{role}@example.org", role) for role in (Role.VIEWER, Role.RESEARCHER))
    guesses = ["1", "P-017", "00000000-0000-4000-8000-000000000000", "' OR '1'='1", "../x", "%", "é" * 300]
    for guess in guesses:
        for ask in ("scan", "patient", "courses", "picture"):
            with pytest.raises(NotFound):
                getattr(Records(viewer, archive), ask)(guess)
            with pytest.raises(AccessError):
                getattr(Records(researcher, archive), ask)(guess)
    found = logged(archive)
    assert {entry[3] for entry in found} == {"refused", "failed"}
    with archive.reading() as session:
        subjects = {entry.subject for entry in audit.entries(session)}
    assert subjects <= {"", guesses[2]}
