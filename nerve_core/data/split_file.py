"""A manifest with its split written into it, and how many scans fall on each side."""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nerve_core.data.fetch import room_on_disk
from nerve_core.data.manifest import Row
from nerve_core.errors import DataError

SIDES = ("train", "val", "test")


def counts(rows: Sequence[Row], sides: Sequence[str]) -> Iterator[str]:
    """A line for each set and side: images and groups."""
    images = Counter((row.get("set", ""), side) for row, side in zip(rows, sides, strict=True))
    groups = Counter(
        (name, side)
        for name, _, side in {
            (row.get("set", ""), row["group"], side) for row, side in zip(rows, sides, strict=True)
        }
    )
    for name in dict.fromkeys(row.get("set", "") for row in rows):
        for side in SIDES:
            yield f"{name} {side}: {images[name, side]:,} images, {groups[name, side]:,} groups"


def write_split(manifest: Path, rows: Sequence[Row], sides: Sequence[str], out: Path) -> None:
    """Write a copy of a manifest with the columns ``set`` and ``split``.

    Paths below the folder of ``out`` stay relative; others are written whole, so the copy works anywhere.

    Args:
        manifest: the file or folder the rows were read from.
        rows: as ``read_manifest`` gives them.
        sides: of each row.
        out: the file to write; refused when it is there.

    Raises:
        DataError: the file is there, its folder is not, or the disk is full.
    """
    if out.exists():
        raise DataError(f"{out} is already there; choose another name, or take it away first.")
    if not out.parent.is_dir():
        raise DataError(f"There is no folder {out.parent}; make it first.")
    source = (manifest if manifest.is_dir() else manifest.parent).resolve()
    place = out.resolve().parent
    columns = list(dict.fromkeys([*rows[0], "split"]))
    handle, partial = tempfile.mkstemp(prefix=f".{out.name}.", dir=place)
    try:
        with room_on_disk(place), os.fdopen(handle, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns, extrasaction="ignore")
            table.writeheader()
            for row, side in zip(rows, sides, strict=True):
                paths = {
                    key: _path(source / value, place)
                    for key, value in row.items()
                    if value and (key == "image" or key.startswith("mask"))
                }
                table.writerow(row | paths | {"split": side})
        os.chmod(partial, 0o644)
        os.replace(partial, out)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _path(path: Path, place: Path) -> str:
    return path.relative_to(place).as_posix() if path.is_relative_to(place) else str(path)
