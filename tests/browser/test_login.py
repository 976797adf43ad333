"""Signing in at a real OpenID Connect provider, with a real browser, on the real dashboard served by TLS."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from nerve_core.access import audit
from nerve_core.config import ROOT
from nerve_core.records.archive import Archive

SECRET = "a secret of forty letters for the tests.."
COOKIE = "_streamlit_user"
PEOPLE = {
    "ann": {"email": "ann@example.org", "email_verified": True, "roles": ["clinician"]},
    "eve": {"email": "eve@example.org", "email_verified": True},
}
STARTUP_S = 180
UNCHECKED = ssl._create_unverified_context()
"""For a certificate that the test signed itself."""


@dataclass(frozen=True)
class Served:
    """A running dashboard with a login."""

    address: str
    records: Path

    def logged(self) -> list[tuple[str, str, str]]:
        """(actor, action, outcome) of every entry of its audit log."""
        archive = Archive(self.records)
        if not archive.exists:
            return []
        with archive.reading() as session:
            assert audit.verify(session) == []
            found = [(each.actor, each.action, each.outcome) for each in audit.entries(session)]
        archive.close()
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(command: list[str], url: str, extra: dict[str, str]) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | extra, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + STARTUP_S
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended while starting"
        try:
            with urllib.request.urlopen(url, timeout=STARTUP_S, context=UNCHECKED):
                return server
        except OSError:
            time.sleep(0.2)
    server.kill()
    pytest.fail(f"the server did not answer within {STARTUP_S} s")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Address of an OpenID Connect provider with two people."""
    port = free_port()
    people = [f"--user-claims={json.dumps({'sub': sub, **claims})}" for sub, claims in PEOPLE.items()]
    command = [sys.executable, "-m", "oidc_provider_mock", "-p", str(port), *people]
    found = f"http://127.0.0.1:{port}"
    server = started(command, f"{found}/.well-known/openid-configuration", {})
    yield found
    server.terminate()
    server.wait(20)


def certificate(folder: Path) -> dict[str, str]:
    """A certificate for this computer, and the two settings that name it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(*kinds))
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return {
        "STREAMLIT_SERVER_SSL_CERT_FILE": str(folder / "certificate.pem"),
        "STREAMLIT_SERVER_SSL_KEY_FILE": str(folder / "key.pem"),
    }


@pytest.fixture(scope="module")
def served(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard, with a login at that provider."""
    folder = tmp_path_factory.mktemp("login")
    port, records = free_port(), folder / "records"
    address = f"https://127.0.0.1:{port}"
    settings = certificate(folder) | {
        "NERVE_OIDC_URL": f"{provider}/.well-known/openid-configuration",
        "NERVE_OIDC_CLIENT_ID": "nerve",
        "NERVE_OIDC_CLIENT_SECRET": "known to both",
        "NERVE_OIDC_REDIRECT_URI": f"{address}/oauth2callback",
        "NERVE_OIDC_COOKIE_SECRET": SECRET,
        "NERVE_RECORDS": str(records),
        "AUTHLIB_INSECURE_TRANSPORT": "1",
    }
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    server = started(command, f"{address}/api/health", settings)
    yield Served(address, records)
    server.terminate()
    server.wait(20)


