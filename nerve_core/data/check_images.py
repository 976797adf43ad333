"""What is wrong with the images and masks of a set, each opened once and none kept."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from nerve_core.data.check import Finding, amount, names
from nerve_core.data.check_duplicates import NONE, Fingerprints, near_duplicates
from nerve_core.data.check_text import burnt_in_text
from nerve_core.data.manifest import Row
from nerve_core.data.packed import read_masks
from nerve_core.errors import DataError, RefusedScan, ScanError
from nerve_core.imaging.read import ScanFile, open_scan


@dataclass
class _Seen:
    """Row indices by what was seen, and one example of what was said."""

    unreadable: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    sizes: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    text: list[int] = field(default_factory=list)


def check_images(rows: Sequence[Row], progress: Callable[[float], None] | None = None) -> list[Finding]:
    """Unreadable files, masks of another size, empty masks, burnt-in text, near-duplicates.

    Every frame of a file must be readable, and its mask must have one page or as many as there are frames;
    all else is judged by the first frame. Arguments as in ``check_rows``.
    """
    seen = _Seen()
    prints = Fingerprints(len(rows))
    for index, row in enumerate(rows):
        _look(index, row, seen, prints)
        if progress is not None:
            progress((index + 1) / len(rows))
    return [*_files(rows, seen), *_copies(rows, prints)]


def _look(index: int, row: Row, seen: _Seen, prints: Fingerprints) -> None:
    try:
        opened = open_scan(row["image"])
        scan = opened.scan()
        for frame in range(1, opened.n_frames):
            _readable(opened, frame, bool(row.get("mask")))
    except ScanError as fault:
        seen.unreadable[f"The image: {fault}"].append(index)
        return
    top, left, bottom, right = scan.region
    prints.add(index, scan.pixels[top:bottom, left:right])
    if burnt_in_text(_with_marks(row["image"], scan.pixels)):
        seen.text.append(index)
    if not row.get("mask"):
        return
    try:
        masks = read_masks(row["mask"], scan.pixels.shape)
    except DataError as fault:
        if not os.path.isfile(row["mask"]):
            seen.unreadable["The mask file is not there; check its path."].append(index)
        elif "cannot be read" in str(fault):
            seen.unreadable["The mask cannot be read; give a PNG of 0 and 255."].append(index)
        else:
            seen.sizes.append(index)
        return
    if len(masks) not in (1, opened.n_frames):
        seen.pages.append(index)
    if not any(mask.any() for mask in masks):
        seen.empty.append(index)


def _readable(opened: ScanFile, frame: int, contoured: bool) -> None:
    """Decode a frame after the first, and say which one could not be; blank ones only matter for contours."""
    try:
        opened.scan(frame)
    except ScanError as fault:
        if isinstance(fault, RefusedScan) and not contoured:
            return
        raise ScanError(f"of its {opened.n_frames} frames, number {frame} (from 0): {fault}") from None


def _with_marks(path: str, cleaned: np.ndarray) -> np.ndarray:
    """The picture with coloured text still in it, which reading paints over; ``cleaned`` for a DICOM file."""
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    return cleaned if picture is None else picture.max(axis=2)


def _files(rows: Sequence[Row], seen: _Seen) -> Iterable[Finding]:
    for said, places in seen.unreadable.items():
        shown = names(os.path.basename(rows[index]["image"]) for index in places)
        message = f"{amount(len(places), 'scan')} that cannot be used ({shown}). {said}"
        yield Finding("unreadable", True, message, tuple(places))
    if seen.sizes:
        shown = names(os.path.basename(rows[index]["mask"]) for index in seen.sizes)
        message = (
            f"{amount(len(seen.sizes), 'mask')} of another size than the scan ({shown}); "
            "draw them on the scan itself."
        )
        yield Finding("size-mismatch", True, message, tuple(seen.sizes))
    if seen.pages:
        shown = names(os.path.basename(rows[index]["mask"]) for index in seen.pages)
        message = (
            f"{amount(len(seen.pages), 'mask')} with another number of pages than the scan has frames "
            f"({shown}); give one page a frame, or one for the first frame."
        )
        yield Finding("size-mismatch", True, message, tuple(seen.pages))
    if seen.empty:
        message = (
            f"{amount(len(seen.empty), 'mask')} without any nerve; leave the mask column empty where no "
            "contour was drawn, since an empty mask teaches that there is no nerve."
        )
        yield Finding("empty-mask", False, message, tuple(seen.empty))
    if seen.text:
        message = (
            f"{amount(len(seen.text), 'scan')} with what looks like text in the picture (a row of at least "
            "four bright marks of one height on an even ground); see whether it names a patient."
        )
        yield Finding("burnt-in-text", False, message, tuple(seen.text))


def _copies(rows: Sequence[Row], prints: Fingerprints) -> Iterable[Finding]:
    cluster = near_duplicates(prints)
    members: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(cluster):
        if number != NONE:
            members[int(number)].append(index)
    if not members:
        return

    def key(index: int) -> tuple[str, str]:
        return rows[index].get("set", ""), rows[index].get("group", "")

    across = [found for found in members.values() if len({key(index) for index in found}) > 1]
    places = tuple(sorted(index for found in members.values() for index in found))
    message = f"{amount(len(places), 'image')} in {amount(len(members), 'set')} of near-copies"
    message += (
        f", {len(across):,} of them across groups: {_pairs(across, key)}."
        if across
        else ", each within one group, as frames of one sweep are."
    )
    yield Finding("near-duplicate", False, message, places)
    torn = [
        found
        for found in across
        if len({rows[index].get("split", "") or str(key(index)) for index in found}) > 1
    ]
    if torn:
        yield Finding(
            "straddling",
            True,
            f"Near-copies lie in different groups ({_pairs(torn, key)}), so a split by group puts them on "
            "two sides; give them one group, or keep one copy.",
            tuple(sorted(index for found in torn for index in found)),
        )


def _pairs(clusters: Sequence[list[int]], key: Callable[[int], tuple[str, str]]) -> str:
    return names(" with ".join(sorted({key(index)[1] for index in found})[:3]) for found in clusters)
