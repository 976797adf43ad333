"""The matrix of roles and actions, and its table in the docs."""

from __future__ import annotations

import pytest

from nerve_core.access.roles import ACTIONS, LOCAL, MEANS, AccessError, Actor, Role, allowed, require
from nerve_core.commands.access import table
from nerve_core.config import ROOT, Settings

V, C, R, A = Role.VIEWER, Role.CLINICIAN, Role.RESEARCHER, Role.ADMIN
EXPECTED = {
    "predict": {V, C, R, A},
    "read": {V, C, A},
    "save": {C, A},
    "review": {C, A},
    "comment": {C, A},
    "second reading": {C, A},
    "export": {C, A},
    "erase": {A},
    "statistics": {C, R, A},
    "export corrections": {R, A},
    "settings": {A},
    "verify": {A},
    "rotate key": {A},
    "back up": {A},
    "read audit": {A},
}


def test_every_action_is_expected_and_explained() -> None:
    assert set(ACTIONS) == set(EXPECTED) == set(MEANS)


@pytest.mark.parametrize("action", EXPECTED)
@pytest.mark.parametrize("role", Role)
def test_matrix(role: Role, action: str) -> None:
    actor = Actor("somebody@example.org", role)
    assert allowed(actor, action) is (role in EXPECTED[action])
    if role in EXPECTED[action]:
        require(actor, action)
        return
    with pytest.raises(AccessError, match=rf"^The role {role} may not do this \({action}\); ask an? .*\.$"):
        require(actor, action)


def test_whoever_sits_at_this_computer_may_do_everything() -> None:
    for action in ACTIONS:
        require(LOCAL, action)


def test_an_unknown_action_is_never_let_through() -> None:
    with pytest.raises(KeyError):
        require(LOCAL, "reed")


def test_the_docs_show_this_matrix() -> None:
    shown = (ROOT / "docs" / "access.md").read_text("utf-8")
    assert "\n".join(table(ACTIONS, MEANS, list(Role))) + "\n\n" in shown


def test_every_setting_of_the_access_stands_in_the_docs() -> None:
    shown = (ROOT / "docs" / "access.md").read_text("utf-8")
    names = [
        name
        for name in Settings.__dataclass_fields__
        if name.startswith(("oidc", "session", "accept", "roles"))
    ]
    assert len(names) == 10
    assert [name for name in names if f"NERVE_{name.upper()}" not in shown] == []
