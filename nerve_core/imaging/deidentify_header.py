"""The DICOM header that is left after de-identification: a list of what stays, everything else goes.

Profile: Basic Application Level Confidentiality Profile (DICOM PS3.15 Annex E) with the options Clean Pixel
Data and, where dates are shifted, Retain Longitudinal Temporal Information With Modified Dates. Stricter than
the profile asks: fields are kept by name, so private, unknown and free-text fields need no rule. Kept are
what the image itself needs, its geometry, frame times and compression history, the machine's maker and model,
acoustic indices, body part and side where they are standard terms. A kept text that holds a word of the
patient's name or identifiers goes too.
"""

from __future__ import annotations

import hmac
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from nerve_core.imaging.calibration import TWO_DIMENSIONAL, calibration, region_box
from nerve_core.imaging.dicom import parse_dicom
from nerve_core.imaging.scan import Box

if TYPE_CHECKING:
    from pydicom import Dataset

METHOD = "Listed header fields kept; all but the ultrasound blanked"
BASIC, CLEAN_PIXELS, MODIFIED_DATES = "113100", "113101", "113107"
_MEANINGS = {
    BASIC: "Basic Application Confidentiality Profile",
    CLEAN_PIXELS: "Clean Pixel Data Option",
    MODIFIED_DATES: "Retain Longitudinal Temporal Information Modified Dates Option",
}

KEPT_NUMBERS = (
    "FrameTime",
    "FrameTimeVector",
    "FrameDelay",
    "CineRate",
    "RecommendedDisplayFrameRate",
    "ActualFrameDuration",
    "EffectiveDuration",
    "PreferredPlaybackSequencing",
    "DepthOfScanField",
    "MechanicalIndex",
    "BoneThermalIndex",
    "SoftTissueThermalIndex",
    "CranialThermalIndex",
    "PixelAspectRatio",
    "LossyImageCompressionRatio",
    "SeriesNumber",
    "InstanceNumber",
)
KEPT_TERMS = ("TransducerType", "ImageLaterality", "Laterality", "LossyImageCompressionMethod")
KEPT_TEXTS = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions")
EMPTY = (
    "StudyDate",
    "StudyTime",
    "ContentDate",
    "ContentTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "PatientOrientation",
    "Laterality",
    "SeriesNumber",
    "InstanceNumber",
)
"""Fields that the image object must have (type 2) and whose value is taken out."""
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
REGION_NUMBERS = (
    "RegionSpatialFormat",
    "RegionDataType",
    "RegionFlags",
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
    "ReferencePixelX0",
    "ReferencePixelY0",
    "PhysicalUnitsXDirection",
    "PhysicalUnitsYDirection",
    "ReferencePixelPhysicalValueX",
    "ReferencePixelPhysicalValueY",
    "PhysicalDeltaX",
    "PhysicalDeltaY",
    "TransducerFrequency",
    "PulseRepetitionFrequency",
)
BODY_PARTS = frozenset(
    {"ANKLE", "ARM", "AXILLA", "CALF", "ELBOW", "EXTREMITY", "FINGER", "FOOT", "FOREARM", "GROIN", "HAND"}
    | {"HIP", "KNEE", "LEG", "NECK", "PELVIS", "POPLITEALFOSSA", "SHOULDER", "THIGH", "THUMB", "TOE", "WRIST"}
)
"""Defined terms of PS3.16 Annex L for where these nerves run; other words in BodyPartExamined go."""
_TERM = re.compile(r"[A-Z0-9_ ]{1,16}")
_NUMBERS = {"DS", "IS", "FD", "FL", "US", "UL", "SS", "SL"}
_SHORTEST = 3
"""Letters from which a word of a name is looked for in kept texts."""


def says_text(data: bytes) -> bool:
    """Whether the file says that identifying text is written into its pixels."""
    return str(parse_dicom(data).get("BurnedInAnnotation", "")).strip().upper() == "YES"


def stated_boxes(data: bytes) -> list[Box]:
    """The stated regions of two-dimensional ultrasound, (top, left, bottom, right) px; may be empty."""
    dataset = parse_dicom(data)
    size = int(dataset.Columns), int(dataset.Rows)
    found = []
    for item in dataset.get("SequenceOfUltrasoundRegions", None) or ():
        box = region_box(item, size)
        if box is not None and item.get("RegionSpatialFormat") == TWO_DIMENSIONAL and _sides(box) >= 8:
            found.append(box)
    return found


