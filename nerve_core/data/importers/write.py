"""Add a set: fetch it, read its layout, and write images, masks and a manifest, or nothing at all."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.alone import alone_with
from nerve_core.data.fetch import download, is_archive, is_url, room_on_disk, unpack, verify
from nerve_core.data.importers import KINDS, kind_of, read_items
from nerve_core.data.importers.layout import Item, Layout
from nerve_core.data.importers.masks import read_class
from nerve_core.data.manifest import IMAGE_SUFFIXES, LABELS
from nerve_core.errors import DataError

COLUMNS = ("image", "mask", "label", "group", "nerve", "site", "device", "source", "licence")


@dataclass(frozen=True)
class Plan:
    """What to add and how.

    Attributes:
        name: of the set.
        source: a folder, an archive, or the address of an archive.
        layout: how its files lie.
        sha256: checksum of the archive; None when not known.
        facts: values for ``label, nerve, site, device, source, licence`` where the files do not say them.
    """

    name: str
    source: str
    layout: Layout = field(default_factory=Layout)
    sha256: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def add_set(plan: Plan, out: Path, progress: Callable[[str, float], None] | None = None) -> Path:
    """Add a set; the folder appears only when all of it is there.

    An unfinished download is kept beside the folder and continued by the next call; everything else of a call
    that failed is taken away, at once or, after a kill, by the next call.

    Args:
        plan: what to add.
        out: the folder to make; refused when it holds anything.
        progress: told what is being done (``download`` or ``convert``) and its share from 0 to 1.

    Returns:
        Path of ``out/manifest.csv``.

    Raises:
        DataError: in one sentence, whatever is wrong with the source, its files or the folder, or another
            process that is adding the same set.
    """
    _check_free(out)
    if not is_url(plan.source) and not Path(plan.source).exists():
        raise DataError(f"There is nothing at {plan.source}; check the path.")
    work, cache = (out.parent / f".{out.name}.{what}" for what in ("adding", "download"))
    with room_on_disk(out.parent), alone_with(out):
        _check_free(out)
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir(parents=True)
            folder = _folder(plan, work, cache, progress)
            _convert(plan, folder, work / "set", progress)
            if out.exists():
                out.rmdir()
            (work / "set").rename(out)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(cache, ignore_errors=True)
    return out / "manifest.csv"


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is not empty; choose another folder with --out, or take it away first.")


def _folder(plan: Plan, work: Path, cache: Path, progress: Callable[[str, float], None] | None) -> Path:
    """The set's files in a folder, fetched and unpacked where need be."""
    if is_url(plan.source):
        told = None if progress is None else lambda share: progress("download", share)
        archive = download(plan.source, cache, told)
    else:
        archive = Path(plan.source)
    try:
        if archive.is_dir():
            folder = archive
        else:
            if plan.sha256:
                verify(archive, plan.sha256)
            if not is_archive(archive):
                raise DataError(
                    f"{archive.name} is neither a folder nor a zip or tar archive; give one of them."
                )
            folder = work / "unpacked"
            unpack(archive, folder)
    except DataError:
        shutil.rmtree(cache, ignore_errors=True)  # a download that is no good is not kept
        raise
    return _root(folder, plan.layout)


def _root(folder: Path, layout: Layout) -> Path:
    """The folder itself, or the one that an archive wraps round its files."""
    wrapped = [folder]
    while len(inside := [path for path in wrapped[-1].iterdir() if path.name != "__MACOSX"]) == 1:
        if not inside[0].is_dir() or inside[0].name in LABELS:
            break
        wrapped.append(inside[0])
    if layout.folders:
        return next((place for place in wrapped if (place / layout.folders[0][0]).is_dir()), folder)
    return wrapped[-1]


def _convert(plan: Plan, folder: Path, out: Path, progress: Callable[[str, float], None] | None) -> None:
    layout = plan.layout
    kind = layout.kind or kind_of(folder)
    if kind not in KINDS:
        raise DataError(f"There is no layout {kind!r}; use {', '.join(KINDS)}.")
    items = list(read_items(folder, layout)) if kind in ("manifest", "images", "dicom") else None
    (out / "images").mkdir(parents=True)
    (out / "masks").mkdir()
    taken: set[str] = set()
    rows: list[dict[str, str]] = []
    for number, item in enumerate(items if items is not None else read_items(folder, layout), start=1):
        row = _copy(item, kind, layout, out, taken)
        if row is not None:
            rows.append({key: value for key, value in plan.facts.items() if value} | row)
        if progress is not None and items:
            progress("convert", number / len(items))
    if not rows:
        raise DataError(
            f"No scan was found in {folder.name}; check the folder, or name the layout with --layout."
        )
    more = dict.fromkeys(key for row in rows for key in row if key not in COLUMNS)
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*COLUMNS, *more], restval="")
        table.writeheader()
        table.writerows(rows)


def _copy(item: Item, kind: str, layout: Layout, out: Path, taken: set[str]) -> dict[str, str] | None:
    """Copy a scan and its mask; its row, or None when it is left out."""
    name = _free_name(item, taken)
    row = {key: value for key, value in (item.more or {}).items() if value}
    row |= {"image": f"images/{name}", "mask": "", "group": item.group}
    if item.label:
        row["label"] = item.label
    if isinstance(item.mask, Path) and kind == "manifest":
        row["mask"] = f"masks/{Path(name).stem}{item.mask.suffix.lower()}"
        shutil.copyfile(item.mask, out / row["mask"])
    elif item.mask is not None:
        mask = read_class(item.mask, layout.nerve_value) if isinstance(item.mask, Path) else item.mask
        if layout.skip_empty and not mask.any():
            return None
        row["mask"] = f"masks/{Path(name).stem}.png"
        _write_mask(out / row["mask"], mask)
    elif layout.skip_empty:
        return None
    if item.vessels is not None:
        row["mask_vessel"] = f"masks_vessel/{Path(name).stem}{item.vessels.suffix.lower()}"
        (out / "masks_vessel").mkdir(exist_ok=True)
        shutil.copyfile(item.vessels, out / row["mask_vessel"])
    shutil.copyfile(item.image, out / row["image"])
    return row


def _free_name(item: Item, taken: set[str]) -> str:
    """A file name from the path in the set, with nothing odd in it and none twice (masks share the stem)."""
    path = Path(re.sub(r"[^\w.-]+", "_", item.name.replace("/", "_")).lstrip("._-") or "scan")
    ending = path.suffix.lower() if path.suffix.lower() in IMAGE_SUFFIXES else ".dcm"
    stem = (path.stem if ending == path.suffix.lower() else path.name)[-120:]
    name, count = stem, 1
    while name.lower() in taken:
        count += 1
        name = f"{stem}-{count}"
    taken.add(name.lower())
    return name + ending


def _write_mask(path: Path, mask: np.ndarray) -> None:
    data = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1]
    path.write_bytes(data.tobytes())
