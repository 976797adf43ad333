"""What if: the same scan without its pathology, or with the nerve larger, smaller, darker or brighter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import cv2
import numpy as np

from nerve_core.data.pathology.echo import Paint, Region
from nerve_core.data.pathology.engine import Picture, apply, content_distance, render
from nerve_core.data.pathology.fields import fit_ellipse, scaling
from nerve_core.data.pathology.grain import split
from nerve_core.data.pathology.kinds import Change
from nerve_core.data.pathology.synthesis import room
from nerve_core.data.samples import FRAMES, RECIPES, Recipe, screen_capture
from nerve_core.errors import DataError
from nerve_core.explain.judge import SMALLEST

SIZES = (0.4, 3.0)
"""Least and largest area of the nerve over its own that can be asked for."""

ECHO = 60
"""Largest change of the nerve's echo that can be asked for, grey levels up or down."""

ALIKE = 2.0
"""Mean difference, grey levels, up to which a sample counts as the one the simulator draws now."""


@dataclass(frozen=True, eq=False)
class Changed:
    """A scan with one nerve changed.

    Attributes:
        pixels: uint8 (H, W).
        mask: uint8 (H, W) 0/1, the nerve after the change.
        size: area over that before, as far as there was room.
    """

    pixels: np.ndarray
    mask: np.ndarray
    size: float


def change_nerve(pixels: np.ndarray, mask: np.ndarray, size: float = 1.0, echo: float = 0.0) -> Changed:
    """The nerve with another area and echo, the tissue around moved aside or drawn in smoothly.

    The machinery is that by which pathology is written (:mod:`nerve_core.data.pathology`); speckle keeps its
    strength. An approximation: real disease changes more than size and echo.

    Args:
        pixels: uint8 (H, W) scan.
        mask: (H, W), nonzero in the nerve.
        size: area over its own, within ``SIZES``.
        echo: grey levels to add inside the nerve, -``ECHO`` to ``ECHO``.

    Raises:
        DataError: a value out of range, or a nerve too small.
    """
    if not SIZES[0] <= size <= SIZES[1] or abs(echo) > ECHO:
        raise DataError(
            f"Ask for an area of {SIZES[0]:g} to {SIZES[1]:g} times its own and an echo of up to {ECHO} grey "
            f"levels more or less, not {size:g} and {echo:g}."
        )
    before = (np.asarray(mask) > 0).astype(np.uint8)
    count = int(before.sum())
    if count < SMALLEST:
        raise DataError(
            f"This nerve is {count} px in area, too small to be changed (at least {SMALLEST} px)."
        )
    if size == 1 and echo == 0:
        return Changed(pixels, before, 1.0)
    picture = Picture(split(pixels), [before * np.uint8(255)], content_distance(pixels))
    place = fit_ellipse(before > 0)
    factor = min(float(np.sqrt(size)), max(room(place, pixels.shape), 1.05))
    maps = (scaling(place, factor, factor),) if size != 1 else ()
    paints = (_lift(echo),) if echo else ()
    apply(picture, place, picture.nerves[0], (Change(maps, paints),), np.random.default_rng(0))
    after = (picture.nerves[0] > 127).astype(np.uint8)
    return Changed(render(picture.layers), after, float(after.sum()) / count)


def _lift(echo: float) -> Paint:
    def paint(structure: np.ndarray, region: Region) -> np.ndarray:
        return np.clip(structure + np.float32(echo) * region.soft, 0, 255)

    return paint


@dataclass(frozen=True, eq=False)
class KnownOriginal:
    """A simulated sample as it was before the pathology was written into it.

    Attributes:
        pixels: uint8 (H, W), in the geometry of the sample.
        mask: uint8 (H, W) 0/255, the nerves before.
        mask_after: the same after.
        severity: of what was written, 0 to 1.
    """

    pixels: np.ndarray
    mask: np.ndarray
    mask_after: np.ndarray
    severity: float


def known_original(name: str, frame: int = 0, pixels: np.ndarray | None = None) -> KnownOriginal | None:
    """Draw a shipped sample once more, from the same seed, without its pathology.

    Args:
        name: base name of the sample's image.
        frame: of a sweep, from 0.
        pixels: uint8 (H, W) of the sample; where given, the sample drawn anew must be this one.

    Returns:
        None where the file is no affected sample, or not the one the simulator draws now.
    """
    stem = PurePath(name).stem
    recipe = next((one for one in RECIPES if one.stem == stem and one.severity), None)
    if recipe is None:
        return None
    after, mask_after = _drawn(recipe, frame, True)
    if pixels is not None:
        if pixels.shape != after.shape:
            return None
        if float(np.abs(pixels.astype(np.float32) - after).mean()) > ALIKE:
            return None
    before, mask = _drawn(recipe, frame, False)
    return KnownOriginal(before, mask, mask_after, recipe.severity)


def _drawn(recipe: Recipe, frame: int, affected: bool) -> tuple[np.ndarray, np.ndarray]:
    """Grey pixels and nerves of one frame of a sample, with or without its pathology."""
    from nerve_core.data.phantom import simulate, simulate_sweep
    from nerve_core.data.phantom_machines import PROBES

    made = {"site": recipe.site, "affected": affected, "severity": recipe.severity, "size": recipe.size}
    if recipe.probe != "linear":
        made["machine"] = PROBES[recipe.probe][recipe.seed % len(PROBES[recipe.probe])]
    if recipe.form == "sweep":
        drawn = simulate_sweep(recipe.seed, frames=FRAMES, **made)[frame]
    else:
        drawn = simulate(recipe.seed, **made)
    if recipe.form != "capture":
        return drawn.image, drawn.mask
    shown, (top, left) = screen_capture(drawn)
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
    mask = np.zeros_like(grey)
    mask[top : top + drawn.mask.shape[0], left : left + drawn.mask.shape[1]] = drawn.mask
    return grey, mask
