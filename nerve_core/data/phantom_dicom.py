"""Phantoms as calibrated DICOM ultrasound, one frame or many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from nerve_core.data.phantom import Phantom

ROOT_UID = "1.2.826.0.1.3680043.8.498."
"""The root that pydicom gives out to those without one of their own."""


def save_dicom(path: Path, frames: Sequence[Phantom], frame_ms: float = 66.7) -> None:
    """Write phantoms of one size as a DICOM ultrasound image, losslessly compressed (JPEG 2000).

    The millimetre scale stands in SequenceOfUltrasoundRegions (PS3.3 C.8.5.5) in cm. The file says in its
    description, manufacturer and patient name that it is simulated. The same phantoms give the same bytes.

    Args:
        path: file to write.
        frames: one phantom, or the frames of a sweep.
        frame_ms: time between frames.
    """
    first, many = frames[0], len(frames) > 1
    height, width = first.image.shape
    storage = UltrasoundMultiFrameImageStorage if many else UltrasoundImageStorage

    def uid(*parts: object) -> str:
        return generate_uid(ROOT_UID, [str(part) for part in (first.seed, first.site, first.label, *parts)])

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = uid("instance", len(frames))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.ImageType = ["DERIVED", "PRIMARY"]
    data.SOPClassUID, data.SOPInstanceUID = storage, meta.MediaStorageSOPInstanceUID
    data.StudyDate = data.StudyTime = data.AccessionNumber = data.ReferringPhysicianName = ""
    data.ContentDate = data.ContentTime = ""
    data.Modality = "US"
    data.Manufacturer, data.ManufacturerModelName = "Simulated", "nerve_core phantom"
    data.StudyDescription = "SIMULATED nerve ultrasound, no patient"
    data.SeriesDescription = f"SIMULATED {first.site}, {first.nerve}"
    data.PatientName, data.PatientID = "Simulated^Phantom", f"PHANTOM-{first.seed}"
    data.PatientBirthDate = data.PatientSex = ""
    data.StudyInstanceUID, data.SeriesInstanceUID = uid("study"), uid("series", len(frames))
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", "1", "1"
    data.PatientOrientation, data.Laterality = "", "R"
    data.ImageComments = f"Simulated: {first.site}, {first.nerve}, {first.label}, seed {first.seed}."
    data.BurnedInAnnotation, data.LossyImageCompression = "NO", "00"

    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = width - 1, height - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = first.spacing_mm[1] / 10, first.spacing_mm[0] / 10
    data.SequenceOfUltrasoundRegions = Items([region])

    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = height, width
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    if many:
        data.NumberOfFrames, data.FrameTime = len(frames), frame_ms
        data.FrameIncrementPointer = 0x00181063  # FrameTime
    data.PixelData = np.stack([frame.image for frame in frames]).tobytes()
    data.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    data.save_as(path, enforce_file_format=True)


def save_masks(path: Path, masks: Sequence[np.ndarray]) -> None:
    """Write masks (H, W) uint8 of the frames of a sweep as a TIFF with a page for each, losslessly packed."""
    pages = [Image.fromarray(mask) for mask in masks]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_deflate")
