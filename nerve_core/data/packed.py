"""Images and masks of a manifest, decoded once and kept small, so that training never waits for a disk."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.manifest import PATH_COLUMNS, Row
from nerve_core.data.shards import FOLDER, FORMAT, NUMBER, AlteredError, Item, read_shards, write_shards
from nerve_core.errors import DataError, ScanError
from nerve_core.imaging.read import open_scan
from nerve_core.imaging.scan import Scan

logger = logging.getLogger(__name__)

LONG_SIDE = 640
"""Largest side kept, px: fine enough for the fascicles, small enough for memory."""


@dataclass(frozen=True, eq=False)
class Packed:
    """Decoded rows.

    Attributes:
        rows: of the manifest.
        images: grey uint8 (H, W), the ultrasound region alone.
        masks: uint8 (H, W), 1 inside nerves, else 0.
        vessels: uint8 (H, W), 1 inside arteries and veins, else 0; None where nobody marked them, which is
            not the same as none being there. Left out, every entry is None.
    """

    rows: list[Row]
    images: list[np.ndarray]
    masks: list[np.ndarray]
    vessels: list[np.ndarray | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.vessels:
            object.__setattr__(self, "vessels", [None] * len(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, keep: Sequence[bool]) -> Packed:
        chosen = [index for index, kept in enumerate(keep) if kept]
        parts = (self.rows, self.images, self.masks, self.vessels)
        return Packed(*([part[index] for index in chosen] for part in parts))


def read_mask(path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """Boolean mask of shape (H, W) from an image file in which nerve is brighter than half of its maximum.

    Of a file with several pages the first is read.

    Raises:
        DataError: the file cannot be read or has another shape.
    """
    return _checked(_pages(path, 1)[0], path, shape)


def read_masks(path: str | Path, shape: tuple[int, int]) -> list[np.ndarray]:
    """All pages of a mask file, one for each frame of a sweep; otherwise as ``read_mask``."""
    return [_checked(page, path, shape) for page in _pages(path, 2)]


def pack(rows: Sequence[Row], cache: Path | None = None) -> Packed:
    """Every row that has a contour, through the reader that predictions use.

    A row of a sweep whose mask has a page for each of its frames gives one entry a frame, with the number of
    the frame, from 0, in the column ``frame``; of other files with several frames the first is taken.
    Rows of a set that ``data pack`` wrote are taken from it, and come last.

    Args:
        rows: manifest rows with absolute paths.
        cache: folder for a packed copy, which is mapped into memory, so that nothing is decoded the next
            time; None decodes into memory.

    Raises:
        DataError: no row has a contour, a listed file cannot be used, or a packed set was altered.
    """
    rows = contoured(rows)
    loose = [row for row in rows if not row.get(FOLDER)]
    stored = {name: read_shards(Path(name)) for name in {row[FOLDER] for row in rows if row.get(FOLDER)}}
    done = [stored[row[FOLDER]][int(row[NUMBER])]._replace(row=row) for row in rows if row.get(FOLDER)]
    return _packed([*_through_cache(loose, cache), *done])


def _through_cache(rows: Sequence[Row], cache: Path | None) -> list[Item]:
    """The items of loose files, by way of the packed copy where there is a folder for it."""
    if cache is None or not rows:
        return [item for row in rows for item in decode(row)]
    folder = cache / f"packed-{_key(rows)}"
    numbered = (
        # The rows themselves may say more the next time, as on which side of a split they are.
        item._replace(row={"number": str(number), "frame": item.row.get("frame", "")})
        for number, row in enumerate(rows)
        for item in decode(row)
    )
    try:
        write_shards(numbered, folder, wait=True)
        items = read_shards(folder)
    except AlteredError as fault:
        logger.warning("%s It is being packed again.", fault)
        shutil.rmtree(folder)
        return _through_cache(rows, cache)
    return [item._replace(row=_row_of(item, rows)) for item in items]


def contoured(rows: Sequence[Row]) -> list[Row]:
    """The rows that have a contour; DataError when there is none."""
    found = [row for row in rows if row["mask"]]
    if not found:
        raise DataError("No row of the manifest has a mask; contours are needed to train.")
    return found


def decode(row: Row) -> Iterator[Item]:
    """What a contoured row gives: one item, or one a frame of a sweep.

    Sides above ``LONG_SIDE`` are made smaller, masks and image alike.

    Raises:
        DataError: a listed file cannot be used.
    """
    try:
        opened = open_scan(row["image"])
        pages = {
            column: _pages(row[column], opened.n_frames)
            for column in ("mask", "mask_vessel")
            if row.get(column)
        }
        sweep = opened.n_frames > 1 and len(pages["mask"]) == opened.n_frames
        for frame in range(opened.n_frames if sweep else 1):
            scan = opened.scan(frame)
            masks = {
                column: _checked(several[frame], row[column], scan.pixels.shape)
                for column, several in pages.items()
                if frame < len(several)
            }
            own = row | {"frame": str(frame)} if sweep else row
            yield Item(own, *cropped(scan, masks["mask"], masks.get("mask_vessel")))
    except ScanError as fault:
        raise DataError(f"{Path(row['image']).name} cannot be packed: {fault}") from None


def _pages(path: str | Path, wanted: int) -> list[np.ndarray]:
    """The pages of an image file, uint8 (H, W) each; where one is ``wanted``, the first alone."""
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        data = np.fromfile(path, np.uint8)
        found = [cv2.imdecode(data, flags)] if wanted == 1 else list(cv2.imdecodemulti(data, flags)[1])
    except (OSError, cv2.error):
        found = []
    if not found or found[0] is None:
        raise DataError(f"The mask {Path(path).name} cannot be read; give a PNG of 0 and 255.")
    return found


def _checked(page: np.ndarray, path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """A page as a boolean mask of the shape asked for."""
    if page.shape != shape:
        raise DataError(
            f"The mask {Path(path).name} is {page.shape[1]}×{page.shape[0]} px but its scan is "
            f"{shape[1]}×{shape[0]} px; give both the same size."
        )
    return page > page.max() // 2


def cropped(scan: Scan, *masks: np.ndarray | None) -> tuple[np.ndarray | None, ...]:
    """The ultrasound region of a scan and of its masks, uint8, no side above ``LONG_SIDE``; None stays."""
    top, left, bottom, right = scan.region
    scale = min(LONG_SIDE / max(bottom - top, right - left), 1)
    size = (round((right - left) * scale), round((bottom - top) * scale))

    def cut(part: np.ndarray, way: int) -> np.ndarray:
        part = part[top:bottom, left:right].astype(np.uint8)
        return part if scale == 1 else cv2.resize(part, size, interpolation=way)

    drawn = (None if one is None else cut(one, cv2.INTER_NEAREST_EXACT) for one in masks)
    return cut(scan.pixels, cv2.INTER_AREA), *drawn


def _packed(items: Iterable[Item]) -> Packed:
    return Packed(*(list(part) for part in zip(*items, strict=True)))


def _row_of(item: Item, rows: Sequence[Row]) -> Row:
    row = rows[int(item.row["number"])]
    return row | {"frame": item.row["frame"]} if item.row["frame"] else row


def _key(rows: Sequence[Row]) -> str:
    """Names a packed copy by its files and when each was changed last."""
    files = [row[column] for row in rows for column in PATH_COLUMNS if row.get(column)]
    try:
        stamps = "\n".join(f"{file}|{os.stat(file).st_mtime_ns}" for file in files)
    except OSError as fault:
        raise DataError(
            f"{Path(fault.filename).name}, which the manifest lists, cannot be opened; check its path."
        ) from None
    return hashlib.sha256(f"{FORMAT}|{LONG_SIDE}|{stamps}".encode()).hexdigest()[:16]
