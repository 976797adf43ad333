"""TFRecord files byte for byte as other writers make them, and read back by rules of their own."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerve_core.data import tfrecord
from nerve_core.data.crc32c import crc32c
from nerve_core.data.shards import Item
from nerve_core.data.tfrecord import example, record, write_tfrecords


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),  # the usual check value, and RFC 3720, appendix B.4
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_known_checksums(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


@given(st.binary(max_size=300))
def test_checksums_bit_by_bit(data: bytes) -> None:
    total = 0xFFFFFFFF
    for byte in data:
        total ^= byte
        for _ in range(8):
            total = total >> 1 ^ (0x82F63B78 if total & 1 else 0)
    assert crc32c(data) == total ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (
            {"height": 300},
            "14000000000000005e3d29150a120a100a0668656967687412061a040a02ac02738bc40d",
        ),
        (
            {"name": "wäre".encode() * 60},
            "4101000000000000065932f30abe020abb020a046e616d6512b2020aaf020aac02"
            + "77c3a47265" * 60
            + "7ba84c62",
        ),
    ],
)
def test_records_are_those_of_the_tfrecord_package(values: dict[str, bytes | int], written: str) -> None:
    """What version 1.14.6 of that package, which uses Google's protobuf and crc32c, writes for the same."""
    assert record(example(values)).hex() == written


def fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of each field of a protobuf message."""

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    place = 0
    while place < len(data):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
        else:
            assert kind == 2
            length = varint()
            place += length
            assert place <= len(data)
            yield number, data[place - length : place]


def read(path: Path) -> Iterator[dict[str, bytes]]:
    """Features of each record: bytes as they are, numbers as the packed bytes."""
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        ((_, found),) = fields(data[12 : 12 + length])
        features = {}
        for _, entry in fields(found):
            (_, name), (_, feature) = fields(entry)
            ((_, values),) = fields(feature)
            ((_, value),) = fields(values)
            features[name.decode()] = value
        yield features
        data = data[16 + length :]


def items(count: int) -> list[Item]:
    rng = np.random.default_rng(0)
    found = []
    for k in range(count):
        image = rng.integers(0, 256, (20 + k, 300), np.uint8)
        vessels = (image > 99).astype(np.uint8) if k % 2 else None
        found.append(
            Item({"group": f"p{k}", "site": "ulna ü"}, image, (image > 200).astype(np.uint8), vessels)
        )
    return found


def test_scans_come_back_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecord, "FILE_SIZE", 15_000)
    told: list[float] = []
    paths = write_tfrecords(items(5), tmp_path / "out", told.append)
    assert [path.name for path in paths] == [f"scans-0000{k}-of-00003.tfrecord" for k in range(3)]
    assert told == [0.2, 0.4, 0.6, 0.8, 1.0]
    found = [features for path in paths for features in read(path)]
    assert len(found) == 5
    for k, (features, item) in enumerate(zip(found, items(5), strict=True)):
        for name, part in (
            ("image/encoded", item.image),
            ("image/segmentation/class/encoded", item.mask),
            ("image/vessels/encoded", item.vessels),
        ):
            if part is None:
                assert name not in features
            else:
                png = np.frombuffer(features[name], np.uint8)
                assert np.array_equal(cv2.imdecode(png, cv2.IMREAD_UNCHANGED), part)
        assert features["row/group"] == f"p{k}".encode() and features["row/site"].decode() == "ulna ü"
        assert features["image/height"] == bytes([20 + k]) and features["image/width"] == b"\xac\x02"