@pytest.fixture
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A browser nobody signed in with yet."""
    found = browser.new_context(viewport={"width": 1400, "height": 900}, ignore_https_errors=True)
    yield found
    found.close()


def shown(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=60_000)


def sign_in(page: Page, served: Served, who: str) -> None:
    page.goto(served.address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=who, exact=True).click()


def signed_in(page: Page) -> None:
    expect(page.get_by_text("Signed in as ann@example.org (clinician)")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("path", ["", "diagnose", "patient", "about"])
def test_nobody_sees_a_page_without_signing_in(profile: BrowserContext, served: Served, path: str) -> None:
    page = profile.new_page()
    page.goto(f"{served.address}/{path}")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=60_000)
    shown(page, "Nerve ultrasound")
    expect(page.get_by_role("link", name="Diagnose")).to_have_count(0)
    expect(page.locator("[data-testid='stFileUploader']")).to_have_count(0)


def test_the_service_asks_for_a_token(served: Served) -> None:
    for path in ("predict", "docs", "openapi.json"):
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(f"{served.address}/api/{path}", context=UNCHECKED)
        assert answer.value.code == 401
        assert "bearer token" in json.loads(answer.value.read())["error"]


def test_sign_in_work_and_sign_out(profile: BrowserContext, served: Served) -> None:
    before = len(served.logged())
    page = profile.new_page()
    sign_in(page, served, "ann")
    signed_in(page)
    assert served.logged()[before:] == [("ann@example.org", "sign in", "done")]
    page.goto(f"{served.address}/diagnose")
    shown(page, "Diagnose")
    signed_in(page)
    picture = ROOT / "nerve_core" / "ui" / "icon.png"
    with page.expect_response(lambda answer: "/_stcore/upload_file" in answer.url) as upload:
        page.locator("input[type=file]").first.set_input_files(picture)
    assert upload.value.status == 204
    assert profile.request.get(f"{served.address}/api/docs").status == 200
    kept = [cookie for cookie in profile.cookies() if cookie["name"].startswith(COOKIE)]
    assert kept and all(cookie["httpOnly"] and cookie["secure"] for cookie in kept)

    other = profile.new_page()
    other.goto(served.address)
    signed_in(other)
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("button", name="End session").click()  # the provider asks whether one means it
    expect(other.get_by_role("button", name="Sign in")).to_be_visible(timeout=60_000)
    assert not [cookie for cookie in profile.cookies() if cookie["name"].startswith(COOKIE)]
    # The tab that was left open goes too, though nobody clicks in it.
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Diagnose")).to_have_count(0)
    # A copy of the cookie is worth nothing.
    profile.add_cookies(kept)
    page.goto(f"{served.address}/diagnose")
    expect(page.get_by_text("You signed out; sign in again.")).to_be_visible(timeout=60_000)
    assert profile.request.get(f"{served.address}/api/docs").status == 401
    assert ("ann@example.org", "sign out", "done") in served.logged()


def test_somebody_without_a_role_is_told_so(profile: BrowserContext, served: Served) -> None:
    before = len(served.logged())
    page = profile.new_page()
    sign_in(page, served, "eve")
    said = page.get_by_text("You are signed in as eve@example.org, but nobody has given you a role here yet")
    expect(said).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Diagnose")).to_have_count(0)
    page.goto(f"{served.address}/diagnose")
    expect(said).to_be_visible(timeout=60_000)
    assert served.logged()[before:] == [("eve@example.org", "sign in", "refused")]


def test_a_login_the_provider_refuses(profile: BrowserContext, served: Served) -> None:
    before = len(served.logged())
    page = profile.new_page()
    page.goto(served.address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=60_000)
    assert served.logged()[before:] == [("unknown", "sign in", "failed")]


@pytest.mark.parametrize(
    ("age_s", "secret", "said"),
    [
        (31 * 60, SECRET, "You were signed out after 30 minutes without a click; sign in again."),
        (11 * 3600, SECRET, "You were signed in for 10 hours; sign in again."),
        (0, "another secret, which the server does not", "Sign in to open the dashboard."),
    ],
)
def test_an_old_or_forged_login_does_not_count(
    profile: BrowserContext, served: Served, age_s: float, secret: str, said: str
) -> None:
    claims = {
        "is_logged_in": True,
        "origin": served.address,
        "provider": "default",
        "sub": "ann",
        "iat": int(time.time() - age_s),
        **PEOPLE["ann"],
    }
    value = create_signed_value(secret, COOKIE, json.dumps(claims)).decode()
    profile.add_cookies([{"name": COOKIE, "value": value, "url": served.address}])
    page = profile.new_page()
    page.goto(f"{served.address}/diagnose")
    expect(page.get_by_text(said)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Diagnose")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert profile.request.get(f"{served.address}/api/docs").status == 401
