"""Bearer tokens: made, taken, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from nerve_core.access import tokens
from nerve_core.access.roles import AccessError, Actor, Role
from nerve_core.cli import main
from nerve_core.records.archive import Archive
from nerve_core.records.base import now


def made(archive: Archive, name: str = "gateway-1", role: Role = Role.VIEWER, days: int = 90) -> str:
    with archive.writing() as session:
        return tokens.make(session, name, role, days)


def who(archive: Archive, token: str) -> Actor:
    with archive.reading() as session:
        return tokens.actor_of(session, token)


def test_a_token_says_who_calls_and_is_kept_nowhere(archive: Archive) -> None:
    token = made(archive)
    assert who(archive, token) == Actor("token gateway-1", Role.VIEWER)
    with archive.reading() as session:
        assert token not in str(session.execute(text("SELECT * FROM token")).all())
    assert made(archive, "gateway-2") != token


@pytest.mark.parametrize("wrong", ["", "x", "nerve_", "nerve_" + "A" * 43, "é" * 49, "' OR 1=1 --"])
def test_no_other_token_is_taken(archive: Archive, wrong: str) -> None:
    token = made(archive)
    for text_ in (
        wrong,
        token[:-1],
        token + "A",
        token.upper(),
        token[:-1] + ("A" if token[-1] != "A" else "B"),
    ):
        with pytest.raises(AccessError, match="not known, or its time is over"):
            who(archive, text_)


def test_a_token_ends(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    token = made(archive, days=1)
    later = now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(tokens, "now", lambda: later)
    with pytest.raises(AccessError):
        who(archive, token)


def test_a_revoked_token_works_no_more_and_its_name_is_not_given_again(archive: Archive) -> None:
    token = made(archive)
    with archive.writing() as session:
        tokens.revoke(session, "gateway-1")
    with pytest.raises(AccessError):
        who(archive, token)
    with pytest.raises(AccessError, match="already"):
        made(archive)
    with pytest.raises(AccessError, match="no token named"), archive.writing() as session:
        tokens.revoke(session, "gateway-1")


@pytest.mark.parametrize(("name", "days"), [("", 1), ("Jane Doe", 1), ("a" * 64, 1), ("a", 0), ("a", 367)])
def test_what_cannot_be_used_is_refused(archive: Archive, name: str, days: int) -> None:
    with pytest.raises(AccessError):
        made(archive, name, days=days)


def test_commands(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "list"]) == 0
    assert not archive.exists
    assert main(["access", "make", "gateway-1", "--role", "clinician", "--days", "7"]) == 0
    token = capsys.readouterr().out.splitlines()[-1]
    assert who(archive, token).role is Role.CLINICIAN
    assert main(["access", "make", "gateway-2", "--role", "root"]) == 1
    assert "There is no role root" in capsys.readouterr().err
    assert main(["access", "revoke", "gateway-1"]) == 0
    assert main(["access", "list"]) == 0
    assert "gateway-1  clinician  made" in (shown := capsys.readouterr().out) and "revoked" in shown
    assert main(["audit", "show", "--actor", "local"]) == 0
    shown = capsys.readouterr().out
    assert "make token" in shown and "revoke token" in shown and token not in shown
    assert main(["audit", "verify"]) == 0
    head = capsys.readouterr().out.split("Head: ")[1].strip()
    assert main(["audit", "verify", "--expect", head]) == 0
    assert main(["audit", "verify", "--expect", head[:-1] + ("0" if head[-1] != "0" else "1")]) == 1


def test_a_log_that_is_broken_fails_the_command(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 0
    assert main(["audit", "verify", "--expect", "3:abc"]) == 1
    assert main(["access", "make", "gateway-1", "--role", "viewer"]) == 0
    with archive.writing() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("UPDATE audit SET actor = 'bob' WHERE number = 1"))
    capsys.readouterr()
    assert main(["audit", "verify", "--json"]) == 1
    assert '"whole": false' in capsys.readouterr().out
