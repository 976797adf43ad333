"""Whether one must sign in, with whom, and who somebody who did is."""

from __future__ import annotations

import functools
import ipaddress
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nerve_core.access.roles import AccessError, Actor, Role
from nerve_core.config import settings


class Mode(Enum):
    """How the dashboard is kept.

    ``LOCAL``: no login, this computer alone. ``LOGIN``: everybody signs in. ``OPEN``: no login, other
    computers too, because the setting ``NERVE_ACCEPT_NO_LOGIN`` accepts the risk.
    """

    LOCAL = "local"
    LOGIN = "login"
    OPEN = "open"


RANK = (Role.ADMIN, Role.CLINICIAN, Role.RESEARCHER, Role.VIEWER)
"""Which role somebody has whose claims name several: the first of these."""

REFUSED = (
    "The dashboard is without a login and so serves this computer only: start it with --server.address "
    "127.0.0.1, set up a login (NERVE_OIDC_URL, see docs/access.md), or accept with NERVE_ACCEPT_NO_LOGIN=1 "
    "that everybody who reaches this port may do everything."
)
NO_ROLE = (
    "You are signed in as {name}, but nobody has given you a role here yet; ask whoever looks after this "
    "dashboard to do so, then sign in again."
)


@dataclass(frozen=True)
class Provider:
    """Who signs people in, by OpenID Connect; the names are those of Streamlit's ``[auth]`` section."""

    server_metadata_url: str
    client_id: str
    client_secret: str
    redirect_uri: str
    cookie_secret: str


def mode() -> Mode:
    """How the dashboard is kept now.

    Raises:
        AccessError: a login is set up by half, or in a way that would send it in the clear.
    """
    if provider() is not None:
        return Mode.LOGIN
    return Mode.OPEN if settings().accept_no_login else Mode.LOCAL


def provider() -> Provider | None:
    """The provider, from ``NERVE_OIDC_*`` or from ``[auth]`` in Streamlit's secrets; None where neither is.

    Raises:
        AccessError: something is missing, or the login would travel in the clear.
    """
    chosen = settings()
    named = {
        "server_metadata_url": chosen.oidc_url,
        "client_id": chosen.oidc_client_id,
        "client_secret": chosen.oidc_client_secret,
        "redirect_uri": chosen.oidc_redirect_uri,
        "cookie_secret": chosen.oidc_cookie_secret or _random_secret(),
    }
    set_here = (chosen.oidc_url, chosen.oidc_client_id, chosen.oidc_client_secret, chosen.oidc_redirect_uri)
    if not any(set_here):
        section = _section()
        if not section:
            return None
        named |= {name: str(section.get(name, "")) for name in named}
    missing = [name for name, value in named.items() if not value]
    if missing:
        raise AccessError(
            f"The login is set up by half, {', '.join(missing)} is missing; see docs/access.md."
        )
    found = Provider(**named)
    for url in (found.redirect_uri, found.server_metadata_url):
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_here(parts.hostname or "")):
            raise AccessError(
                f"The login would travel in the clear: {url} must begin with https:// (docs/access.md)."
            )
    if not urlsplit(found.redirect_uri).path.endswith("/oauth2callback"):
        raise AccessError("The redirect URI of the login must end with /oauth2callback.")
    if len(found.cookie_secret) < 32:
        raise AccessError(
            "The login's cookie secret is too short to be safe; make one with "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'."
        )
    return found


def secrets_for_streamlit() -> dict[str, Any]:
    """What ``st.App(secrets=...)`` is given: the provider of the settings, or nothing."""
    found = provider() if settings().oidc_url else None
    if found is None:
        return {}
    # At a shared computer the provider must ask who is there, not let the one before in again.
    return {"auth": {**vars(found), "client_kwargs": {"scope": "openid email profile", "prompt": "login"}}}


@functools.cache
def _random_secret() -> str:
    return secrets.token_urlsafe(48)


def _section() -> Mapping[str, Any]:
    """``[auth]`` of Streamlit's secrets, its own way to set a login up."""
    import streamlit as st

    if not st.secrets.load_if_toml_exists():
        return {}
    return st.secrets.get("auth", {})


def is_here(host: str) -> bool:
    """Whether a host's name or address is this computer's own."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def check_address(address: str | None) -> None:
    """Refuse to serve others without a login.

    Args:
        address: what the server is told to listen on; None and empty mean every interface.

    Raises:
        AccessError: others could reach it, nobody would sign in, and the risk was not accepted.
    """
    if mode() is not Mode.LOCAL:
        return
    if not address or not (address.startswith("unix://") or is_here(address)):
        raise AccessError(REFUSED)


def name_of(claims: Mapping[str, Any]) -> str:
    """How somebody is called: their e-mail unless the provider says it is unproven, else their subject."""
    email = str(claims.get("email") or "").strip()
    proven = str(claims.get("email_verified", True)).lower() != "false"
    return (email.lower() if email and proven else str(claims.get("sub") or "nobody"))[:254]


def actor_of(claims: Mapping[str, Any]) -> Actor:
    """Who somebody is by the claims of their ID token.

    A role given to the e-mail or subject in ``NERVE_ROLES_FILE`` holds; else the claim
    ``NERVE_OIDC_ROLE_CLAIM`` decides, by the file's table of claims or by naming a role outright.

    Raises:
        AccessError: they have no role.
    """
    people, values = _given(settings().roles_file)
    name = name_of(claims)
    role = people.get(name.lower()) or people.get(str(claims.get("sub", "")).lower())
    if role is None:
        named = [values.get(value) or _role(value) for value in _claimed(claims, settings().oidc_role_claim)]
        role = next((each for each in RANK if each in named), None)
    if role is None:
        raise AccessError(NO_ROLE.format(name=name))
    return Actor(name, role)


def _claimed(claims: Mapping[str, Any], path: str) -> list[str]:
    """Values of a claim, found as it stands or by its dotted path."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _role(text: str) -> Role | None:
    return Role(text) if text in set(Role) else None


def _given(path: Path | None) -> tuple[dict[str, Role], dict[str, Role]]:
    """Roles by e-mail or subject, and by value of the claim; read anew when the file changes."""
    if path is None:
        return {}, {}
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except OSError as fault:
        raise AccessError(
            f"The file of roles cannot be read ({fault.strerror}), so nobody can be let in."
        ) from fault


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> tuple[dict[str, Role], dict[str, Role]]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        people = {name.lower(): Role(role) for name, role in tables.get("people", {}).items()}
        return people, {value: Role(role) for value, role in tables.get("claims", {}).items()}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError, AttributeError) as fault:
        raise AccessError(
            "The file of roles is damaged, so nobody can be let in; it has tables [people] and [claims] "
            f'with lines such as "ann@example.org" = "clinician", and the roles are {", ".join(Role)}.'
        ) from fault
