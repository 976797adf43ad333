"""Images with masks of the same name: in two folders, or as ``NAME_mask`` beside the image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nerve_core.data.importers.layout import Item, Layout, pictures
from nerve_core.errors import DataError

IMAGES = ("images", "image", "img", "imgs")
MASKS = ("masks", "mask", "labels", "annotations", "segmentations")
MARK = "_mask"
"""What a mask's name ends in when it lies beside its image."""
ENDINGS = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")


def matches(folder: Path) -> bool:
    """Whether there are two such folders, or a mask beside an image."""
    return bool(_two_folders(folder)) or any(is_mask(path) for path, _ in pictures(folder))


def items(folder: Path, layout: Layout) -> Iterator[Item]:
    """Every image with its mask; an image without one has none.

    Raises:
        DataError: a folder of the layout is missing.
    """
    for images, masks in layout.folders or _two_folders(folder) or (("", ""),):
        if not (folder / images).is_dir() or not (folder / masks).is_dir():
            missing = images if not (folder / images).is_dir() else masks
            raise DataError(f"There is no folder {missing!r} in the set; check that it was unpacked whole.")
        for path, inner in pictures(folder / images):
            if is_mask(path):
                continue
            name = f"{images}/{inner}".lstrip("/")
            mask = beside(path) if images == masks else _in(folder / masks, inner)
            yield Item(path, name, layout.group_of(name, name.rpartition(".")[0]), mask)


def is_mask(path: Path) -> bool:
    """Whether a file's name says that it is a mask."""
    return path.stem.lower().endswith(MARK)


def beside(path: Path) -> Path | None:
    """The mask that lies beside an image, if any."""
    return _in(path.parent, path.stem + MARK + path.suffix)


def _in(folder: Path, inner: str) -> Path | None:
    """The mask for the image at ``inner``, whatever its ending."""
    place = folder / inner
    for stem in (place.stem, place.stem + MARK):
        for ending in (place.suffix, *ENDINGS):
            mask = place.with_name(stem + ending)
            if mask.is_file():
                return mask
    return None


def _two_folders(folder: Path) -> tuple[tuple[str, str], ...]:
    inside = {path.name.lower(): path.name for path in folder.iterdir() if path.is_dir()}
    images = next((inside[name] for name in IMAGES if name in inside), None)
    masks = next((inside[name] for name in MASKS if name in inside), None)
    return ((images, masks),) if images and masks else ()
