"""Packed scans as TFRecord files for TensorFlow and JAX, written without TensorFlow.

A file is a row of records: length (uint64), masked CRC-32C of the length (uint32), a ``tf.train.Example`` in
protobuf's wire format, masked CRC-32C of that (uint32), all little-endian. Features, named as TensorFlow's
own segmentation models name them:

- ``image/encoded`` and ``image/segmentation/class/encoded``: PNG, grey; in the second 1 is nerve;
- ``image/vessels/encoded``: PNG, 1 is artery or vein; missing where nobody marked them;
- ``image/height``, ``image/width``, ``image/channels`` (int64), ``image/format`` (``png``);
- ``row/COLUMN``: UTF-8 text, for each column of the manifest.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.crc32c import crc32c
from nerve_core.data.shards import Item

FILE_SIZE = 2**28
"""Pixels that go into one file, about; TensorFlow reads several files at a time."""


def write_tfrecords(
    items: Sequence[Item], folder: Path, progress: Callable[[float], None] | None = None
) -> list[Path]:
    """Write items into ``FOLDER/scans-00000-of-00003.tfrecord`` and so on, in their order.

    Args:
        items: at least one.
        folder: to make.
        progress: told the share that is done, from 0 to 1.

    Returns:
        Paths of the files.
    """
    folder.mkdir()
    count = min(len(items), 1 + sum(item.image.size for item in items) // FILE_SIZE)
    paths = [folder / f"scans-{k:05d}-of-{count:05d}.tfrecord" for k in range(count)]
    bounds = np.linspace(0, len(items), count + 1).round().astype(int)
    for path, start, end in zip(paths, bounds[:-1], bounds[1:], strict=True):
        with path.open("wb") as file:
            for index in range(start, end):
                file.write(record(example(features(items[index]))))
                if progress is not None:
                    progress((index + 1) / len(items))
            file.flush()
            os.fsync(file.fileno())
    return paths


def features(item: Item) -> dict[str, bytes | int]:
    """What is written of one item."""
    height, width = item.image.shape
    found: dict[str, bytes | int] = {
        "image/encoded": _png(item.image),
        "image/segmentation/class/encoded": _png(item.mask),
        "image/height": height,
        "image/width": width,
        "image/channels": 1,
        "image/format": b"png",
        "image/segmentation/class/format": b"png",
    }
    if item.vessels is not None:
        found["image/vessels/encoded"] = _png(item.vessels)
    return found | {f"row/{column}": value.encode() for column, value in item.row.items()}


def record(data: bytes) -> bytes:
    """One record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, struct.pack("<I", _masked(length)), data, struct.pack("<I", _masked(data))))


def example(values: Mapping[str, bytes | int]) -> bytes:
    """A ``tf.train.Example`` with one value a feature, in the order of the names (so it is reproducible).

    Numbers must not be negative.
    """
    entries = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, _feature(value)))
        for name, value in sorted(values.items())
    )
    return _field(1, entries)


def _feature(value: bytes | int) -> bytes:
    """``Feature``: ``bytes_list`` is field 1 and ``int64_list`` field 3, ``value`` is field 1 of both."""
    if isinstance(value, bytes):
        return _field(1, _field(1, value))
    return _field(3, _field(1, _varint(value)))


def _field(number: int, data: bytes) -> bytes:
    """A field that states its length (wire type 2)."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the highest bit set."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _masked(data: bytes) -> int:
    """The checksum as TFRecord stores it, so that checksums of data that hold checksums stay sound."""
    plain = crc32c(data)
    return ((plain >> 15 | plain << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()
