"""Masks as others write them: 0/1, 0/255, palettes, and several classes in one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from nerve_core.errors import DataError

MIN_CLEAR = 0.98
"""Share of a mask that must be nearly black or nearly its brightest for its greys to be soft edges."""


def read_class(path: Path, value: int | None = None) -> np.ndarray:
    """Nerve of a mask file, boolean (H, W).

    Args:
        path: a picture; grey levels or, where it has a palette, its indices are the classes.
        value: the class that is nerve; None where there is one class besides the background.

    Raises:
        DataError: the file cannot be read, or holds several classes and none is chosen.
    """
    try:
        with Image.open(path) as picture:
            levels = np.asarray(picture if picture.mode in ("P", "L", "1") else picture.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise DataError(f"The mask {path.name} cannot be read; give a PNG of 0 and 255.") from None
    levels = levels.astype(np.uint8)
    if value is not None:
        return levels == value
    top = int(levels.max())
    clear = np.mean((levels <= top // 8) | (levels >= top - top // 8))
    found = np.unique(levels)
    if len(found) > 2 and (clear < MIN_CLEAR or top < 16 or len(found) <= 6):
        shown = ", ".join(map(str, found[:8])) + (", …" if len(found) > 8 else "")
        raise DataError(
            f"The mask {path.name} holds several classes (levels {shown}); name the nerve with --nerve-value."
        )
    return levels > top // 2
