"""A folder of DICOM files: ultrasound images, grouped by patient without naming any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nerve_core.data.importers.layout import Item, Layout, files
from nerve_core.imaging.dicom import MODALITIES, ULTRASOUND_CLASSES, looks_like_dicom


def matches(folder: Path) -> bool:
    """Whether one of the first files is DICOM."""
    return any(_is_dicom(path) for (path, _), _ in zip(files(folder), range(50), strict=False))


def items(folder: Path, layout: Layout) -> Iterator[Item]:
    """The ultrasound images among the files; others (reports, other modalities) are left.

    A group is a patient, else a study, else a folder. Patients are numbered in the order they are met, so
    that no name or number of a patient reaches the manifest.
    """
    numbers: dict[str, int] = {}
    for path, name in files(folder):
        if not _is_dicom(path):
            continue
        found = _header(path)
        if found is None:
            continue
        owner, device = found
        key = owner or name.rpartition("/")[0]
        group = f"patient-{numbers.setdefault(key, len(numbers) + 1)}"
        yield Item(path, name, layout.group_of(name, group), more={"device": device})


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return looks_like_dicom(file.read(132))


def _header(path: Path) -> tuple[str, str] | None:
    """Patient or study, and device; None for what is no ultrasound image."""
    from pydicom import dcmread

    wanted = [
        "Modality", "SOPClassUID", "Rows", "PatientID", "StudyInstanceUID", "Manufacturer",
        "ManufacturerModelName",
    ]  # fmt: skip
    try:
        header = dcmread(path, stop_before_pixels=True, force=True, specific_tags=wanted)
        modality = str(header.get("Modality", "") or "")
        sop_class = str(header.get("SOPClassUID", "") or "")
        if modality not in MODALITIES and (modality or sop_class not in ULTRASOUND_CLASSES):
            return None
        if "Rows" not in header:
            return None
        owner = str(header.get("PatientID", "") or header.get("StudyInstanceUID", "") or "")
        device = " ".join(str(header.get(key, "") or "") for key in ("Manufacturer", "ManufacturerModelName"))
    except Exception:  # pydicom raises anything on damaged files; the check that follows names them
        return "", ""
    return owner, device.strip()