def clean_dicom(
    data: bytes,
    frames: Callable[[int], np.ndarray],
    n_frames: int,
    salt: bytes,
    pseudonym: str = "",
    shift_dates: bool = False,
    text_may_remain: bool = False,
) -> tuple[bytes, tuple[str, ...]]:
    """A new DICOM ultrasound file, losslessly compressed (JPEG 2000), without identity.

    Args:
        data: the file as it came.
        frames: gives each cleaned frame, uint8 (H, W).
        n_frames: how many there are.
        salt: secret for new UIDs, pseudonym and dates.
        pseudonym: of the patient; by default from the salt and the patient's number or name.
        shift_dates: keep dates, all of a patient moved back by the same days.
        text_may_remain: then BurnedInAnnotation is not set to NO.

    Returns:
        The file's bytes, and what was removed or replaced, in words without values.
    """
    from pydicom.uid import JPEG2000Lossless

    old = parse_dicom(data)
    new = _new(old, n_frames, salt)
    patient = f"{old.get('PatientID', '')}|{old.get('PatientName', '')}"
    new.PatientID = pseudonym or "ANON-" + _secret(salt, "patient", patient)[:12].upper()
    new.PatientName = f"{new.PatientID}^"  # a family name alone (PS3.5 6.2.1)
    _keep_allowed(old, new)
    _keep_geometry(old, new)
    options = [BASIC, CLEAN_PIXELS]
    if shift_dates:
        _shift_dates(old, new, 1 + int(_secret(salt, "days", patient)[:8], 16) % 3650)
        options.append(MODIFIED_DATES)
    _state(new, options, text_may_remain)
    _drop_named(old, new)
    new.file_meta.TransferSyntaxUID = JPEG2000Lossless
    _write_pixels(new, frames, n_frames)
    stream = io.BytesIO()
    new.save_as(stream, enforce_file_format=True)
    return stream.getvalue(), _removed(old, new)


def header_rows(before: bytes, after: bytes) -> Iterator[tuple[str, str, str]]:
    """Name, value before and value after of every field of the header, pixels left out."""
    old, new = parse_dicom(before), parse_dicom(after)
    for tag in sorted({*old.keys(), *new.keys()}):
        if tag.group in (0x7FE0, 0x0028) or tag.element == 0:
            continue
        shown = [str(each[tag].repval)[:120] if tag in each else "" for each in (old, new)]
        yield _name_of(old if tag in old else new, tag), shown[0], shown[1]


