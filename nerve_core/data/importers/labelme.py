"""LabelMe: a JSON file for each image, with polygons, rectangles and circles."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nerve_core.data.importers.layout import Item, Layout, files, json_files, pictures, size_of
from nerve_core.data.importers.polygons import filled, nerve_labels
from nerve_core.errors import DataError


def matches(folder: Path) -> bool:
    """Whether the first JSON file is LabelMe's."""
    found = next((found for _, found in json_files(folder)), None)
    return isinstance(found, dict) and "shapes" in found


def items(folder: Path, layout: Layout) -> Iterator[Item]:
    """Every annotated image; an image without a nerve contour has no mask.

    The image is looked for where ``imagePath`` says, then by its name anywhere in the set.

    Raises:
        DataError: a file is damaged, an image is missing, or which label is nerve cannot be told.
    """
    places: dict[str, Path] = {path.name: path for path, _ in pictures(folder)}
    annotated = [path for path, _ in files(folder) if path.suffix.lower() == ".json"]
    labels = nerve_labels(
        {shape["label"] for path in annotated for shape in _read(path)[1]}, layout.nerve_labels
    )
    for path in annotated:
        said, shapes = _read(path)
        base = said.replace("\\", "/").rpartition("/")[2]
        image = path.with_name(base) if base and path.with_name(base).is_file() else places.get(base)
        if image is None:
            raise DataError(f"{path.name} belongs to the image {base!r}, which is not in the set; add it.")
        name = image.relative_to(folder).as_posix()
        nerves = [shape for shape in shapes if shape["label"] in labels]
        try:
            mask = filled(size_of(image), map(_outline, nerves)) if nerves else None
        except (KeyError, TypeError, ValueError) as fault:
            raise DataError(f"A contour of {path.name} cannot be drawn: {fault}.") from None
        yield Item(image, name, layout.group_of(name, name.rpartition(".")[0]), mask)


def _read(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Image path and shapes of one file; the embedded image is dropped."""
    try:
        found = json.loads(path.read_bytes())
        shapes = [
            {key: shape.get(key) for key in ("label", "points", "shape_type")} for shape in found["shapes"]
        ]
        return str(found.get("imagePath") or path.stem), shapes
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{path.name} is no LabelMe file; take it out, or export it again.") from None


def _outline(shape: dict[str, Any]) -> list[list[float]]:
    """A shape as a polygon of (x, y) px."""
    points, kind = shape["points"], shape.get("shape_type") or "polygon"
    if kind == "polygon":
        return points
    (left, top), (right, bottom) = points
    if kind == "rectangle":
        return [[left, top], [right, top], [right, bottom], [left, bottom]]
    if kind == "circle":  # centre and a point of the rim
        radius = math.hypot(right - left, bottom - top)
        turns = [2 * math.pi * step / 90 for step in range(90)]
        return [[left + radius * math.cos(turn), top + radius * math.sin(turn)] for turn in turns]
    raise ValueError(f"a {kind} has no area")
