"""Whole files of every format that is read, and ways to damage them."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLossless, RLELossless

from tests.imaging.build import (
    JPEG_LOSSLESS_STAIRS,
    JPEG_LS_STAIRS,
    dicom,
    encode,
    region,
    save,
    stairs,
    tissue,
)


def whole_files() -> dict[str, bytes]:
    """One small file a format, by name."""
    pixels = tissue(64, 80)
    colour = np.dstack([pixels] * 3)
    regions = [region((4, 4, 60, 76))]
    plain = dicom(pixels, SequenceOfUltrasoundRegions=regions, PatientID="P-1", StudyDate="20260312")
    clip = dicom(np.stack([tissue(64, 80, seed) for seed in range(4)]), SequenceOfUltrasoundRegions=regions)
    pages = [Image.fromarray(tissue(64, 80, seed)) for seed in range(3)]
    return {
        "PNG": encode(pixels),
        "PNG 16 bit": encode(pixels.astype(np.uint16) * 200),
        "PNG palette": encode(Image.fromarray(pixels).convert("P")),
        "JPEG": encode(pixels, "JPEG"),
        "JPEG colour": encode(colour, "JPEG", progressive=True),
        "TIFF": encode(pixels, "TIFF"),
        "TIFF LZW": encode(colour, "TIFF", compression="tiff_lzw"),
        "TIFF pages": encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]),
        "BMP": encode(pixels, "BMP"),
        "DICOM": plain,
        "DICOM RGB": dicom(colour, "RGB"),
        "DICOM without preamble": dicom(pixels, preamble=False),
        "DICOM JPEG 2000": _packed(plain, JPEG2000Lossless),
        "DICOM RLE clip": _packed(clip, RLELossless),
        "DICOM clip": clip,
        "DICOM JPEG": dicom(pixels, syntax=JPEGBaseline8Bit, encapsulated=[encode(pixels, "JPEG")]),
        "DICOM JPEG lossless": dicom(stairs(), syntax=JPEGLossless, encapsulated=[JPEG_LOSSLESS_STAIRS]),
        "DICOM JPEG-LS": dicom(stairs(), syntax="1.2.840.10008.1.2.4.80", encapsulated=[JPEG_LS_STAIRS]),
    }


def damaged(whole: dict[str, bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` files, each with a few bytes changed, cut, doubled, swapped in from another, or cut off."""
    random = np.random.default_rng(seed)
    names = list(whole)
    for number in range(count):
        name = names[number % len(names)]
        data = bytearray(whole[name])
        other = whole[names[int(random.integers(len(names)))]]
        for _ in range(min(8, int(random.geometric(0.5)))):
            near = random.random() < 0.5  # most of what a reader decides by stands near the start
            at = int(random.integers(0, min(len(data), 900) if near else len(data)))
            length = int(random.integers(1, 48))
            match int(random.integers(0, 6)):
                case 0:
                    data[at] = int(random.integers(0, 256))
                case 1:
                    data[at : at + 4] = random.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
                case 2:
                    data[at:at] = data[at : at + length]
                case 3 if len(data) > 100:
                    del data[at : at + length]
                case 4:
                    data[at : at + length] = other[at : at + length]
                case 5:
                    data[at] ^= 1 << int(random.integers(8))
        if random.random() < 0.15:
            data = data[: int(random.integers(1, len(data) + 1))]
        yield name, bytes(data)


def _packed(data: bytes, syntax: str) -> bytes:
    dataset = dcmread(io.BytesIO(data))
    dataset.compress(syntax, generate_instance_uid=False)
    return save(dataset)
