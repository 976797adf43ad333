"""Pathology in one known part of a nerve: the truth against which maps of evidence are checked.

The verdict network pools its features under the contour, so any map of it lies on the nerve. Only a change of
part of the nerve, with the rest as it was, shows whether a map points at what made the verdict. The changes
are made by the machinery of :mod:`nerve_core.data.pathology`, but nothing else in the scan is touched, so
that the altered pixels are the exact difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.data.pathology.echo import Paint, Region, darken, rim
from nerve_core.data.pathology.engine import Picture, apply, content_distance, measure, render
from nerve_core.data.pathology.fields import fit_ellipse, push
from nerve_core.data.pathology.grain import split
from nerve_core.data.pathology.kinds import Change, Target
from nerve_core.data.pathology.synthesis import room
from nerve_core.errors import DataError

VISIBLE = 5.0
"""Grey levels by which a pixel must differ, averaged over a grain of speckle, to count as altered."""

FEWEST = 12
"""Altered pixels below which a change is too small to be pointed at."""


@dataclass(frozen=True, eq=False)
class Localised:
    """A scan with one part of one nerve changed.

    Attributes:
        original: uint8 (H, W), the scan before.
        image: uint8 (H, W), the scan after; equal to ``original`` far from the nerve.
        before, mask: uint8 (H, W) 0/1, the nerve before and after.
        altered: bool (H, W), the pixels that differ visibly, and those that joined or left the nerve.
        kind: key of ``PARTS``.
        severity: in (0, 1].
    """

    original: np.ndarray
    image: np.ndarray
    before: np.ndarray
    mask: np.ndarray
    altered: np.ndarray
    kind: str
    severity: float


def write_part(
    image: np.ndarray,
    mask: np.ndarray,
    kind: str,
    severity: float,
    rng: np.random.Generator,
    picture: Picture | None = None,
) -> Localised:
    """Change one part of one nerve.

    Args:
        image: uint8 (H, W) scan.
        mask: (H, W), nonzero in the one nerve.
        kind: key of ``PARTS``.
        severity: in (0, 1], as of :mod:`nerve_core.data.pathology.kinds`.
        rng: the only source of randomness.
        picture: what :func:`taken_apart` made of this scan and nerve, where many changes are written.

    Raises:
        DataError: an unknown kind, a severity out of range, or a change too small to see.
    """
    if kind not in PARTS:
        raise DataError(f"Unknown localised change {kind!r}: choose from {', '.join(PARTS)}.")
    if not 0 < severity <= 1:
        raise DataError(f"Severity must lie above 0 and not above 1, got {severity}.")
    before = (mask > 0).astype(np.uint8)
    picture = taken_apart(image, mask) if picture is None else picture.copy()
    plain = picture.layers.structure.copy()
    place = fit_ellipse(before > 0)
    target = measure(picture, place, room(place, image.shape))
    apply(picture, place, picture.nerves[0], (PARTS[kind](target, severity, rng),), rng)
    after = (picture.nerves[0] > 127).astype(np.uint8)
    grain = 0.5 * sum(picture.layers.size)
    gap = cv2.GaussianBlur(picture.layers.structure - plain, (0, 0), 1.5 * grain)
    reach = max(0.35 * place.b, 3.0)
    near = cv2.distanceTransform(1 - (before | after), cv2.DIST_L2, 3) <= reach
    altered = (np.abs(gap) > VISIBLE) & near | (before != after)
    if altered.sum() < FEWEST:
        raise DataError("The change cannot be seen in this nerve: choose a higher severity or another kind.")
    return Localised(image, render(picture.layers), before, after, altered, kind, severity)


def taken_apart(image: np.ndarray, mask: np.ndarray) -> Picture:
    """A scan and its one nerve ready for the machinery; the dear part of a change, the same for all."""
    return Picture(split(image), [np.where(mask > 0, 255, 0).astype(np.uint8)], content_distance(image))


def _rim(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """A thick bright epineurium over a quarter to a half of the outline."""
    ellipse = target.ellipse
    width = max((0.07 + 0.17 * severity) * ellipse.b, 1.2 * target.grain)
    rise = (0.35 + 0.75 * severity) * max(target.bright - target.around, 25.0) + 20 * severity
    start, extent = rng.uniform(-np.pi, np.pi), rng.uniform(0.5, 1.0) * np.pi
    return Change(
        (), (rim(ellipse, width, rise, start, extent, target.grain, int(rng.integers(2**63))),), severity
    )


def _fascicle(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """One swollen dark fascicle, a half to three quarters of the nerve's thickness across."""
    ellipse = target.ellipse
    turn, out = rng.uniform(-np.pi, np.pi), np.sqrt(rng.uniform(0, 0.36))
    x, y = ellipse.image(
        np.float32(out * ellipse.a * np.cos(turn)), np.float32(out * ellipse.b * np.sin(turn))
    )
    radius = rng.uniform(0.5, 0.75) * ellipse.b
    drop = 12 + 36 * severity + 0.45 * severity * max(target.mean - target.dark, 0.0)
    return Change((), (_within(darken(drop, max(target.dark - 8, 0)), float(x), float(y), radius),), severity)


def _within(paint: Paint, x: float, y: float, radius: float) -> Paint:
    """The paint in a disc about (x, y), px, with a soft edge."""

    def limited(structure: np.ndarray, region: Region) -> np.ndarray:
        away = np.hypot(region.x - np.float32(x), region.y - np.float32(y)) / np.float32(radius)
        share = np.clip(1.5 - away, 0, 1).astype(np.float32)
        return structure + share * share * (3 - 2 * share) * (paint(structure, region) - structure)

    return limited


def _dent(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """A narrow dent from one side, a fifth to two fifths of the nerve's thickness deep."""
    ellipse = target.ellipse
    side = 1.0 if rng.random() < 0.5 else -1.0
    place = rng.uniform(-0.5, 0.5) * ellipse.a
    depth = 2 * ellipse.b * (0.08 + 0.32 * severity)
    edge = ellipse.b * np.sqrt(max(1 - (place / ellipse.a) ** 2, 0.1))
    x, y = ellipse.image(np.float32(place), np.float32(side * edge))
    across = max(0.18 * ellipse.a, 0.3 * depth)
    half = push(float(x), float(y), ellipse.angle - side * np.pi / 2, 0.5 * depth, 0.4 * depth, across)
    return Change((half, half), (), severity)


def _bulge(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """A bulge to one side, as of a neuroma, whose tissue is darker."""
    ellipse = target.ellipse
    turn = rng.uniform(-np.pi, np.pi)
    u, v = 0.75 * ellipse.a * np.cos(turn), 0.75 * ellipse.b * np.sin(turn)
    x, y = (float(value) for value in ellipse.image(np.float32(u), np.float32(v)))
    outward = float(np.arctan2(y - ellipse.y, x - ellipse.x))
    depth = ellipse.b * (0.3 + 0.6 * severity)
    drop = 8 + 30 * severity
    return Change(
        (push(x, y, outward, depth, 0.6 * ellipse.b, 0.5 * ellipse.b),),
        (_within(darken(drop, max(target.dark - 4, 0)), x, y, 0.7 * ellipse.b),),
        severity,
    )


PARTS: dict[str, Callable[[Target, float, np.random.Generator], Change]] = {
    "rim": _rim,
    "fascicle": _fascicle,
    "dent": _dent,
    "bulge": _bulge,
}
"""A bright part of the rim, one dark fascicle, a narrow dent, a dark bulge."""
