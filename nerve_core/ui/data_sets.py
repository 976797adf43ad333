"""Choosing the set that the Data page shows: the samples, a set in the data folder, or any manifest."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from nerve_core.config import settings
from nerve_core.data.manifest import Row, is_simulated, read_manifest
from nerve_core.errors import DataError

OTHER = "Another manifest on this computer …"
SAMPLES = "Shipped samples (simulated)"
KEPT = 4
"""Manifests kept read a session."""

ABOUT = (
    "A manifest is a CSV file with one row a scan: `image` and `group` (the patient or the sweep, so that no "
    "one stands on two sides of a split) are needed; add `mask` (PNG, 0 and 255, the image's size), `label` "
    "(`affected` or `unaffected`), `nerve`, `site`, `device`, `spacing_mm` (mm per px), `licence` and "
    "`source` as far as you know them. Paths start from the folder that the manifest lies in."
)


@dataclass(frozen=True, eq=False)
class ScanSet:
    """A set of scans.

    Attributes:
        name: as the user chose it.
        rows: manifest rows, paths absolute.
        mark: changes when the set does; part of every widget's key, so that no choice outlives its set.
    """

    name: str
    rows: list[Row]
    mark: str = field(default="")

    @property
    def simulated(self) -> bool:
        """Whether every scan is a phantom of ours."""
        return all(simulated(row) for row in self.rows)

    @property
    def generated(self) -> bool:
        """Whether every scan was drawn by a network that learned from other scans."""
        return all(row.get("generated") == "1" for row in self.rows)


def simulated(row: Row) -> bool:
    """Whether a row is a phantom, not a scan of a person."""
    drawn = row.get("generated") == "1"
    return not drawn and (is_simulated(row) or row.get("source", "").startswith("simulated by nerve_core"))


def made(row: Row) -> bool:
    """Whether a row is no scan of a person as scanned: a phantom, a generated scan or a changed one."""
    source = row.get("source", "").lower()
    marks = (row.get(column, "") in ("1", "true", "yes") for column in ("generated", "synthetic"))
    return simulated(row) or any(marks) or source.startswith(("generated", "simulated"))


def found_sets() -> dict[str, Path]:
    """Manifests that can be chosen by name: the samples, and the sets in the folder they lie in."""
    samples = settings().samples
    found = {SAMPLES: samples} if (samples / "manifest.csv").is_file() else {}
    beside = sorted(samples.parent.glob("*/manifest.csv")) if samples.parent.is_dir() else []
    return found | {path.parent.name: path.parent for path in beside if path.parent != samples}


def local() -> bool:
    """Whether the user sits at this computer: only then may a path on it be typed.

    A server open to the network, or behind a proxy, would let a stranger look through its disk.
    """
    address = st.get_option("server.address") or ""
    try:
        bound = address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        bound = False
    try:
        forwarded = any(name.lower() in ("x-forwarded-for", "forwarded") for name in st.context.headers)
    except AttributeError:  # no browser, as in a test of the page
        forwarded = False
    return bound and not forwarded


def pick() -> ScanSet | None:
    """The set chosen by the user; None while nothing is chosen yet.

    Raises:
        DataError: the manifest cannot be used.
    """
    known = found_sets()
    choices = [*known, *([OTHER] if local() else [])]
    if not choices:
        st.info("There are no scans here yet. Write the samples with `python -m nerve_core samples`.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Set of scans", choices, key="data-set", persist_state="session", width="stretch"
        )
        with st.popover("Add scans of your own", icon=":material/add:"):
            st.markdown(ABOUT)
            st.markdown(
                f"Folders with a `manifest.csv` inside `{_short(settings().samples.parent)}` are listed here "
                f"by name. Scans put there stay on this computer. `python -m nerve_core data add` "
                f"makes one from folders, DICOM, COCO or LabelMe. Or choose “{OTHER}” and type where it is."
            )
    return _other("data") if chosen == OTHER else _read(chosen, known[chosen])


def pick_second(first: ScanSet) -> ScanSet | None:
    """Another set to hold against the first; None while none is chosen or there is none.

    Raises:
        DataError: the manifest cannot be used.
    """
    known = {name: path for name, path in found_sets().items() if name != first.name}
    choices = [*known, *([OTHER] if local() else [])]
    if not choices:
        return None
    chosen = st.selectbox(
        f"Compare “{first.name}” with", choices, index=None, key="second-set", placeholder="Choose a set"
    )
    if chosen is None:
        return None
    return _other("second") if chosen == OTHER else _read(chosen, known[chosen])


def _short(folder: Path) -> str:
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return folder.name


def _other(name: str) -> ScanSet | None:
    """A set anywhere on this computer; ``name`` begins the widgets' keys."""
    typed = st.text_input(
        "Manifest: a CSV file, or a folder with manifest.csv or with affected/ and unaffected/ in it",
        key=f"{name}-path",
        persist_state="session",
        placeholder="folder/manifest.csv",
    )
    with st.expander("Or upload the CSV file", icon=":material/upload_file:"):
        upload = st.file_uploader("Manifest, CSV in UTF-8", type="csv", key=f"{name}-csv", max_upload_size=50)
        folder = st.text_input(
            "Folder from which its paths start",
            key=f"{name}-folder",
            persist_state="session",
            help="The scans are read from this computer; only the list is uploaded.",
        )
    if upload is not None:
        if not folder.strip():
            st.info("Type the folder from which the paths in the CSV file start.")
            return None
        return _uploaded(upload.name, upload.getvalue(), _path(folder))
    if not typed.strip():
        st.caption(ABOUT)
        return None
    path = _path(typed)
    return _read(path.parent.name if path.name == "manifest.csv" else path.name, path)


