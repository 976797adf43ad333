"""Packed scans on disk, mapped into memory: opening decodes nothing, and pages come when they are touched.

A folder holds

- ``images.u8``, ``masks.u8``, ``vessels.u8``: the pixels of all items one after the other, uint8, row by row,
  without headers; an item whose vessels nobody marked takes no place in the last one;
- ``index.json``: the shape of every item (H, W), whether it has vessels, its manifest row, and length and
  SHA-256 of each block; last in the file, the SHA-256 of the index itself.

The folder gets its name only when all of it has reached the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from nerve_core.data.alone import alone_with
from nerve_core.data.fetch import room_on_disk
from nerve_core.data.manifest import PATH_COLUMNS, Row
from nerve_core.errors import DataError
from nerve_core.files import sync_folder

FORMAT = 1
"""Version of the layout above."""
FOLDER, NUMBER = "packed", "packed_item"
"""Columns that say of a row from which packed set it comes, and as which of its items, from 0."""
BLOCKS = ("images", "masks", "vessels")
INDEX = "index.json"


class AlteredError(DataError):
    """A packed set that is not what was written."""


class Item(NamedTuple):
    """One scan.

    Attributes:
        row: of the manifest.
        image: grey uint8 (H, W).
        mask: uint8 (H, W), 1 inside nerves, else 0.
        vessels: uint8 (H, W), 1 inside arteries and veins, else 0; None where nobody marked them.
    """

    row: Row
    image: np.ndarray
    mask: np.ndarray
    vessels: np.ndarray | None


def write_shards(
    items: Iterable[Item],
    out: Path,
    more: Callable[[Path], None] | None = None,
    wait: bool = False,
) -> None:
    """Write items into a folder, one at a time in memory, all of them or nothing.

    Left-overs of a run that was killed are taken away first.

    Args:
        items: at least one.
        out: folder to make; refused when it holds anything.
        more: called with the folder, before it gets its name, to add further files.
        wait: for another process that is writing the same folder, and keep what it wrote.

    Raises:
        DataError: there is no item, ``out`` is not empty or being written by another process, or the disk
            is full; nothing is left behind then. Whatever ``items`` raises is passed on.
    """
    with room_on_disk(out.parent), alone_with(out, wait):
        if wait and (out / INDEX).is_file():
            return
        check_free(out)
        work = out.parent / f".{out.name}.packing"
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir()
            _write_index(work, _write_blocks(items, work))
            if more is not None:
                more(work)
            sync_folder(work)
            if out.exists():
                out.rmdir()
            work.rename(out)
            sync_folder(out.parent)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def check_free(out: Path) -> None:
    """Raise DataError unless a folder can be made there with nothing overwritten."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is not empty; choose another folder, nothing is overwritten.")


def packed_rows(folder: Path) -> list[Row]:
    """The manifest rows of a packed set, ready to train on; the paths in them may lead nowhere any more.

    Raises:
        AlteredError: the index was cut off or altered.
        DataError: it is no packed set, or one of another version.
    """
    index, home = _read_index(folder), folder.resolve()
    rows = [dict(zip(index["columns"], values, strict=True)) for values in index["rows"]]
    paths = [{key: str(home / row[key]) for key in PATH_COLUMNS if row.get(key)} for row in rows]
    return [row | paths[k] | {FOLDER: str(home), NUMBER: str(k)} for k, row in enumerate(rows)]


def read_shards(folder: Path) -> list[Item]:
    """The items of a folder, their arrays read-only views of the files.

    Every block is read through once for its checksum (about a second a gigabyte), in a few MB of memory.

    Raises:
        AlteredError: the folder was cut off or altered.
        DataError: it is no packed set, or one of another version.
    """
    index = _read_index(folder)
    whole = {name: _map(folder / f"{name}.u8", **index["blocks"][name]) for name in BLOCKS}
    place = dict.fromkeys(BLOCKS, 0)

    def view(name: str, height: int, width: int) -> np.ndarray:
        start, place[name] = place[name], place[name] + height * width
        return whole[name][start : place[name]].reshape(height, width)

    items = [
        Item(
            dict(zip(index["columns"], values, strict=True)),
            view("images", *shape),
            view("masks", *shape),
            view("vessels", *shape) if marked else None,
        )
        for shape, marked, values in zip(index["shapes"], index["vessels"], index["rows"], strict=True)
    ]
    if any(place[name] != len(whole[name]) for name in BLOCKS):
        raise _altered(folder, INDEX)
    return items


def _write_blocks(items: Iterable[Item], work: Path) -> dict[str, Any]:
    """Write the pixels; the index without its checksum."""
    shapes: list[tuple[int, int]] = []
    vessels: list[bool] = []
    rows: list[Row] = []
    sums = {name: hashlib.sha256() for name in BLOCKS}
    with ExitStack() as opened:
        files = {name: opened.enter_context((work / f"{name}.u8").open("wb")) for name in BLOCKS}
        for item in items:
            for name, part in zip(BLOCKS, (item.image, item.mask, item.vessels), strict=True):
                if part is not None:
                    if part.shape != item.image.shape or part.dtype != np.uint8:
                        raise ValueError(f"{name}: {part.dtype} {part.shape} is not uint8 {item.image.shape}")
                    data = np.ascontiguousarray(part).data
                    files[name].write(data)
                    sums[name].update(data)
            shapes.append(item.image.shape)
            vessels.append(item.vessels is not None)
            rows.append(item.row)
        for file in files.values():
            _to_the_end(file)
        blocks = {
            name: {"bytes": file.tell(), "sha256": sums[name].hexdigest()} for name, file in files.items()
        }
    if not shapes:
        raise DataError("There is no scan to pack; give at least one row with a mask.")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    values = [[row.get(column, "") for column in columns] for row in rows]
    return {
        "format": FORMAT, "blocks": blocks, "shapes": shapes, "vessels": vessels,
        "columns": columns, "rows": values,
    }  # fmt: skip


def _to_the_end(file: BinaryIO) -> None:
    """Wait until a file's content is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def _write_index(work: Path, index: dict[str, Any]) -> None:
    with (work / INDEX).open("wb") as file:
        file.write(json.dumps(index | {"sha256": _sum(index)}).encode())
        _to_the_end(file)


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / INDEX).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise DataError(f"{folder} is no packed set; make one with: data pack MANIFEST --out DIR") from None
    try:
        index = json.loads(text)
        checksum = index.pop("sha256")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _altered(folder, INDEX) from None
    if index.get("format") != FORMAT:
        raise DataError(f"{folder} was packed by another version; pack it again from its manifest.")
    if _sum(index) != checksum:
        raise _altered(folder, INDEX)
    return index


def _sum(index: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(index).encode()).hexdigest()


def _map(path: Path, bytes: int, sha256: str) -> np.ndarray:
    """A whole block, uint8 (N,), once its length and checksum are found to be right."""
    try:
        with path.open("rb") as file:
            sound = (
                os.fstat(file.fileno()).st_size == bytes
                and hashlib.file_digest(file, "sha256").hexdigest() == sha256
            )
    except OSError:
        sound = False
    if not sound:
        raise _altered(path.parent, path.name)
    if not bytes:
        return np.empty(0, np.uint8)  # an empty file cannot be mapped
    return np.asarray(np.memmap(path, np.uint8, "r"))


def _altered(folder: Path, name: str) -> AlteredError:
    return AlteredError(
        f"{name} in the packed set {folder} was cut off or altered; pack it again from its manifest."
    )
