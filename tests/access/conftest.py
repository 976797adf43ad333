"""A login set up by settings, and records of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerve_core.records.archive import Archive, get_archive

OIDC = {
    "NERVE_OIDC_URL": "https://login.example.org/.well-known/openid-configuration",
    "NERVE_OIDC_CLIENT_ID": "nerve",
    "NERVE_OIDC_CLIENT_SECRET": "secret of the client",
    "NERVE_OIDC_REDIRECT_URI": "https://nerve.example.org/oauth2callback",
    "NERVE_OIDC_COOKIE_SECRET": "c" * 40,
}


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The archive that the settings name; nothing is in it yet."""
    monkeypatch.setenv("NERVE_RECORDS", str(tmp_path / "kept"))
    return get_archive()


@pytest.fixture
def oidc(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login set up."""
    for name, value in OIDC.items():
        monkeypatch.setenv(name, value)
