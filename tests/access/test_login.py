"""Whether a login is needed, whom it is set up with, and which role somebody gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerve_core.access import login
from nerve_core.access.login import Mode
from nerve_core.access.roles import AccessError, Role
from tests.access.conftest import OIDC

ANN = {"sub": "42", "email": "Ann@Example.org", "email_verified": True}


def test_without_settings_this_computer_alone() -> None:
    assert login.mode() is Mode.LOCAL
    assert login.secrets_for_streamlit() == {}


def test_the_risk_is_accepted_by_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERVE_ACCEPT_NO_LOGIN", "0")
    assert login.mode() is Mode.LOCAL
    monkeypatch.setenv("NERVE_ACCEPT_NO_LOGIN", "1")
    assert login.mode() is Mode.OPEN
    login.check_address("0.0.0.0")


def test_a_login_goes_before_an_accepted_risk(oidc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERVE_ACCEPT_NO_LOGIN", "1")
    assert login.mode() is Mode.LOGIN
    login.check_address(None)
    kept = login.secrets_for_streamlit()["auth"]
    assert kept["client_id"] == "nerve"
    assert kept["client_kwargs"]["prompt"] == "login"


@pytest.mark.parametrize(
    "address", [None, "", "0.0.0.0", "::", "192.168.1.4", "nerve.example.org", "127.0.0.1.nip.io"]
)
def test_other_interfaces_are_refused(address: str | None) -> None:
    with pytest.raises(AccessError, match="serves this computer only"):
        login.check_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.8.9.10", "unix:///run/nerve.sock"])
def test_this_computer_is_served(address: str) -> None:
    login.check_address(address)


@pytest.mark.parametrize("name", [name for name in OIDC if name != "NERVE_OIDC_COOKIE_SECRET"])
def test_a_login_set_up_by_half_never_counts_as_none(
    oidc: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(AccessError, match="by half"):
        login.mode()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NERVE_OIDC_REDIRECT_URI", "http://nerve.example.org/oauth2callback", "must begin with https"),
        ("NERVE_OIDC_REDIRECT_URI", "https://nerve.example.org/", "must end with /oauth2callback"),
        ("NERVE_OIDC_URL", "http://login.example.org/x", "must begin with https"),
        ("NERVE_OIDC_COOKIE_SECRET", "short", "too short"),
    ],
)
def test_an_unsafe_login_is_refused(
    oidc: None, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(AccessError, match=said):
        login.mode()


def test_streamlit_s_own_section_sets_a_login_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st

    section: dict[str, str] = {}

    class Secrets:
        """What ``st.secrets`` holds."""

        def load_if_toml_exists(self) -> bool:
            return True

        def get(self, name: str, default: object) -> object:
            assert name == "auth"
            return section or default

    monkeypatch.setattr(st, "secrets", Secrets())
    assert login.mode() is Mode.LOCAL
    section |= {"client_id": "nerve"}
    with pytest.raises(AccessError, match="by half"):
        login.mode()
    section |= {
        "server_metadata_url": OIDC["NERVE_OIDC_URL"],
        "client_secret": "x",
        "redirect_uri": OIDC["NERVE_OIDC_REDIRECT_URI"],
        "cookie_secret": "c" * 40,
    }
    assert login.mode() is Mode.LOGIN
    assert login.secrets_for_streamlit() == {}


def test_a_cookie_secret_is_made_where_none_is_set(oidc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NERVE_OIDC_COOKIE_SECRET")
    found = login.provider()
    assert len(found.cookie_secret) > 60
    assert login.provider() == found


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (ANN, "ann@example.org"),
        ({"sub": "42", "email": "ann@example.org"}, "ann@example.org"),
        ({"sub": "42", "email": "ann@example.org", "email_verified": False}, "42"),
        ({"sub": "42", "email": "ann@example.org", "email_verified": "false"}, "42"),
        ({"sub": "42"}, "42"),
    ],
)
def test_name(claims: dict, name: str) -> None:
    assert login.name_of(claims) == name


@pytest.mark.parametrize(
    ("claim", "extra", "role"),
    [
        ("roles", {"roles": ["clinician"]}, Role.CLINICIAN),
        ("roles", {"roles": "viewer"}, Role.VIEWER),
        ("roles", {"roles": ["viewer", "admin", "other"]}, Role.ADMIN),
        ("roles", {"roles": ["researcher", "clinician"]}, Role.CLINICIAN),
        ("realm_access.roles", {"realm_access": {"roles": ["researcher"]}}, Role.RESEARCHER),
        ("https://example.org/roles", {"https://example.org/roles": ["viewer"]}, Role.VIEWER),
    ],
)
def test_role_by_claim(monkeypatch: pytest.MonkeyPatch, claim: str, extra: dict, role: Role) -> None:
    monkeypatch.setenv("NERVE_OIDC_ROLE_CLAIM", claim)
    found = login.actor_of(ANN | extra)
    assert (found.name, found.role) == ("ann@example.org", role)


@pytest.mark.parametrize(
    "extra",
    [{}, {"roles": []}, {"roles": ["Admin"]}, {"roles": {"admin": True}}, {"roles": None}, {"roles": 3}],
)
def test_nobody_gets_a_role_by_default(extra: dict) -> None:
    with pytest.raises(
        AccessError, match=r"^You are signed in as ann@example.org, but nobody has given you a role"
    ):
        login.actor_of(ANN | extra)


def test_role_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(
        '[people]\n"ANN@example.org" = "viewer"\n42 = "admin"\n[claims]\n"neuro-doctors" = "clinician"\n'
    )
    monkeypatch.setenv("NERVE_ROLES_FILE", str(path))
    assert login.actor_of(ANN | {"roles": ["admin"]}).role is Role.VIEWER
    assert login.actor_of({"sub": "42"}).role is Role.ADMIN
    assert login.actor_of({"sub": "7", "roles": ["neuro-doctors"]}).role is Role.CLINICIAN
    # An address that anybody may claim is nobody's.
    with pytest.raises(AccessError):
        login.actor_of({"sub": "7", "email": "ann@example.org", "email_verified": False})
    path.write_text('[people]\n"bob@example.org" = "viewer"\n')
    with pytest.raises(AccessError, match="nobody has given you a role"):
        login.actor_of(ANN)


@pytest.mark.parametrize(
    "text", ["[people", '[people]\n"a@b.c" = "root"\n', "people = 3\n", '[people]\n"a@b.c" = 3\n']
)
def test_a_damaged_file_of_roles_lets_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text)
    monkeypatch.setenv("NERVE_ROLES_FILE", str(path))
    with pytest.raises(AccessError, match="damaged, so nobody can be let in"):
        login.actor_of(ANN | {"roles": ["admin"]})
    path.unlink()
    with pytest.raises(AccessError, match="cannot be read"):
        login.actor_of(ANN | {"roles": ["admin"]})
