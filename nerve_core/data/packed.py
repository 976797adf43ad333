"""Images and masks of a manifest, decoded once and kept small, so that training never waits for a disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.manifest import PATH_COLUMNS, Row
from nerve_core.errors import DataError, ScanError
from nerve_core.imaging.read import read_scan

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

    Raises:
        DataError: the file cannot be read or has another shape.
    """
    try:
        found = cv2.imdecode(
            np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except (OSError, cv2.error):
        found = None
    if found is None:
        raise DataError(f"The mask {Path(path).name} cannot be read; give a PNG of 0 and 255.")
    if found.shape != shape:
        raise DataError(
            f"The mask {Path(path).name} is {found.shape[1]}×{found.shape[0]} px but its scan is "
            f"{shape[1]}×{shape[0]} px; give both the same size."
        )
    return found > found.max() // 2


def pack(rows: Sequence[Row], cache: Path | None = None) -> Packed:
    """Decode every row that has a contour, through the reader that predictions use.

    Args:
        rows: manifest rows with absolute paths.
        cache: folder for the packed arrays; None decodes afresh.

    Raises:
        DataError: no row has a contour, or a listed file cannot be used.
    """
    rows = [row for row in rows if row["mask"]]
    if not rows:
        raise DataError("No row of the manifest has a mask; contours are needed to train.")
    file = None
    if cache is not None:
        file = cache / f"packed-{_key(rows)}.npz"
        if file.exists():
            with np.load(file) as stored:
                parts = ([stored.get(f"{letter}{k}") for k in range(len(rows))] for letter in "imv")
                return Packed(rows, *parts)
    images, masks, vessels = zip(*(_decode(row) for row in rows), strict=True)
    if file is not None:
        cache.mkdir(parents=True, exist_ok=True)
        named = zip("imv", (images, masks, vessels), strict=True)
        arrays = {
            f"{letter}{k}": part
            for letter, parts in named
            for k, part in enumerate(parts)
            if part is not None
        }
        partial = file.with_suffix(".part.npz")
        np.savez(partial, **arrays)
        partial.replace(file)
    return Packed(rows, list(images), list(masks), list(vessels))


def _key(rows: Sequence[Row]) -> str:
    """Names a packed copy by its files and when each was changed last."""
    files = [row[column] for row in rows for column in PATH_COLUMNS if row.get(column)]
    try:
        stamps = "\n".join(f"{file}|{os.stat(file).st_mtime_ns}" for file in files)
    except OSError as fault:
        raise DataError(
            f"{Path(fault.filename).name}, which the manifest lists, cannot be opened; check its path."
        ) from None
    return hashlib.sha256(stamps.encode()).hexdigest()[:16]


def _decode(row: Row) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    try:
        scan = read_scan(row["image"])
    except ScanError as fault:
        raise DataError(f"{Path(row['image']).name} cannot be packed: {fault}") from None
    top, left, bottom, right = scan.region
    image = scan.pixels[top:bottom, left:right]
    masks = [
        read_mask(row[column], scan.pixels.shape).astype(np.uint8)[top:bottom, left:right]
        if row.get(column)
        else None
        for column in ("mask", "mask_vessel")
    ]
    scale = LONG_SIDE / max(image.shape)
    if scale < 1:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        masks = [
            None if mask is None else cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT)
            for mask in masks
        ]
    mask, vessels = (None if part is None else np.ascontiguousarray(part) for part in masks)
    return np.ascontiguousarray(image), mask, vessels
