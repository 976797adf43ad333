"""DICOM ultrasound, decoded one frame at a time.

No text of the file enters an error or a log, since any of it may name the patient.
"""

from __future__ import annotations

import io
import logging
import warnings
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nerve_core.config import settings
from nerve_core.errors import RefusedScan, ScanError
from nerve_core.imaging.calibration import calibration
from nerve_core.imaging.codestream import frame_size, is_jpeg_ls, jpeg_components
from nerve_core.imaging.frames import DAMAGED, check_frame_count, check_size, decoding, make_scan, to_uint8
from nerve_core.imaging.region import find_region
from nerve_core.imaging.scan import Box, Scan

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.pixels.decoders.base import Decoder

# pydicom's warnings and logs may quote values of the file
warnings.filterwarnings("ignore", module="pydicom")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

MODALITIES = ("US", "IVUS")
ULTRASOUND_CLASSES = tuple(f"1.2.840.10008.5.1.4.1.1.{last}" for last in ("3", "3.1", "6", "6.1", "6.2"))
"""SOP classes of ultrasound images, believed when the modality is not stated."""

PREFERRED = {
    "1.2.840.10008.1.2.4.50": "pillow",
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
}
"""Decoder by transfer syntax, where it is installed: GDCM, else first, ends the program on damaged files."""

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
    with decoding():
        dataset = parse_dicom(data)
        if "PixelData" not in dataset:
            raise ScanError(NO_IMAGE)
        modality = str(dataset.get("Modality", "") or "")
        of_ultrasound_class = str(dataset.get("SOPClassUID", "")) in ULTRASOUND_CLASSES
        if modality not in MODALITIES and (modality or not of_ultrasound_class):
            raise RefusedScan(NOT_ULTRASOUND)
        n_frames = int(dataset.get("NumberOfFrames", 1) or 1)
        width, height = int(dataset.Columns), int(dataset.Rows)
        check_frame_count(n_frames)
        check_size(width, height)
        decoder = _decoder(dataset)
        stated = calibration(dataset, (width, height))

    def decode(frame: int) -> Scan:
        with decoding():
            samples = _samples(dataset, decoder, frame, n_frames)
        scan = make_scan(
            samples,
            spacing_mm=stated.spacing_mm,
            calibrated=stated.regions,
            region=stated.box,
            name=name,
            frame=frame,
            n_frames=n_frames,
        )
        return scan if stated.box is None else scan.with_region(_within(scan.pixels, stated.box))

    return n_frames, decode


def parse_dicom(data: bytes) -> Dataset:
    """The dataset of a DICOM file, its transfer syntax known; a defect of the file raises anything.

    Raises:
        ScanError: nothing is in it, or it would unpack to more than the upload limit.
    """
    from pydicom import config, dcmread
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    config.settings.reading_validation_mode = config.IGNORE  # its warnings quote values of the file
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


def _check_deflated(data: bytes) -> None:
    """Refuse a deflated file that would unpack to more than the upload limit."""
    from pydicom.filereader import data_element_generator
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    stream = io.BytesIO(data)
    stream.seek(132)
    header = data_element_generator(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    meta = b" ".join(bytes(element.value or b"") for element in header)
    if str(DeflatedExplicitVRLittleEndian).encode() not in meta:
        return
    inflater, rest = zlib.decompressobj(-zlib.MAX_WBITS), data[stream.tell() :]
    limit = settings().max_upload_mb
    left = limit * 2**20
    while rest and not inflater.eof:
        left -= len(inflater.decompress(rest, 2**20))
        rest = inflater.unconsumed_tail
        if left < 0:
            raise ScanError(
                f"The DICOM file unpacks to more than the limit of {limit} MB; export a shorter clip."
            )


def _decoder(dataset: Dataset) -> Decoder:
    from pydicom.pixels import get_decoder

    try:
        decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    except NotImplementedError:
        raise ScanError(UNKNOWN_SYNTAX) from None
    if not decoder.is_available:
        raise ScanError(UNKNOWN_SYNTAX)
    return decoder


def _samples(dataset: Dataset, decoder: Decoder, frame: int, n_frames: int) -> np.ndarray:
    """One frame as uint8 (H, W) or (H, W, 3), black where there is no echo."""
    from pydicom.pixels import apply_color_lut
    from pydicom.pixels.utils import as_pixel_options

    if decoder.is_encapsulated:
        _check_codestream(dataset, frame, n_frames)
    plugin = PREFERRED.get(str(decoder.UID), "")
    plugin = plugin if plugin in decoder.available_plugins else ""
    samples, _ = decoder.as_array(dataset, index=frame, decoding_plugin=plugin, **as_pixel_options(dataset))
    if samples.shape[:2] != (dataset.Rows, dataset.Columns):
        raise ScanError(DAMAGED)
    if dataset.BitsAllocated == 1:
        samples = samples.astype(bool)
    kind = str(dataset.get("PhotometricInterpretation", ""))
    if kind == "PALETTE COLOR":
        samples = apply_color_lut(samples, dataset)[..., :3]
        # a palette's 16-bit entries use their high byte, however few grey levels a frame holds
        samples = (samples >> 8).astype(np.uint8) if samples.dtype == np.uint16 else samples
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
    # CharLS counts for seconds where a cut-off stream's end marker is missing
    if is_jpeg_ls(codestream) and b"\xff\xd9" not in codestream[-4:]:
        raise ScanError(DAMAGED)
    # GDCM ends the whole program over a number of components that it does not expect
    if jpeg_components(codestream) not in (None, dataset.SamplesPerPixel):
        raise ScanError(DAMAGED)


def _within(pixels: np.ndarray, box: Box) -> Box:
    """The ultrasound inside a region of the file, in px of the frame."""
    top, left, bottom, right = box
    inner = find_region(np.ascontiguousarray(pixels[top:bottom, left:right]))
    return top + inner[0], left + inner[1], top + inner[2], left + inner[3]
