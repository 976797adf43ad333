"""Scans alone, without contours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nerve_core.data.importers.layout import Item, Layout, pictures
from nerve_core.errors import DataError


def matches(folder: Path) -> bool:
    """Whether there is any picture."""
    return any(True for _ in pictures(folder))


def items(folder: Path, layout: Layout) -> Iterator[Item]:
    """Every picture, a group of its own unless the layout tells groups."""
    for images, _ in layout.folders or (("", ""),):
        if not (folder / images).is_dir():
            raise DataError(f"There is no folder {images!r} in the set; check that it was unpacked whole.")
        for path, inner in pictures(folder / images):
            name = f"{images}/{inner}".lstrip("/")
            yield Item(path, name, layout.group_of(name, name.rpartition(".")[0]))
