"""Every method of the records asks for its permission, does nothing without it, and logs either way."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nerve_core.access import audit
from nerve_core.access.roles import ACTIONS, LOCAL, AccessError, Actor, Role
from nerve_core.inference.review import Reading
from nerve_core.records.archive import Archive
from nerve_core.records.errors import NotFound, RecordsError
from nerve_core.records.items import Saved
from nerve_core.records.records import About, Records
from tests.records import made
from tests.records.conftest import save

Call = Callable[[Records, Saved, Path], Any]

CALLS: dict[str, tuple[str, Call]] = {
    "save": ("save", lambda r, one, _: save(r, "P-2", 2)),
    "worklist": ("read", lambda r, one, _: r.worklist()),
    "search": ("read", lambda r, one, _: r.search()),
    "choices": ("read", lambda r, one, _: r.choices()),
    "scan": ("read", lambda r, one, _: r.scan(one.scan)),
    "identify": ("read", lambda r, one, _: r.identify("P-1")),
    "patient": ("read", lambda r, one, _: r.patient(one.patient)),
    "content": ("read", lambda r, one, _: r.content(one.scan)),
    "picture": ("read", lambda r, one, _: r.picture(one.scan)),
    "courses": ("read", lambda r, one, _: r.courses(one.patient)),
    "compare": ("read", lambda r, one, _: r.compare(one.patient, one.visit, "x")),
    "requests": ("read", lambda r, one, _: r.requests()),
    "alerts": ("read", lambda r, one, _: r.alerts()),
    "describe": ("save", lambda r, one, _: r.describe(one.scan, About(side="right"))),
    "review": ("review", lambda r, one, _: r.review(one.scan, Reading(True, "affected"))),
    "comment": ("comment", lambda r, one, _: r.comment(one.patient, "hello")),
    "ask": ("second reading", lambda r, one, _: r.ask(one.scan, f"colleague of {r.actor.name}")),
    "set_alerts": ("settings", lambda r, one, _: r.set_alerts([])),
    "erase": ("erase", lambda r, one, _: r.erase(one.patient)),
    "export": ("export", lambda r, one, folder: r.export(one.patient, folder / "copy.zip")),
    "hand_over": ("export", lambda r, one, _: r.hand_over(one.scan, "table")),
    "corrections": ("export corrections", lambda r, one, folder: r.corrections(folder / "set")),
    "agreement": ("statistics", lambda r, one, _: r.agreement()),
    "model_agreement": ("statistics", lambda r, one, _: r.model_agreement()),
    "stats": ("statistics", lambda r, one, _: r.stats()),
    "verify": ("verify", lambda r, one, _: r.verify()),
    "rotate_key": ("rotate key", lambda r, one, _: r.rotate_key()),
    "back_up": ("back up", lambda r, one, folder: r.back_up(folder / "copy")),
    "migrate": ("back up", lambda r, one, _: r.migrate()),
}
"""The action each method is, and a call of it."""


def test_no_method_is_forgotten() -> None:
    public = {name for name, _ in inspect.getmembers(Records, inspect.isfunction) if name[0] != "_"}
    assert public == set(CALLS)
    assert {action for action, _ in CALLS.values()} <= set(ACTIONS)


@pytest.mark.parametrize("name", CALLS)
def test_each_role_may_do_what_the_table_says(name: str, plain: Archive, tmp_path: Path) -> None:
    action, call = CALLS[name]
    archive = Archive(plain.folder, key_file=tmp_path / "keys")
    (tmp_path / "keys").write_text("k1 " + "A" * 43 + "=\n")
    (tmp_path / "keys").chmod(0o600)
    saved = save(Records(LOCAL, archive))
    Records(LOCAL, archive).review(saved.scan, Reading(True, "affected", contours=(made.circle(12),)))
    for role in sorted(Role, key=lambda role: role in ACTIONS[action]):  # those refused first
        actor = Actor(f"{role}@clinic.example", role)
        folder = tmp_path / role
        folder.mkdir()
        before = state(archive)
        if role in ACTIONS[action]:
            try:
                call(Records(actor, archive), saved, folder)
            except NotFound:
                assert name == "compare"  # there is but one visit; the patient was read for it
            outcomes = {"done"}
        else:
            with pytest.raises(AccessError, match=role):
                call(Records(actor, archive), saved, folder)
            assert state(archive) == before and not list(folder.iterdir())
            outcomes = {"refused"}
        with archive.reading() as session:
            (last,) = list(audit.entries(session, last=1))
            assert (last.actor, last.action) == (actor.name, action) and last.outcome in outcomes
            assert audit.verify(session) == []


def state(archive: Archive) -> dict[str, list[Any]]:
    """Every row but those of the log."""
    from sqlalchemy import text

    from nerve_core.records.tables import METADATA

    with archive.reading() as session:
        return {
            table: [tuple(row) for row in session.execute(text(f"SELECT * FROM {table}"))]
            for table in METADATA.tables
            if not table.startswith("audit")
        }


def test_the_log_holds_identifiers_and_no_pseudonym(records: Records) -> None:
    saved = save(records, "Zebra")
    records.search("Zebra")
    records.patient(saved.patient)
    records.identify("Zebra")
    for guess in ("Zebra", "../../etc/passwd", "x" * 300):
        with pytest.raises(NotFound):
            records.scan(guess)
    with pytest.raises(RecordsError):
        records.comment(saved.patient, "  ")
    with records.archive.reading() as session:
        found = list(audit.entries(session))
    assert "Zebra" not in str(found) and "passwd" not in str(found)
    assert [(one.action, one.subject, one.outcome) for one in found] == [
        ("save", saved.scan, "done"),
        ("read", "", "done"),
        ("read", saved.patient, "done"),
        ("read", saved.patient, "done"),
        *[("read", "", "failed")] * 3,
        ("comment", saved.patient, "failed"),
    ]


def test_what_failed_is_logged_and_undone(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save(records)

    def broken(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("nerve_core.records.saving.refresh", broken)
        with pytest.raises(RecordsError, match="full"):
            records.review(saved.scan, Reading(True, "affected"))
    assert records.scan(saved.scan).reviews == ()
    with records.archive.reading() as session:
        assert [one.outcome for one in audit.entries(session) if one.action == "review"] == ["failed"]


def test_without_the_log_nothing_is_read(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save(records)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit, "append", broken)
    with pytest.raises(RecordsError):
        records.scan(saved.scan)
    with pytest.raises(RecordsError):
        save(records, "P-2", 2)
    monkeypatch.undo()
    assert records.search().total == 1
