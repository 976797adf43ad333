"""Images and masks of a manifest, decoded once and kept small, so that training never waits for a disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.manifest import Row
from nerve_core.errors import DataError
from nerve_core.imaging.read import read_scan

LONG_SIDE = 640
"""Largest side kept, px: fine enough for the fascicles, small enough for memory."""


@dataclass(frozen=True, eq=False)
class Packed:
    """Decoded rows: grey uint8 images of the ultrasound region, and uint8 masks (0 or 1) of the same size."""

    rows: list[Row]
    images: list[np.ndarray]
    masks: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, keep: Sequence[bool]) -> Packed:
        chosen = [index for index, kept in enumerate(keep) if kept]
        return Packed(*([part[index] for index in chosen] for part in (self.rows, self.images, self.masks)))


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
    """
    rows = [row for row in rows if row["mask"]]
    if not rows:
        raise DataError("No row of the manifest has a mask; contours are needed to train.")
    file = None
    if cache is not None:
        stamps = [f"{row['image']}|{Path(row['image']).stat().st_mtime_ns}" for row in rows]
        file = cache / f"packed-{hashlib.sha256(chr(10).join(stamps).encode()).hexdigest()[:16]}.npz"
        if file.exists():
            with np.load(file) as stored:
                count = len(rows)
                return Packed(
                    rows, [stored[f"i{k}"] for k in range(count)], [stored[f"m{k}"] for k in range(count)]
                )
    images, masks = zip(*(_decode(row) for row in rows), strict=True)
    if file is not None:
        cache.mkdir(parents=True, exist_ok=True)
        arrays = {f"i{k}": image for k, image in enumerate(images)} | {
            f"m{k}": mask for k, mask in enumerate(masks)
        }
        partial = file.with_suffix(".part.npz")
        np.savez(partial, **arrays)
        partial.replace(file)
    return Packed(rows, list(images), list(masks))


def _decode(row: Row) -> tuple[np.ndarray, np.ndarray]:
    scan = read_scan(row["image"])
    mask = read_mask(row["mask"], scan.pixels.shape).astype(np.uint8)
    top, left, bottom, right = scan.region
    image, mask = scan.pixels[top:bottom, left:right], mask[top:bottom, left:right]
    scale = LONG_SIDE / max(image.shape)
    if scale < 1:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.ascontiguousarray(image), np.ascontiguousarray(mask)
