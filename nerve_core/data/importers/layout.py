"""How the files of a set are laid out, and what an importer makes of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nerve_core.data.manifest import IMAGE_SUFFIXES
from nerve_core.errors import DataError


@dataclass(frozen=True)
class Layout:
    """What must be known to read a folder of scans.

    Attributes:
        kind: ``folders``, ``dicom``, ``coco``, ``labelme``, ``pairs``, ``images`` or ``manifest``;
            empty to find out.
        folders: (images, masks) pairs below the set's folder, for ``pairs`` and ``images``; empty
            to find out.
        group: regular expression searched in a file's path below the set's folder; its first bracket names
            the patient or sweep. Empty: every image is a group of its own, unless the layout itself tells.
        nerve_labels: the labels of polygons that are nerves; empty to find out.
        nerve_value: the grey level (or palette index) that is nerve in a mask of several classes.
        skip_empty: leave out images whose mask is empty.
    """

    kind: str = ""
    folders: tuple[tuple[str, str], ...] = ()
    group: str = ""
    nerve_labels: tuple[str, ...] = ()
    nerve_value: int | None = None
    skip_empty: bool = False

    def __post_init__(self) -> None:
        try:
            bracketed = not self.group or re.compile(self.group).groups
        except re.error as fault:
            raise DataError(f"The group pattern {self.group!r} is no regular expression: {fault}.") from None
        if not bracketed:
            raise DataError(f"The group pattern {self.group!r} needs brackets round the patient or sweep.")

    @classmethod
    def from_json(cls, item: Mapping[str, object]) -> Layout:
        """From the ``layout`` of a catalogue entry; TypeError for an unknown key."""
        found = dict(item)
        found["folders"] = tuple((images, masks) for images, masks in found.get("folders", ()))
        found["nerve_labels"] = tuple(found.get("nerve_labels", ()))
        return cls(**found)

    def group_of(self, path: str, otherwise: str) -> str:
        """Group of a file by its path below the set's folder (with ``/``), or ``otherwise``."""
        found = re.search(self.group, path) if self.group else None
        return next((part for part in found.groups() if part), otherwise) if found else otherwise


@dataclass(frozen=True, eq=False)
class Item:
    """One scan of a set, before it is copied.

    Attributes:
        image: its file.
        name: its path below the set's folder, with ``/``.
        mask: file of the mask, a boolean array (H, W), or None where no contour was drawn.
        label: ``affected``, ``unaffected`` or empty.
        group: patient or sweep.
        more: further columns of the manifest.
        vessels: file of the mask of arteries and veins, where there is one.
    """

    image: Path
    name: str
    group: str
    mask: Path | np.ndarray | None = None
    label: str = ""
    more: Mapping[str, str] | None = None
    vessels: Path | None = None


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every plain file below a folder and its path there with ``/``, sorted; links are not followed."""
    for place, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            path = Path(place) / name
            if not name.startswith(".") and not path.is_symlink():
                yield path, path.relative_to(folder).as_posix()


def pictures(folder: Path) -> Iterator[tuple[Path, str]]:
    """Those of the ``files`` that may be scans, by their ending."""
    return (found for found in files(folder) if found[0].suffix.lower() in IMAGE_SUFFIXES)


def size_of(path: Path) -> tuple[int, int]:
    """(height, width) px of a scan, from its header where that says it.

    Raises:
        ScanError: the file cannot be read.
    """
    from PIL import Image

    from nerve_core.imaging.read import read_scan

    try:
        with Image.open(path) as picture:
            if picture.getexif().get(0x0112, 1) == 1:
                return picture.height, picture.width
    except (OSError, ValueError):
        pass  # a DICOM file, or damaged: the reader says which
    return read_scan(path).pixels.shape


def json_files(folder: Path) -> Iterator[tuple[Path, object]]:
    """Every readable JSON file of a set, with what it holds; other files of that ending are passed over."""
    for path, _ in files(folder):
        if path.suffix.lower() == ".json":
            try:
                yield path, json.loads(path.read_bytes())
            except ValueError:
                continue
