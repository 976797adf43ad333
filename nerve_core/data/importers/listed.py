"""A set that already has a manifest: its rows are taken over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nerve_core.data.importers.layout import Item, Layout
from nerve_core.data.manifest import PATH_COLUMNS, read_manifest
from nerve_core.errors import DataError


def matches(folder: Path) -> bool:
    """Whether there is a manifest."""
    return (folder / "manifest.csv").is_file()


def items(folder: Path, layout: Layout) -> Iterator[Item]:
    """The rows with all their columns.

    Raises:
        DataError: the manifest is wrong, or lists a file that is not in the folder.
    """
    root = folder.resolve()
    taken = {"image", "mask", "label", "group", "set"}
    for row in read_manifest(folder):
        image, mask, vessels = (Path(row[key]) if row.get(key) else None for key in PATH_COLUMNS)
        for path in filter(None, (image, mask, vessels)):
            if not path.resolve().is_relative_to(root) or not path.is_file():
                raise DataError(
                    f"The manifest lists {path.name}, which is not in the set; add it or its row out."
                )
        name = image.relative_to(root).as_posix()
        more = {key: value for key, value in row.items() if key not in taken and not key.startswith("mask")}
        yield Item(image, name, layout.group_of(name, row["group"]), mask, row["label"], more, vessels)
