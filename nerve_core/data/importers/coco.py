"""COCO: one JSON file with ``images``, ``annotations`` and ``categories``; polygons and run lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nerve_core.data.importers.layout import Item, Layout, json_files, pictures, size_of
from nerve_core.data.importers.polygons import filled, nerve_labels
from nerve_core.errors import DataError


def matches(folder: Path) -> bool:
    """Whether there is such a file."""
    return any(True for _ in _tables(folder))


def items(folder: Path, layout: Layout) -> Iterator[Item]:
    """Every image listed; one without a nerve annotation has no mask.

    Raises:
        DataError: an annotation cannot be drawn, an image is missing, or which category is nerve is open.
    """
    places = {path.name: path for path, _ in pictures(folder)}
    for table, found in _tables(folder):
        try:
            category = {item["id"]: str(item["name"]) for item in found["categories"]}
            drawn: dict[Any, list[dict[str, Any]]] = defaultdict(list)
            for annotation in found["annotations"]:
                drawn[annotation["image_id"]].append(annotation)
            used = {category[one["category_id"]] for several in drawn.values() for one in several}
            listed = [(image["id"], str(image["file_name"])) for image in found["images"]]
        except (KeyError, TypeError) as fault:
            raise DataError(
                f"{table.name} is no whole COCO file: {fault} is missing; export it again."
            ) from None
        labels = nerve_labels(used, layout.nerve_labels)
        for number, file_name in listed:
            base = file_name.replace("\\", "/").rpartition("/")[2]
            image = places.get(base)
            if image is None:
                raise DataError(f"{table.name} lists the image {base!r}, which is not in the set; add it.")
            nerves = [one for one in drawn[number] if category[one["category_id"]] in labels]
            try:
                mask = _mask(size_of(image), nerves) if nerves else None
            except (KeyError, TypeError, ValueError, IndexError) as fault:
                raise DataError(
                    f"An annotation of {base} in {table.name} cannot be drawn: {fault}."
                ) from None
            name = image.relative_to(folder).as_posix()
            yield Item(image, name, layout.group_of(name, name.rpartition(".")[0]), mask)


def _tables(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path, found in json_files(folder):
        if isinstance(found, dict) and {"images", "annotations", "categories"} <= set(found):
            yield path, found


def _mask(shape: tuple[int, int], annotations: list[dict[str, Any]]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for annotation in annotations:
        drawn = annotation["segmentation"]
        if isinstance(drawn, dict):
            mask |= run_lengths(drawn, shape)
        else:
            mask |= filled(shape, (np.reshape(np.asarray(one, float), (-1, 2)) for one in drawn))
    return mask


def run_lengths(drawn: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    """Boolean mask (H, W) of COCO run lengths, plain or packed into text, counted down the columns.

    Raises:
        ValueError: they are of another size, or do not fill the image.
    """
    if tuple(drawn["size"]) != shape:
        raise ValueError(f"its size {drawn['size']} is not that of the image")
    counts = drawn["counts"]
    counts = np.asarray(_unpacked(counts) if isinstance(counts, str) else counts, np.int64)
    if (counts < 0).any() or counts.sum() != shape[0] * shape[1]:
        raise ValueError("its run lengths do not fill the image")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(shape, order="F")


def _unpacked(text: str) -> list[int]:
    """Run lengths out of the text that the COCO API writes: 5 bits a letter, from the
    fourth on relative to the one before the last."""
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        code = ord(letter) - 48
        value |= (code & 0x1F) << shift
        shift += 5
        if not code & 0x20:
            if code & 0x10:
                value -= 1 << shift
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    return counts
