"""Folders named for their label: ``affected/`` and ``unaffected/``, with ``NAME_mask.png`` beside a scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nerve_core.data.importers.layout import Item, Layout, pictures
from nerve_core.data.importers.pairs import beside, is_mask
from nerve_core.data.manifest import LABELS


def matches(folder: Path) -> bool:
    """Whether one of the two folders is there."""
    return any((folder / label).is_dir() for label in LABELS)


def items(folder: Path, layout: Layout) -> Iterator[Item]:
    """The scans of both folders; a folder within them is one patient or sweep."""
    for label in LABELS:
        for path, name in pictures(folder / label):
            if is_mask(path):
                continue
            inner = name.rpartition("/")[0]
            name = f"{label}/{name}"
            group = layout.group_of(name, inner or name.rpartition(".")[0])
            yield Item(path, name, group, beside(path), label)
