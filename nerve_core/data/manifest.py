"""Lists of images with their truth: a CSV manifest, or a plain folder ``affected/ unaffected/``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nerve_core.errors import DataError

LABELS = ("affected", "unaffected")
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm"}
PATH_COLUMNS = ("image", "mask", "mask_vessel")
"""Columns that hold paths; ``mask_vessel`` marks arteries and veins, where somebody drew them."""
OPEN_LICENCES = ("cc0", "cc-by", "cc by", "mit", "public domain", "apache")
"""Beginnings of the licences under which weights may be trained and passed on freely."""

MAX_ROWS = 5_000_000
"""Longest manifest read at once: about 4 GB of memory."""

Row = dict[str, str]


def read_manifest(path: str | Path, *, with_groups: bool = True) -> list[Row]:
    """Rows of a manifest, with paths (``PATH_COLUMNS``) made absolute and ``set`` added.

    Args:
        path: a CSV with the columns ``image, mask, label, group`` (the rest optional, every column is
            kept), a folder that holds a ``manifest.csv``, one that ``data pack`` wrote, or a folder with
            subfolders ``affected`` and ``unaffected``, whose images are each a group of their own.
        with_groups: False lets rows without a group through, for a check that names them all.

    Returns:
        One dict of strings a row; a missing mask or label is the empty string.

    Raises:
        DataError: when there is nothing to read, a column is missing, a label is unknown, a path leads out of
            the manifest's folder through ``..``, or there are more than ``MAX_ROWS`` rows.
    """
    path = Path(path)
    if path.is_dir() and (path / "manifest.csv").is_file():
        path = path / "manifest.csv"
    if path.is_dir() and (path / "index.json").is_file():
        from nerve_core.data.shards import packed_rows

        rows = packed_rows(path)
    elif path.is_dir():
        rows = _read_folder(path)
    elif path.is_file():
        rows = _read_csv(path, with_groups)
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


def _read_csv(path: Path, with_groups: bool) -> list[Row]:
    _check_length(path)
    folder = path.resolve().parent
    rows: list[Row] = []
    known: dict[str, str] = {}  # one string for each value that repeats, since there may be millions
    for line, row in _lines(path):
        row = {key: known.setdefault(value or "", value or "") for key, value in row.items() if key}
        if not row["image"] or (with_groups and not row["group"]):
            raise DataError(f"Line {line} of {path.name} has no image or no group; fill both in.")
        label = row.setdefault("label", "")
        if label and label not in LABELS:
            raise DataError(
                f"Line {line} of {path.name}: label {label!r} is neither affected nor unaffected."
            )
        row.setdefault("mask", "")
        for column in PATH_COLUMNS:
            given = row.get(column, "")
            if ".." in given.replace("\\", "/").split("/") or "\0" in given:
                raise DataError(
                    f"Line {line} of {path.name}: the path {given!r} leads out of the manifest's folder; "
                    "put the scans below it, or give the whole path."
                )
            if given:
                row[column] = str(folder / given)
        row.setdefault("set", folder.name)
        rows.append(row)
    return rows


def _check_length(path: Path) -> None:
    """Refuse a manifest of too many lines before any of it takes memory."""
    with path.open("rb") as file:
        counts = [(part.count(b"\n"), part.count(b"\r")) for part in iter(lambda: file.read(2**20), b"")]
    images = (
        max(map(sum, zip(*counts, strict=True)), default=0) - 1
    )  # the header; a last line without its end is let through
    if images > MAX_ROWS:
        raise DataError(
            f"{path.name} lists {images:,} images, more than the {MAX_ROWS:,} that are read at once; "
            "divide it into several manifests."
        )


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and raw rows of a CSV that has the columns needed."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"image", "group"} - set(reader.fieldnames or ())
            if missing:
                raise DataError(
                    f"{path.name} has no column {sorted(missing)[0]!r}; a manifest needs image and group."
                )
            yield from enumerate(reader, start=2)
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8 text; save the manifest as CSV in UTF-8.") from None
    except csv.Error as fault:
        raise DataError(f"{path.name} is damaged CSV ({fault}); save the manifest again.") from None


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
