"""From what the user asks for to what is done: the catalogue's entry, or a set of the user's own."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from nerve_core.config import ROOT
from nerve_core.data.catalog import NAME, Entry, catalogue
from nerve_core.data.fetch import is_url
from nerve_core.data.importers.layout import Layout
from nerve_core.data.importers.write import Plan
from nerve_core.data.manifest import LABELS, is_open
from nerve_core.errors import DataError

FACTS = ("label", "nerve", "site", "device", "licence")


def plan_for(wanted: argparse.Namespace) -> tuple[Plan, str]:
    """What to add, and the terms to say before it starts.

    Args:
        wanted: ``name, source, layout, group, nerve_label, nerve_value`` and the facts, as the command has
            them; what is empty is taken from the catalogue.

    Raises:
        DataError: the name cannot be one, nothing says where the set is, or a label is unknown.
    """
    if not NAME.fullmatch(wanted.name):
        raise DataError(f"{wanted.name!r} cannot name a set; use small letters, digits, - and _, up to 40.")
    if wanted.label and wanted.label not in LABELS:
        raise DataError(f"The label {wanted.label!r} is neither affected nor unaffected.")
    entry = catalogue().get(wanted.name)
    source = wanted.source or (entry.download if entry else None)
    if not source:
        if entry:
            raise DataError(
                f"{entry.title} cannot be downloaded from here. {entry.by_hand} See {entry.source}"
            )
        raise DataError(f"{wanted.name} is not in the catalogue; say where it is with --from PATH or URL.")
    given = {key: getattr(wanted, key) for key in FACTS}
    facts = {"source": entry.source if entry else _said(source), **(_known(entry) if entry else {})}
    facts |= {key: value for key, value in given.items() if value}
    layout = entry.layout if entry else Layout()
    if wanted.layout:
        layout = Layout(kind=wanted.layout)
    changed = {
        "group": wanted.group,
        "nerve_labels": tuple(wanted.nerve_label),
        "nerve_value": wanted.nerve_value,
    }
    layout = replace(layout, **{key: value for key, value in changed.items() if value not in ("", (), None)})
    checked = entry.sha256 if entry and source == entry.download else None
    plan = Plan(wanted.name, source, layout, checked, {key: value for key, value in facts.items() if value})
    return plan, _terms(entry, facts)


def folder_for(plan: Plan) -> Path:
    """Where a set goes unless told otherwise: a folder that git ignores."""
    return ROOT / "data" / plan.name


def _known(entry: Entry) -> dict[str, str]:
    known = {key: getattr(entry, key) for key in ("label", "nerve", "site", "device")}
    return known | {"licence": entry.licence_id}


def _said(source: str) -> str:
    """An address as it is; of a path only that it was the user's own."""
    return source if is_url(source) else "added by the user"


def _terms(entry: Entry | None, facts: dict[str, str]) -> str:
    if entry:
        said = f"{entry.title}\nLicence: {entry.licence}\nCite: {entry.citation}\n{entry.notes}".rstrip()
    else:
        said = f"Licence: {facts.get('licence') or 'not stated (say it with --licence)'}"
    if not is_open({"licence": facts.get("licence", "")}):
        said += "\nWeights trained on this set are for research only."
    return said
