"""What another machine, probe, setting or hand changes in a scan, at graded strengths, with its mask.

At strength 0 nothing changes; at 1 a sonographer would repeat the scan. The shifts are not those of the
training's augmentation: some are stronger, and the curved probe is in none of it.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.packed import read_mask
from nerve_core.errors import DataError
from nerve_core.evaluation.evaluate import read_rows
from nerve_core.evaluation.scoring import LISTED
from nerve_core.generative.degrade import FAULTS
from nerve_core.imaging.read import read_scan

Grey = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
"""Float32 grey levels (H, W) and the strength, 0 to 1; may leave 0 to 255."""

Placing = Callable[[tuple[int, int], float, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Shape (H, W) and the strength; float32 maps (H, W) of the x and y to take each new pixel from."""

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
SEED = 20250103
"""Of what is drawn in a shift."""

_FAULT_FLOOR = 0.25
"""Faults start where they are just seen; scaled so that strength 0 is none."""


def _fault(name: str) -> Grey:
    def change(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
        worst = FAULTS[name](picture, max(strength, _FAULT_FLOOR), rng)
        return picture + min(1.0, strength / _FAULT_FLOOR) * (worst - picture)

    return change


def _high_gain(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Too bright by up to 70 grey levels; what exceeds white is lost."""
    return picture + 70 * strength


def _shadow(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Lost contact over a sixth of the probe, anywhere: up to 90 % of the echo below is gone."""
    width = picture.shape[1]
    x = np.arange(width, dtype=np.float32)
    dip = np.exp(-(((x - rng.uniform(0.15, 0.85) * width) / (width / 12)) ** 2))
    return picture * (1 - 0.9 * strength * dip)


def _depth_gain(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Time-gain compensation set wrong: up to 60 levels brighter at the top and darker at the bottom."""
    return picture + np.linspace(60, -60, picture.shape[0], dtype=np.float32)[:, None] * strength


def _jpeg(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Stored as JPEG of quality 75 down to 8."""
    if strength == 0:
        return picture
    quality = round(75 - 67 * strength)
    _, coded = cv2.imencode(
        ".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE).astype(np.float32)


def _resolution(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Seen through up to five times fewer lines and samples."""
    height, width = picture.shape
    factor = 1 + 4 * strength
    small = cv2.resize(
        picture, (max(8, round(width / factor)), max(8, round(height / factor))), interpolation=cv2.INTER_AREA
    )
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _rotated(
    shape: tuple[int, int], strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Turned by up to 30 degrees, either way."""
    return _linear(shape, np.deg2rad(30 * strength) * rng.choice([-1.0, 1.0]), 1.0)


def _deeper(
    shape: tuple[int, int], strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Drawn smaller, down to half: what was in view takes less of the frame."""
    return _linear(shape, 0.0, 1 + strength)


def _shallower(
    shape: tuple[int, int], strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Drawn larger, up to 1.6 times, the edges out of view."""
    return _linear(shape, 0.0, 1 / (1 + 0.6 * strength))


def _linear(shape: tuple[int, int], turn: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    row, column = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    x, y = (x - column) * step, (y - row) * step
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return column + cos * x - sin * y, row + sin * x + cos * y


def _curved(
    shape: tuple[int, int], strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """As a curved probe draws it: straight lines fan out, over up to 60 degrees."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(
        float
    )  # a slight fan has a far apex: single precision is too coarse
    half = np.deg2rad(max(30 * strength, 0.01))
    # The fan's apex lies above the picture, where its edges meet at the half angle; its chord is the width.
    radius = (width - 1) / (2 * np.sin(half))
    drop = radius * (1 - np.cos(half))
    across, down = x - (width - 1) / 2, y - drop + radius
    from_apex = np.hypot(across, down)
    angle = np.arctan2(across, down)
    return (angle / half * (width - 1) / 2 + (width - 1) / 2), from_apex - radius


GREY: dict[str, Grey] = {
    **{name: _fault(name) for name in FAULTS},
    "high gain": _high_gain,
    "depth gain": _depth_gain,
    "shadow": _shadow,
    "JPEG": _jpeg,
    "resolution": _resolution,
}
PLACING: dict[str, Placing] = {
    "rotation": _rotated,
    "deeper": _deeper,
    "shallower": _shallower,
    "curved probe": _curved,
}
SHIFTS = (*GREY, *PLACING)
"""Name of every shift."""


def shift(
    image: np.ndarray, mask: np.ndarray, name: str, strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A scan and its mask after one shift.

    Args:
        image: uint8 (H, W).
        mask: (H, W), nonzero inside the nerves.
        name: of ``SHIFTS``.
        strength: 0 (unchanged) to 1.
        rng: of what is drawn.

    Returns:
        uint8 image (H, W) and uint8 mask (H, W) of 0 and 255.

    Raises:
        DataError: an unknown shift or a strength out of range.
    """
    if name not in SHIFTS:
        raise DataError(f"There is no shift {name!r}; choose from {', '.join(SHIFTS)}.")
    if not 0 <= strength <= 1:
        raise DataError(f"The strength of a shift must be from 0 to 1, got {strength}.")
    mask = np.where(mask > 0, 255, 0).astype(np.uint8)
    if name in PLACING:
        x, y = (part.astype(np.float32) for part in PLACING[name](image.shape, strength, rng))
        return cv2.remap(image, x, y, cv2.INTER_LINEAR), cv2.remap(mask, x, y, cv2.INTER_NEAREST)
    picture = GREY[name](image.astype(np.float32), strength, rng)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), mask


@contextmanager
def shifted_rows(
    rows: Sequence[Mapping[str, str]], name: str, strength: float, seed: int = SEED
) -> Iterator[list[dict[str, str]]]:
    """The contoured rows with their scans and masks shifted, as PNG files, while the context lasts.

    Args:
        rows: from ``read_rows``; the first frame of a file with several is taken.
        name, strength: as in :func:`shift`.
        seed: of what is drawn, scan by scan in the order given.
    """
    rows = [row for row in rows if row["mask"]]
    if not rows:
        raise DataError("No scan has a contour, so nothing can be scored; give a set with contours.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        listed = []
        for number, row in enumerate(rows):
            scan = read_scan(row["image"])
            true = read_mask(row["mask"], scan.pixels.shape)
            image, mask = shift(scan.pixels, true, name, strength, np.random.default_rng([seed, number]))
            files = {"image": f"{number:05d}.png", "mask": f"{number:05d}-mask.png"}
            cv2.imwrite(str(home / files["image"]), image)
            cv2.imwrite(str(home / files["mask"]), mask)
            listed.append({**row, **files, "source_image": row[LISTED["image"]]})
        manifest = home / "manifest.csv"
        with manifest.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(listed[0]), extrasaction="ignore")
            table.writeheader()
            table.writerows(listed)
        yield read_rows(manifest)