def _new(old: Dataset, n_frames: int, salt: bytes) -> Dataset:
    """What every cleaned file has, whatever the old one said."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import (
        PYDICOM_IMPLEMENTATION_UID,
        UltrasoundImageStorage,
        UltrasoundMultiFrameImageStorage,
    )

    new = Dataset()
    new.SpecificCharacterSet = "ISO_IR 192"
    new.SOPClassUID = UltrasoundMultiFrameImageStorage if n_frames > 1 else UltrasoundImageStorage
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(new, name, _uid(salt, str(old.get(name, "") or name)))
    new.Modality = "US"
    new.ImageType = ["DERIVED", "PRIMARY"]
    for name in EMPTY:
        setattr(new, name, "")
    new.file_meta = FileMetaDataset()
    new.file_meta.MediaStorageSOPClassUID = new.SOPClassUID
    new.file_meta.MediaStorageSOPInstanceUID = new.SOPInstanceUID
    new.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    return new


def _keep_allowed(old: Dataset, new: Dataset) -> None:
    """Copy the fields that stay, each only when its value is of the kind it should be."""
    new.Manufacturer = ""
    for name in (*KEPT_NUMBERS, *KEPT_TERMS, *KEPT_TEXTS, "BodyPartExamined"):
        element = old[name] if name in old else None  # noqa: SIM401 - get() gives the value
        if element is None or element.is_empty:
            continue
        text = str(element.value).strip()
        if name in KEPT_NUMBERS:
            fits = element.VR in _NUMBERS and len(text) < 20_000
        elif name in KEPT_TEXTS:
            fits = element.VR == "LO" and len(text) <= 128 and text.isprintable()
        elif name == "BodyPartExamined":
            fits = text in BODY_PARTS
        else:
            fits = element.VR == "CS" and all(_TERM.fullmatch(str(one)) for one in _values(element))
        if fits:
            new[element.tag] = element
    if "FrameTime" in new or "FrameTimeVector" in new:
        new.FrameIncrementPointer = 0x00181065 if "FrameTimeVector" in new else 0x00181063
    new.LossyImageCompression = "01" if _was_lossy(old) else "00"


def _keep_geometry(old: Dataset, new: Dataset) -> None:
    """The regions by their numbers; a calibrated PixelSpacing becomes a region of the whole frame."""
    from pydicom import Dataset

    items = []
    for item in old.get("SequenceOfUltrasoundRegions", None) or ():
        kept = Dataset()
        for name in REGION_NUMBERS:
            if name in item and item[name].VR in _NUMBERS and not item[name].is_empty:
                kept[name] = item[name]
        if len(kept):
            items.append(kept)
    stated = calibration(old, (int(old.Columns), int(old.Rows)))
    if not stated.regions and stated.spacing_mm is not None:
        kept = Dataset()
        kept.RegionSpatialFormat, kept.RegionDataType, kept.RegionFlags = TWO_DIMENSIONAL, 1, 0
        kept.RegionLocationMinX0 = kept.RegionLocationMinY0 = 0
        kept.RegionLocationMaxX1, kept.RegionLocationMaxY1 = int(old.Columns) - 1, int(old.Rows) - 1
        kept.PhysicalUnitsXDirection = kept.PhysicalUnitsYDirection = 3
        kept.PhysicalDeltaY, kept.PhysicalDeltaX = (each / 10 for each in stated.spacing_mm)
        items = [kept]
    if items:
        new.SequenceOfUltrasoundRegions = items


def _state(new: Dataset, options: list[str], text_may_remain: bool) -> None:
    """Say in the file what was done to it (PS3.3 C.7.1.1, C.12.1)."""
    from pydicom import Dataset

    new.PatientIdentityRemoved = "YES"
    new.DeidentificationMethod = METHOD
    codes = []
    for option in options:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator = option, "DCM"
        code.CodeMeaning = _MEANINGS[option]
        codes.append(code)
    new.DeidentificationMethodCodeSequence = codes
    new.LongitudinalTemporalInformationModified = "MODIFIED" if MODIFIED_DATES in options else "REMOVED"
    if not text_may_remain:
        new.BurnedInAnnotation = "NO"


def _shift_dates(old: Dataset, new: Dataset, days: int) -> None:
    for name in DATES:
        text = str(old.get(name, "") or "")
        if re.fullmatch(r"\d{8}", text):
            try:
                day = date(int(text[:4]), int(text[4:6]), int(text[6:])) - timedelta(days=days)
            except (ValueError, OverflowError):
                continue
            setattr(new, name, day.strftime("%Y%m%d"))


def _drop_named(old: Dataset, new: Dataset) -> None:
    """Empty kept texts that hold a word of a person's name or of the patient's numbers."""
    words: set[str] = set()
    for element in old:
        if element.VR == "PN" or element.keyword in ("PatientID", "OtherPatientIDs", "AccessionNumber"):
            words.update(re.split(r"[\^=\\,;\s]+", str(element.value).lower()))
    words = {word for word in words if len(word) >= _SHORTEST}
    for name in KEPT_TEXTS:
        if any(word in str(new.get(name, "")).lower() for word in words):
            setattr(new, name, "")


def _write_pixels(new: Dataset, frames: Callable[[int], np.ndarray], n_frames: int) -> None:
    """The frames as 8-bit grey, one at a time, so that a long clip is never whole in memory."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_encoder

    first = frames(0)
    new.Rows, new.Columns = first.shape
    new.SamplesPerPixel, new.PhotometricInterpretation = 1, "MONOCHROME2"
    new.BitsAllocated, new.BitsStored, new.HighBit, new.PixelRepresentation = 8, 8, 7, 0
    if n_frames > 1:
        new.NumberOfFrames = n_frames
        if "FrameIncrementPointer" not in new:
            new.FrameTime, new.FrameIncrementPointer = "0", 0x00181063
    else:
        for name in ("FrameIncrementPointer", "FrameTimeVector"):
            new.pop(name, None)
    encoder = get_encoder(new.file_meta.TransferSyntaxUID)
    described = {
        "rows": first.shape[0],
        "columns": first.shape[1],
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "encoding_plugin": "pylibjpeg",
    }
    packed = [encoder.encode(frames(number), **described) for number in range(n_frames)]
    new.PixelData = encapsulate(packed)
    new["PixelData"].VR = "OB"
    new["PixelData"].is_undefined_length = True


def _removed(old: Dataset, new: Dataset) -> tuple[str, ...]:
    """Names of the fields that went or changed; private ones as a number."""
    found: list[str] = []
    private = sum(1 for tag in old.keys() if tag.is_private)  # noqa: SIM118 - a Dataset yields elements
    for tag in sorted(old.keys()):
        if tag.is_private or tag.group in (0x0028, 0x7FE0) or tag.element == 0:
            continue
        if old[tag].is_empty or (tag in new and str(new[tag].value) == str(old[tag].value)):
            continue
        found.append(_name_of(old, tag))
    if private:
        found.append(f"{private} private fields")
    return tuple(found)


def _name_of(dataset: Dataset, tag: Any) -> str:
    from pydicom.datadict import dictionary_description

    try:
        return dictionary_description(tag)
    except KeyError:
        return f"unknown field {tag}"


def _was_lossy(old: Dataset) -> bool:
    if str(old.get("LossyImageCompression", "")) == "01":
        return True
    syntax = str(old.file_meta.TransferSyntaxUID)
    return syntax in {f"1.2.840.10008.1.2.4.{last}" for last in ("50", "51", "81", "91", "203")}


def _values(element: Any) -> list[Any]:
    return list(element.value) if element.VM > 1 else [element.value]


def _sides(box: Box) -> int:
    return min(box[2] - box[0], box[3] - box[1])


def _secret(salt: bytes, kind: str, text: str) -> str:
    return hmac.new(salt, f"{kind}|{text}".encode("utf-8", "replace"), "sha256").hexdigest()


def _uid(salt: bytes, uid: str) -> str:
    """The UID that stands for another, of the root 2.25 (PS3.5 B.2), at most 44 characters."""
    return f"2.25.{int(_secret(salt, 'uid', uid)[:32], 16)}"
