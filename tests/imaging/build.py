"""Files of every kind, made in memory."""

from __future__ import annotations

import base64
import io
from typing import Any

import cv2
import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

PATIENT = "Brown^Secret"


def tissue(
    height: int = 120, width: int = 160, seed: int = 0, low: float = 30, high: float = 200
) -> np.ndarray:
    """Speckle under bright layers, uint8 (H, W)."""
    rng = np.random.default_rng(seed)
    speckle = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 1.2)
    layers = np.sin(np.linspace(0, 9, height))[:, None]
    image = layers + 1.5 * speckle
    image = (image - image.min()) / (image.max() - image.min())
    return np.rint(low + (high - low) * image).astype(np.uint8)


def stairs() -> np.ndarray:
    """The 32 x 32 pattern of the two embedded codestreams, uint8."""
    row, column = np.mgrid[:32, :32]
    return (column // 8 * 40 + row // 4 * 12 + 10).astype(np.uint8)


def encode(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture file of the array or image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def dicom(
    frames: np.ndarray | None = None,
    photometric: str = "MONOCHROME2",
    syntax: str = ExplicitVRLittleEndian,
    encapsulated: list[bytes] | None = None,
    preamble: bool = True,
    **attributes: Any,
) -> bytes:
    """A DICOM ultrasound file.

    Args:
        frames: (H, W), (N, H, W), (H, W, 3) or (N, H, W, 3), colour when the last axis is 3 long.
        encapsulated: compressed frames to hold instead of the samples.
        attributes: further elements by keyword; None removes one.
    """
    frames = tissue() if frames is None else frames
    colour = frames.shape[-1] == 3
    many = frames.ndim == (4 if colour else 3)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["test"])
    dataset.SOPClassUID = UltrasoundImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.PatientName, dataset.Modality = PATIENT, "US"
    dataset.Rows, dataset.Columns = frames.shape[many : many + 2]
    if many:
        dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if colour else 1), photometric
    if colour:
        dataset.PlanarConfiguration = 0
    bits = frames.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = (
        bits,
        bits,
        bits - 1,
        0,
    )
    if encapsulated is not None:
        dataset.PixelData = encapsulate(encapsulated)
    else:
        dataset.PixelData = frames.tobytes() if frames.nbytes % 2 == 0 else frames.tobytes() + b"\0"
    dataset["PixelData"].VR = "OB" if encapsulated is not None or bits == 8 else "OW"
    for name, value in attributes.items():
        if value is not None:
            setattr(dataset, name, value)
        elif name in dataset:
            delattr(dataset, name)
    return save(dataset, preamble)


def save(dataset: Dataset, preamble: bool = True) -> bytes:
    """The bytes of a dataset, written without pydicom's checks, so that broken files can be made."""
    stream = io.BytesIO()
    if preamble:
        dataset.save_as(stream, enforce_file_format=True)
        return stream.getvalue()
    del dataset.file_meta
    dataset.save_as(stream, implicit_vr=True, little_endian=True)
    return stream.getvalue()


def region(
    box: tuple[int, int, int, int],
    delta_x: float = 0.01,
    delta_y: float = 0.02,
    units: tuple[int, int] = (3, 3),
    data_type: int = 1,
    spatial_format: int = 1,
) -> Dataset:
    """An item of SequenceOfUltrasoundRegions; ``box`` is (top, left, bottom, right), the end exclusive."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = spatial_format, data_type, 0
    item.RegionLocationMinY0, item.RegionLocationMinX0 = box[0], box[1]
    item.RegionLocationMaxY1, item.RegionLocationMaxX1 = box[2] - 1, box[3] - 1
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta_x, delta_y
    return item


IMPLICIT = ImplicitVRLittleEndian

JPEG_LS_STAIRS = base64.b64decode(
    "/9j/6AAgU1BJRkYAAgAAAQAAACAAAAAgCggGAQAAASwAAAEs/+gACAAAAAH/2P/3AAsIACAAIAEBEQD/2gAIAQEAAAAAB5XgAAAp"
    "0rwAAAU6qrbYAABczMzMn2dt3xvfpnnwPqq20Am2kkdJJJKVVVPPPwvn4Xz4L1VUqqqFVX1/Tzz8L5+F8+C//n/X9H/PPPwvn4Xz"
    "4L/0f+/9/x55+F8/C+fBf/3/X/P+eefhfPwvnwX/c/5/z/nnn4Xz8L58F/9P+f8f888/C+fhfPj/2Q=="
)
"""JPEG-LS codestream of ``stairs()``."""

JPEG_LOSSLESS_STAIRS = base64.b64decode(
    "/9j/xAAYAAEBAQEBAAAAAAAAAAAAAAAAAwQGB//DAAsIACAAIAEAEQD/2gAIAQAABgAA8JAdQA6gB1AAAAAAAAAAAAAAAAADZa1r"
    "Wta1rWta1rWta1rWta1rWtYAAAAAAAAAAAAAAADZa1rWta1rWta1rWta1rWta1rWtYAAAAAAAAAAAAAAADZa1rWta1rWta1rWta1"
    "rWta1rWtYAAAAAAAAAAAAAAADZa1rWta1rWta1rWta1rWta1rWtYAAAAAAAAAAAAAAADZa1rWta1rWta1rWta1rWta1rWtYAAAAA"
    "AAAAAAAAAADZa1rWta1rWta1rWta1rWta1rWtYAAAAAAAAAAAAAAADZa1rWta1rWta1rWta1rWta1rWtYAAAAAAAAAAAAAAAAP/Z"
)
"""Lossless JPEG (process 14) codestream of ``stairs()``."""
