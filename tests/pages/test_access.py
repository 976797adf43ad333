"""The pages with a login set up: what each role is offered, and who is not let in at all."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.access import audit
from nerve_core.access.roles import ACTIONS, LOCAL, AccessError, Actor, Role
from nerve_core.access.sessions import Sessions
from nerve_core.records.archive import get_archive
from nerve_core.records.records import Records
from nerve_core.ui import access, patient_scan
from nerve_core.ui import records as shown
from tests.access.conftest import OIDC
from tests.pages.conftest import KnownPredictor, png, texts
from tests.pages.test_diagnose import upload
from tests.pages.test_records import save

PAGES = ("home", "diagnose", "worklist", "patient", "about")


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    """A login set up, and nobody signed in yet."""
    for name, value in OIDC.items():
        monkeypatch.setenv(name, value)
    made = Sessions()
    monkeypatch.setattr(access, "SESSIONS", made)
    return made


def person(role: str, **changes: object) -> dict[str, object]:
    """Claims of somebody signed in with a role."""
    claims = {"is_logged_in": True, "sub": role, "email": f"{role}@example.org", "iat": time.time()}
    return claims | {"roles": [role]} | changes


def go(app: AppTest, page: str) -> AppTest:
    found = app.switch_page(f"pages/{page}.py").run()
    assert not found.exception
    return found


def labels(page: AppTest) -> set[str]:
    return {each.label for each in page.button}


def said(page: AppTest) -> str:
    return " ".join(texts(page))


def logged() -> list[tuple[str, str, str]]:
    archive = get_archive()
    if not archive.exists:
        return []
    with archive.reading() as session:
        return [(each.actor, each.action, each.outcome) for each in audit.entries(session)]


def offered(app: AppTest, known: KnownPredictor, scan: str) -> set[str]:
    """The actions that somebody finds on the pages, by what only they show."""
    found = set()
    page = go(app, "diagnose")
    page.session_state["keep"] = True
    page = upload(page, ("scan.png", png(9)))
    found |= {"predict"} if known.calls else set()
    found |= {"save"} if "Save" in labels(page) else set()
    page = go(app, "worklist")
    tabs = {tab.label for tab in page.tabs}
    tables = [each.value for each in page.dataframe if "Patient" in each.value]
    found |= {"read"} if tables and list(tables[0]["Patient"]) == ["P-001"] else set()
    found |= {"statistics"} if "Agreement" in tabs else set()
    found |= {"export corrections"} if "Corrections" in tabs else set()
    if "Alerts" in tabs:
        page.session_state["worklist-section"] = "Alerts"
        found |= {"settings"} if "Set these alerts" in labels(page.run()) else set()
    app.session_state[shown.PATIENT] = Records(LOCAL).scan(scan).patient
    app.session_state[shown.SCAN] = scan
    page = go(app, "patient")
    found |= {"review"} if "Save the reading" in labels(page) else set()
    found |= {"second reading"} if "Ask" in labels(page) else set()
    for tab, label, action in (
        ("Remarks", "Save the remark", "comment"),
        ("Copy and erase", "Make the copy", "export"),
        ("Copy and erase", "Erase for good", "erase"),
    ):
        page.session_state["patient-section"] = tab
        page = page.run()
        assert not page.exception
        found |= {action} if label in labels(page) else set()
    return found


ON_PAGES = set(ACTIONS) - {"verify", "rotate key", "back up", "read audit"}
"""What is no command's alone."""


