"""Read sets of scans as others keep them; one layout a module, each with ``matches`` and ``items``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from nerve_core.data.importers.layout import Item, Layout
from nerve_core.errors import DataError

KINDS = {
    "manifest": "listed",
    "folders": "folders",
    "coco": "coco",
    "labelme": "labelme",
    "pairs": "pairs",
    "dicom": "dicom",
    "images": "images",
}
"""Layouts and their modules, in the order in which they are looked for."""


def kind_of(folder: Path) -> str:
    """The layout of a folder.

    Raises:
        DataError: it is none that is known.
    """
    for kind, module in KINDS.items():
        if importlib.import_module(f"{__name__}.{module}").matches(folder):
            return kind
    raise DataError(
        f"{folder.name} holds no scans in a layout that is known; give affected/ and unaffected/ folders, "
        "images/ and masks/, DICOM files, COCO or LabelMe JSON, or a manifest.csv."
    )


def read_items(folder: Path, layout: Layout) -> Iterator[Item]:
    """The scans of a folder, by its layout or the one that is found; errors as in the layout's module."""
    kind = layout.kind or kind_of(folder)
    if kind not in KINDS:
        raise DataError(f"There is no layout {kind!r}; use {', '.join(KINDS)}.")
    return importlib.import_module(f"{__name__}.{KINDS[kind]}").items(folder, layout)
