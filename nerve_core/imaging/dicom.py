"""DICOM ultrasound: frames decoded one at a time, and the millimetre scale the machine states.

Scale follows DICOM PS3.3 C.8.5.5 (ultrasound region calibration): regions whose units are cm in both
directions (code 3) give |PhysicalDelta| x 10 mm/px, rows and columns apart. PixelSpacing is believed only
with PixelSpacingCalibrationType (PS3.3 10.7.1.3): without it, it may be anything. No text of the file enters
an error or a log, since any of it may name the patient.
"""

from __future__ import annotations

import io
import logging
import math
import warnings
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nerve_core.config import settings
from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.codestream import frame_size
from nerve_core.imaging.frames import DAMAGED, check_frame_count, check_size, make_scan, to_uint8
from nerve_core.imaging.region import find_region
from nerve_core.imaging.scan import Box, CalibratedRegion, Scan, Spacing

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.pixels.decoders.base import Decoder

# pydicom's warnings and logs may quote values of the file
warnings.filterwarnings("ignore", module="pydicom")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

MODALITIES = ("US", "IVUS")
ULTRASOUND_CLASSES = tuple(f"1.2.840.10008.5.1.4.1.1.{last}" for last in ("3", "3.1", "6", "6.1", "6.2"))
"""SOP classes of ultrasound images, believed when the modality is not stated."""
CENTIMETRES = 3
TWO_DIMENSIONAL = 1
TISSUE, COLOUR_FLOW = 1, 2
MIN_REGION_SIDE = 32
"""Regions with a shorter side (px) are not where the picture is."""
PLAUSIBLE_MM = (1e-3, 5.0)
"""A scale outside this range, mm/px, is a mistake in the file."""

Geometry = tuple[Box | None, tuple[CalibratedRegion, ...], Spacing | None]

NO_IMAGE = "The DICOM file holds no image (it may be a report or measurements); upload the scan itself."
NOT_ULTRASOUND = "The DICOM file is not an ultrasound image; upload a B-mode ultrasound scan."
UNKNOWN_SYNTAX = (
    "The DICOM file is compressed in a way that cannot be read (video, or an unknown transfer syntax); "
    "export it uncompressed or as JPEG."
)


def looks_like_dicom(data: bytes) -> bool:
    """Whether the bytes begin as DICOM does: with its preamble, or with a first element of group 2 or 8."""
    return data[128:132] == b"DICM" or (data[:2] in (b"\x02\0", b"\x08\0") and data[3:4] == b"\0")


def open_dicom(data: bytes, name: str) -> tuple[int, Callable[[int], Scan]]:
    """Number of frames of a DICOM file, and how to decode one.

    Raises:
        ScanError: when it holds no image, is damaged, too large, or of an unknown transfer syntax.
        RefusedScan: when it is not ultrasound.
    """
    dataset = _parse(data)
    if "PixelData" not in dataset:
        raise ScanError(NO_IMAGE)
    modality = str(dataset.get("Modality", "") or "")
    of_ultrasound_class = str(dataset.get("SOPClassUID", "")) in ULTRASOUND_CLASSES
    if modality not in MODALITIES and (modality or not of_ultrasound_class):
        raise RefusedScan(NOT_ULTRASOUND)
    try:
        n_frames = int(dataset.get("NumberOfFrames", 1) or 1)
        size = int(dataset.Columns), int(dataset.Rows)
    except (AttributeError, TypeError, ValueError):
        raise ScanError(DAMAGED) from None
    check_frame_count(n_frames)
    check_size(*size)
    decoder = _decoder(dataset)
    box, calibrated, spacing = _geometry(dataset, size)

    def decode(frame: int) -> Scan:
        samples = _samples(dataset, decoder, frame, n_frames)
        scan = make_scan(
            samples,
            spacing_mm=spacing,
            calibrated=calibrated,
            region=None if box is None else (0, 0, size[1], size[0]),
            name=name,
            frame=frame,
            n_frames=n_frames,
        )
        return scan if box is None else scan.with_region(_within(scan.pixels, box))

    return n_frames, decode


def _parse(data: bytes) -> Dataset:
    from pydicom import config, dcmread
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    config.settings.reading_validation_mode = config.IGNORE  # its warnings quote values of the file
    try:
        with_preamble = data[128:132] == b"DICM"
        if with_preamble:
            _check_deflated(data)
        dataset = dcmread(io.BytesIO(data), force=not with_preamble)
        if not dataset.file_meta.get("TransferSyntaxUID"):
            implicit, little = dataset.original_encoding
            explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
        if not len(dataset):
            raise ScanError(DAMAGED)
        return dataset
    except ScanError:
        raise
    except Exception:  # damaged files make the parser raise anything, with values of the file
        raise ScanError(DAMAGED) from None