def _path(typed: str) -> Path:
    text = typed.strip().strip("\"'")
    if "\0" in text:
        raise DataError("The path holds a character that no path has; type it again.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise DataError("There is no such home folder; type the whole path.") from None


def _read(name: str, path: Path) -> ScanSet:
    """The set at a path, read again only when its manifest changed."""
    try:
        file = path / "manifest.csv" if path.is_dir() else path
        mark = _mark(str(file), str(file.stat().st_mtime_ns) if file.is_file() else "")
        kept: dict[str, ScanSet] = st.session_state.setdefault("data-sets", {})
        # A folder affected/ unaffected/ has no time of change of its own that could be trusted.
        if mark not in kept or not file.is_file():
            with st.spinner("Reading the manifest …", show_time=True):
                kept[mark] = ScanSet(name, read_manifest(path), mark)
    except OSError:
        raise DataError("The manifest cannot be opened; check the path and that it may be read.") from None
    while len(kept) > KEPT:
        del kept[next(mark_ for mark_ in kept if mark_ != mark)]
    return kept[mark]


def _uploaded(name: str, content: bytes, folder: Path) -> ScanSet:
    """A manifest whose bytes came from the browser, its paths taken from ``folder``."""
    if not folder.is_dir():
        raise DataError("The folder from which the paths start does not exist; type it again.")
    with tempfile.TemporaryDirectory() as made:
        place = Path(made).resolve()
        (place / "manifest.csv").write_bytes(content)
        rows = read_manifest(place / "manifest.csv")
    base = folder.resolve()
    for row in rows:
        for column in ("image", "mask"):
            path = Path(row[column]) if row[column] else None
            if path is not None and path.is_relative_to(place):
                row[column] = str(base / path.relative_to(place))
        if row.get("set") == place.name:
            row["set"] = base.name
    return ScanSet(name, rows, _mark(str(base), hashlib.sha256(content).hexdigest()))


def _mark(*parts: str) -> str:
    return hashlib.sha256(os.sep.join(parts).encode()).hexdigest()[:12]


def values(rows: Sequence[Row], column: str) -> list[str]:
    """The different values of a column, the most frequent first, the empty one last."""
    counts = Counter(row.get(column, "") for row in rows)
    return sorted(counts, key=lambda value: (not value, -counts[value], value))
