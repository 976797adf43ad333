"""The DICOM image that segmentation and report refer to: the upload itself, or one made from a picture."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from nerve_core.clinical.dicom_codes import uid_of
from nerve_core.imaging.dicom import looks_like_dicom, parse_dicom
from nerve_core.imaging.frames import decoding
from nerve_core.imaging.scan import Scan

if TYPE_CHECKING:
    from pydicom import Dataset

_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
"""Fields that objects made from an image copy from it, and that it may lack."""


def source_image(data: bytes, scan: Scan, patient: str = "") -> Dataset:
    """The image to refer to.

    Args:
        data: the upload. Of a DICOM file, the dataset with what is missing of the patient and study filled in
            empty; of a picture, a new ultrasound image of the scan's pixels and scale.
        scan: the frame that was judged.
        patient: pseudonym for a new image.

    Raises:
        ScanError: the DICOM file is damaged.
    """
    if not looks_like_dicom(data):
        return _made(scan, patient)
    with decoding():
        dataset = parse_dicom(data)
        for name in _EMPTY:
            if name not in dataset:
                setattr(dataset, name, None)
        for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            if not dataset.get(name):
                setattr(dataset, name, uid_of(name, data))
        return dataset


def header_of(source: Dataset) -> Dataset:
    """The source without its pixels."""
    from pydicom import Dataset

    header = Dataset()
    header.file_meta = source.file_meta
    for element in source:
        if element.keyword != "PixelData":
            header.add(copy.copy(element))
    return header


def single_frame(source: Dataset) -> Dataset:
    """The source without its pixels and as if of one frame.

    Ultrasound has no position in the patient, and for such images highdicom takes one frame only; class and
    number of the frame are entered into the references afterwards, see :func:`refer_to`.
    """
    from pydicom.uid import UltrasoundImageStorage

    header = header_of(source)
    for name in ("NumberOfFrames", "FrameIncrementPointer"):
        header.pop(name, None)
    header.SOPClassUID = UltrasoundImageStorage
    return header


def refer_to(made: Dataset, source: Dataset, frame: int) -> None:
    """Give every reference of ``made`` to the source its true class and, of a clip, the frame, from 0."""

    def correct(holder: Dataset) -> None:
        for element in holder:
            if element.VR != "SQ":
                continue
            for item in element.value:
                if item.get("ReferencedSOPInstanceUID") == source.SOPInstanceUID:
                    item.ReferencedSOPClassUID = source.SOPClassUID
                    if is_clip(source) and element.keyword == "SourceImageSequence":
                        item.ReferencedFrameNumber = frame + 1
                correct(item)

    correct(made)


def is_clip(source: Dataset) -> bool:
    """Whether the source has frames to be told apart by number."""
    return int(source.get("NumberOfFrames", 1) or 1) > 1


def _made(scan: Scan, patient: str) -> Dataset:
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian, UltrasoundImageStorage

    height, width = scan.pixels.shape
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = UltrasoundImageStorage
    parts = scan.pixels.tobytes().hex(), scan.spacing_mm, patient
    made.SOPInstanceUID, made.SeriesInstanceUID = uid_of("image", *parts), uid_of("series", *parts)
    made.StudyInstanceUID = uid_of("study", *parts)
    for name in (*_EMPTY, "Manufacturer", "PatientOrientation", "Laterality", "ContentDate"):
        setattr(made, name, None)
    made.ContentTime = None
    made.PatientID, made.PatientName = patient, f"{patient}^" if patient else ""
    made.Modality, made.ImageType = "US", ["DERIVED", "PRIMARY"]
    made.SeriesNumber = made.InstanceNumber = 1
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = height, width
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    parts_of_frame = [(part.box, part.spacing_mm) for part in scan.calibrated]
    if not parts_of_frame and scan.spacing_mm is not None:
        parts_of_frame = [((0, 0, height, width), scan.spacing_mm)]
    regions = []
    for (top, left, bottom, right), (down, across) in parts_of_frame:
        region = Dataset()
        region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
        region.RegionLocationMinX0, region.RegionLocationMinY0 = left, top
        region.RegionLocationMaxX1, region.RegionLocationMaxY1 = right - 1, bottom - 1
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaX, region.PhysicalDeltaY = across / 10, down / 10
        regions.append(region)
    if regions:
        made.SequenceOfUltrasoundRegions = regions
    pixels = scan.pixels.tobytes()
    made.PixelData = pixels + b"\0" * (len(pixels) % 2)
    made["PixelData"].VR = "OB"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    return made