def _check_deflated(data: bytes) -> None:
    """Refuse a deflated file that would unpack to more than the upload limit."""
    from pydicom.filereader import data_element_generator
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    stream = io.BytesIO(data)
    stream.seek(132)
    header = data_element_generator(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    if str(DeflatedExplicitVRLittleEndian).encode() not in b" ".join(
        bytes(part.value or b"") for part in header
    ):
        return
    inflater, rest = zlib.decompressobj(-zlib.MAX_WBITS), data[stream.tell() :]
    left = settings().max_upload_mb * 2**20
    while rest and not inflater.eof:
        left -= len(inflater.decompress(rest, 2**20))
        rest = inflater.unconsumed_tail
        if left < 0:
            raise ScanError(
                f"The DICOM file unpacks to more than the limit of {settings().max_upload_mb} MB; "
                "export a single frame or a shorter clip."
            )


def _decoder(dataset: Dataset) -> Decoder:
    from pydicom.pixels import get_decoder

    try:
        decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
        known = decoder.is_available
    except Exception:  # a damaged value raises other than NotImplementedError
        known = False
    if not known:
        raise ScanError(UNKNOWN_SYNTAX)
    return decoder


def _samples(dataset: Dataset, decoder: Decoder, frame: int, n_frames: int) -> np.ndarray:
    """One frame as uint8 (H, W) or (H, W, 3), black where there is no echo."""
    from pydicom.pixels import apply_color_lut
    from pydicom.pixels.utils import as_pixel_options

    try:
        if decoder.is_encapsulated:
            _check_codestream(dataset, frame, n_frames)
        samples, _ = decoder.as_array(dataset, index=frame, **as_pixel_options(dataset))
        if dataset.BitsAllocated == 1:
            samples = samples.astype(bool)
        kind = str(dataset.get("PhotometricInterpretation", ""))
        if kind == "PALETTE COLOR":
            samples = apply_color_lut(samples, dataset)
            # a palette's 16-bit entries use their high byte, however few grey levels a frame holds
            samples = (samples >> 8).astype(np.uint8) if samples.dtype == np.uint16 else samples
            samples = samples[..., :3]
    except ScanError:
        raise
    except Exception:  # as in _parse
        raise ScanError(DAMAGED) from None
    if samples.shape[:2] != (dataset.Rows, dataset.Columns):
        raise ScanError(DAMAGED)
    samples = to_uint8(samples)
    return 255 - samples if kind == "MONOCHROME1" else samples


def _check_codestream(dataset: Dataset, frame: int, n_frames: int) -> None:
    """Refuse a compressed frame whose own size is not the file's: garbage, or a decompression bomb."""
    from pydicom.encaps import get_frame
    from pydicom.uid import RLELossless

    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        return
    codestream = get_frame(dataset.PixelData, frame, number_of_frames=n_frames)
    if frame_size(codestream) != (dataset.Rows, dataset.Columns):
        raise ScanError(DAMAGED)


def _geometry(dataset: Dataset, size: tuple[int, int]) -> Geometry:
    """Main region, every calibrated region (tissue first) and the main scale; ``size`` is (width, height)."""
    found: list[tuple[tuple[int, int], Box, Spacing | None]] = []
    try:
        items = list(dataset.get("SequenceOfUltrasoundRegions", None) or ())
    except Exception:  # a damaged sequence means that no scale is known
        items = []
    for item in items:
        box = _box(item, size)
        if box is not None:
            spacing = _region_spacing(item)
            area = (box[2] - box[0]) * (box[3] - box[1])
            found.append(((_rank(item), -area), box, spacing))
    found.sort(key=lambda part: part[0])
    calibrated = tuple(CalibratedRegion(box, spacing) for _, box, spacing in found if spacing is not None)
    main = next(
        (part for part in found if part[0][0] < 2 and _shorter_side(part[1]) >= MIN_REGION_SIDE), None
    )
    if calibrated:
        return (main[1] if main else None), calibrated, (main[2] if main else calibrated[0].spacing_mm)
    return (main[1] if main else None), (), _calibrated_pixel_spacing(dataset)


def _shorter_side(box: Box) -> int:
    return min(box[2] - box[0], box[3] - box[1])


def _rank(item: Dataset) -> int:
    """0 for two-dimensional tissue, 1 for two-dimensional colour flow over tissue, 2 for anything else."""
    if item.get("RegionSpatialFormat") != TWO_DIMENSIONAL:
        return 2
    return {TISSUE: 0, COLOUR_FLOW: 1}.get(item.get("RegionDataType"), 2)


def _box(item: Dataset, size: tuple[int, int]) -> Box | None:
    """Location of a region within the frame; its last row and column belong to it (PS3.3 C.8.5.5.1.1)."""
    try:
        left, top = int(item.RegionLocationMinX0), int(item.RegionLocationMinY0)
        right, bottom = int(item.RegionLocationMaxX1) + 1, int(item.RegionLocationMaxY1) + 1
    except (AttributeError, TypeError, ValueError):
        return None
    right, bottom = min(right, size[0]), min(bottom, size[1])
    return (top, left, bottom, right) if 0 <= top < bottom and 0 <= left < right else None


def _region_spacing(item: Dataset) -> Spacing | None:
    units = item.get("PhysicalUnitsXDirection"), item.get("PhysicalUnitsYDirection")
    if units != (CENTIMETRES, CENTIMETRES):
        return None
    return _plausible(item.get("PhysicalDeltaY"), item.get("PhysicalDeltaX"), factor=10.0)


def _calibrated_pixel_spacing(dataset: Dataset) -> Spacing | None:
    """PixelSpacing, in mm, when the file says how it was calibrated."""
    if not dataset.get("PixelSpacingCalibrationType"):
        return None
    try:
        rows, columns = dataset.PixelSpacing
    except (AttributeError, TypeError, ValueError):
        return None
    return _plausible(rows, columns, factor=1.0)


def _plausible(rows: object, columns: object, factor: float) -> Spacing | None:
    try:
        spacing = abs(float(rows)) * factor, abs(float(columns)) * factor  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    low, high = PLAUSIBLE_MM
    return spacing if all(math.isfinite(value) and low <= value <= high for value in spacing) else None


def _within(pixels: np.ndarray, box: Box) -> Box:
    """The ultrasound inside a region of the file, in px of the frame."""
    top, left, bottom, right = box
    inner = find_region(np.ascontiguousarray(pixels[top:bottom, left:right]))
    return top + inner[0], left + inner[1], top + inner[2], left + inner[3]
