"""Millimetre scales kept by name for a machine and depth setting, for scans whose file states none.

A scale belongs to a picture size: the same machine writes another scale into a picture of another size, so a
preset is refused elsewhere. The file holds names, numbers and nothing of a scan.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nerve_core.config import settings
from nerve_core.errors import DataError
from nerve_core.files import sync_folder

FILE = "scale-presets.json"
"""Name of the file in the records folder."""

LONGEST, MOST = 60, 200
"""Most letters of a name, and most presets kept."""

SMALLEST, LARGEST = 0.001, 2.0
"""Scales that an ultrasound picture may have, mm per px."""


@dataclass(frozen=True)
class Preset:
    """The scale of one machine at one depth.

    Attributes:
        name: as the site calls it, such as ``TE7, 4 cm``.
        mm_per_px: of square pixels.
        height, width: of the pictures it holds for, px.
    """

    name: str
    mm_per_px: float
    height: int
    width: int

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= LONGEST or self.name != self.name.strip():
            raise DataError(f"A preset needs a name of 1 to {LONGEST} letters.")
        if not (math.isfinite(self.mm_per_px) and SMALLEST <= self.mm_per_px <= LARGEST):
            raise DataError(
                f"A scale of {self.mm_per_px:g} mm a pixel cannot be that of an ultrasound picture: "
                "set the ruler again."
            )
        if self.height < 1 or self.width < 1:
            raise DataError("A preset needs the size of the picture it holds for.")

    def refusal(self, height: int, width: int) -> str | None:
        """A sentence where the preset does not hold for a picture of this size, else None."""
        if (height, width) == (self.height, self.width):
            return None
        return (
            f"“{self.name}” holds for pictures of {self.width} × {self.height} px; this one has "
            f"{width} × {height} px, so its scale is another. Set it with the ruler."
        )


def place() -> Path:
    """The file of the presets; it need not be there."""
    return settings().records / FILE


def load(path: Path | None = None) -> dict[str, Preset]:
    """The presets kept in a file, by name; none where there is no file.

    Raises:
        DataError: the file cannot be read or is none of ours.
    """
    path = path or place()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["presets"]
        found = [Preset(row["name"], float(row["mm_per_px"]), row["height"], row["width"]) for row in rows]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DataError) as error:
        raise DataError(
            f"The kept scales in {path.name} cannot be read; repair or remove it in the records folder."
        ) from error
    return {preset.name: preset for preset in found}


def save(presets: Mapping[str, Preset], path: Path | None = None) -> None:
    """Replace the file by these presets, whole or not at all.

    Raises:
        DataError: too many, or the folder cannot be written.
    """
    path = path or place()
    if len(presets) > MOST:
        raise DataError(f"At most {MOST} scales are kept: remove one first.")
    text = json.dumps({"presets": [asdict(preset) for preset in presets.values()]}, indent=1)
    handle, temporary = -1, ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise DataError("The scale could not be kept: the records folder cannot be written.") from error


def keep(preset: Preset, path: Path | None = None) -> None:
    """Add a preset, or replace the one of its name. Raises DataError."""
    save(load(path) | {preset.name: preset}, path)


def forget(name: str, path: Path | None = None) -> None:
    """Remove a preset, if it is there. Raises DataError."""
    kept = load(path)
    if kept.pop(name, None) is not None:
        save(kept, path)
