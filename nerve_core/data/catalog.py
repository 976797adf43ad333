"""The public nerve sets that are known: what they are, on which terms, and how their files are laid out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from nerve_core.config import ROOT
from nerve_core.data.importers.layout import Layout
from nerve_core.errors import DataError

CATALOG = ROOT / "data" / "catalog.json"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""Names a set may have: they become folder names."""


@dataclass(frozen=True)
class Entry:
    """One set of the catalogue.

    Attributes:
        name: short name, as used with ``data add``.
        title, what: a line for a list, and what the scans show.
        images: how many there are; None when not known.
        groups: how patients are told apart, in words.
        nerve, site, device, label: the same for every image, or empty.
        licence: the terms in the set's own words.
        licence_id: what goes into the manifest's ``licence`` column.
        free: whether the terms let anyone use it; then it may be downloaded without asking.
        source: address of its page.
        citation: how to cite it.
        download: address of an archive; None where the user must fetch it.
        sha256: checksum of that archive in hexadecimal; None when not known.
        by_hand: what the user has to do where there is no download.
        layout: how to read the unpacked files.
        notes: what one should know before using it.
    """

    name: str
    title: str
    what: str
    images: int | None
    groups: str
    nerve: str
    site: str
    device: str
    label: str
    licence: str
    licence_id: str
    free: bool
    source: str
    citation: str
    download: str | None
    sha256: str | None
    by_hand: str
    layout: Layout
    notes: str = ""


def catalogue(path: Path = CATALOG) -> dict[str, Entry]:
    """The sets by name, in the order of the file.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["sets"]
        entries = [_entry(item) for item in listed]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DataError(f"The catalogue {path.name} cannot be read ({fault}); restore the file.") from None
    return {entry.name: entry for entry in entries}


def _entry(item: Mapping[str, object]) -> Entry:
    known = {field.name for field in fields(Entry)}
    if unknown := set(item) - known:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
    if not NAME.fullmatch(str(item["name"])):
        raise ValueError(f"{item['name']!r} is no name")
    return Entry(**{**item, "layout": Layout.from_json(item["layout"])})