@pytest.mark.parametrize("role", Role)
def test_every_role_finds_what_it_may_do_and_nothing_else(
    app: AppTest, known: KnownPredictor, sessions: Sessions, role: Role
) -> None:
    scan = save(known)
    known.calls.clear()
    app.user = person(role)
    page = app.run()
    assert f"Signed in as {role}@example.org ({role})" in said(page)
    assert "No login" not in said(page)
    assert offered(app, known, scan) == {action for action in ON_PAGES if role in ACTIONS[action]}
    if role is Role.RESEARCHER:
        assert "P-001" not in said(go(app, "patient"))
    entries = [entry for entry in logged() if entry[0] == f"{role}@example.org"]
    assert entries[0] == (f"{role}@example.org", "sign in", "done")
    assert sum(entry[1] == "sign in" for entry in entries) == 1


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({}, "Sign in to open the dashboard."),
        (person("admin", is_logged_in=False), "Sign in to open the dashboard."),
        (person("admin", is_logged_in="true"), "Sign in to open the dashboard."),
        (person("admin", iat=time.time() - 11 * 3600), "You were signed in for 10 hours; sign in again."),
        (person("admin", iat=time.time() - 31 * 60), "after 30 minutes without a click; sign in again."),
        (person("admin", iat=None), "sign in again."),
        (person("nurse"), "nobody has given you a role here yet"),
    ],
)
def test_nobody_else_sees_anything(
    app: AppTest, known: KnownPredictor, sessions: Sessions, user: dict, words: str
) -> None:
    save(known)
    app.user = user
    page = app.run()
    for name in PAGES:
        assert words in said(page)
        assert labels(page) <= {"Sign in", "Sign out"}
        assert [each.value for each in page.title] == ["Nerve ultrasound"]
        assert not page.dataframe and not page.tabs and not page.get("file_uploader")
        page = go(app, name)
    with_name = [entry for entry in logged() if entry[1] == "sign in"]
    assert with_name == ([("nurse@example.org", "sign in", "refused")] if user.get("sub") == "nurse" else [])


def test_signing_out_elsewhere_ends_this_page_too(
    app: AppTest, known: KnownPredictor, sessions: Sessions
) -> None:
    app.user = person("admin")
    assert "Signed in" in said(app.run())
    sessions.end(app.user)
    assert "You signed out; sign in again." in said(app.run())


def test_a_role_taken_away_counts_at_once(
    app: AppTest, known: KnownPredictor, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = tmp_path / "roles.toml"
    monkeypatch.setenv("NERVE_ROLES_FILE", str(roles))
    roles.write_text('[people]\n"nurse@example.org" = "viewer"\n')
    app.user = person("nurse")
    assert "Signed in as nurse@example.org (viewer)" in said(app.run())
    roles.write_text("[people]\n")
    assert "nobody has given you a role" in said(app.run())


def test_nobody_is_let_in_when_it_cannot_be_logged(
    app: AppTest, known: KnownPredictor, sessions: Sessions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("no folder")
    monkeypatch.setenv("NERVE_RECORDS", str(taken / "records"))
    app.user = person("admin")
    page = app.run()
    assert not page.exception and page.error and labels(page) == {"Sign out"}


def test_a_callback_of_a_login_that_is_over_gets_no_actor(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access.st, "rerun", lambda: None)
    claims = person("admin")
    monkeypatch.setattr(access, "_claims", lambda: claims)
    assert access.actor().role is Role.ADMIN
    sessions.end(claims)
    with pytest.raises(AccessError, match="You signed out"):
        access.actor()
    monkeypatch.setattr(access, "_claims", lambda: None)
    with pytest.raises(AccessError):
        access.actor()


def test_without_a_login_every_page_says_so(
    app: AppTest, known: KnownPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.run()
    for name in PAGES:
        assert "No login: only this computer can open the dashboard" in said(go(app, name))
    monkeypatch.setenv("NERVE_ACCEPT_NO_LOGIN", "1")
    for name in PAGES:
        page = go(app, name)
        assert "whoever reaches this address may see and do everything" in page.warning[0].value
    assert logged() == []


def test_a_file_that_leaves_the_records_is_logged_first(known: KnownPredictor, sessions: Sessions) -> None:
    scan = Records(LOCAL).scan(save(known))
    clinician, viewer = Actor("c@example.org", Role.CLINICIAN), Actor("v@example.org", Role.VIEWER)
    assert patient_scan._handed(Records(clinician), scan, "table", b"made") == b"made"
    with pytest.raises(AccessError):
        patient_scan._handed(Records(viewer), scan, "table", b"made")
    assert logged()[-2:] == [("c@example.org", "export", "done"), ("v@example.org", "export", "refused")]
    assert [kind for _, kind in Records(LOCAL).erase(scan.patient).handouts] == ["table"]
