"""Lists of images with their truth: a CSV manifest, or a plain folder ``affected/ unaffected/``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from nerve_core.errors import DataError

LABELS = ("affected", "unaffected")
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm"}
OPEN_LICENCES = ("cc0", "cc-by", "cc by", "mit", "public domain", "apache")
"""Beginnings of the licences under which weights may be trained and passed on freely."""

Row = dict[str, str]


def read_manifest(path: str | Path) -> list[Row]:
    """Rows of a manifest, with ``image`` and ``mask`` made absolute and ``set`` added.

    Args:
        path: a CSV with the columns ``image, mask, label, group`` (the rest optional, every column is
            kept), a folder that holds a ``manifest.csv``, or a folder with subfolders ``affected`` and
            ``unaffected``, whose images are each a group of their own.

    Returns:
        One dict of strings a row; a missing mask or label is the empty string.

    Raises:
        DataError: when there is nothing to read, a column is missing or a label is unknown.
    """
    path = Path(path)
    if path.is_dir() and (path / "manifest.csv").is_file():
        path = path / "manifest.csv"
    if path.is_dir():
        rows = _read_folder(path)
    elif path.is_file():
        rows = _read_csv(path)
    else:
        raise DataError(f"There is no manifest at {path}; give a CSV file or a folder affected/ unaffected/.")
    if not rows:
        raise DataError(f"{path} lists no images; add at least one row.")
    return rows


def read_manifests(paths: Sequence[str | Path]) -> list[Row]:
    """Rows of several manifests, one after the other."""
    return [row for path in paths for row in read_manifest(path)]


def is_open(row: Row) -> bool:
    """Whether a row's licence allows weights that anyone may use."""
    licence = row.get("licence", "").strip().lower()
    return licence.startswith(OPEN_LICENCES) and not re.search(r"\bnc\b|non", licence)


def is_simulated(row: Row) -> bool:
    """Whether a row shows a phantom; those teach contours, but no figure and no named site rests on them."""
    return row.get("simulated") == "1"


def _read_csv(path: Path) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8 text; save the manifest as CSV in UTF-8.") from None
    with io.StringIO(text, newline="") as file:
        reader = csv.DictReader(file)
        missing = {"image", "group"} - set(reader.fieldnames or ())
        if missing:
            raise DataError(
                f"{path.name} has no column {sorted(missing)[0]!r}; a manifest needs image and group."
            )
        rows = [{key: value or "" for key, value in row.items() if key} for row in reader]
    folder = path.resolve().parent
    for line, row in enumerate(rows, start=2):
        if not row["image"] or not row["group"]:
            raise DataError(f"Line {line} of {path.name} has no image or no group; fill both in.")
        label = row.setdefault("label", "")
        if label and label not in LABELS:
            raise DataError(
                f"Line {line} of {path.name}: label {label!r} is neither affected nor unaffected."
            )
        row["image"] = str(folder / row["image"])
        row["mask"] = str(folder / row["mask"]) if row.get("mask") else ""
        row.setdefault("set", folder.name)
    return rows


def _read_folder(folder: Path) -> list[Row]:
    rows = []
    for label in LABELS:
        for image in sorted((folder / label).glob("*")):
            if image.suffix.lower() in IMAGE_SUFFIXES:
                rows.append(
                    {
                        "image": str(image.resolve()),
                        "mask": "",
                        "label": label,
                        "group": f"{label}/{image.stem}",
                        "set": folder.resolve().name,
                    }
                )
    if not rows:
        raise DataError(f"{folder} holds neither a manifest.csv nor images in affected/ and unaffected/.")
    return rows
