"""The machinery that writes a change into one place of a scan, the same for pathology and for shams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.data.pathology.echo import region_of
from nerve_core.data.pathology.fields import FIELD, Ellipse, Map, chain, warp
from nerve_core.data.pathology.grain import Layers, mottle, strength, structure_of
from nerve_core.data.pathology.kinds import Change, Target
from nerve_core.data.pathology.texture import keep_texture, softness

MOTTLED = 0.5
"""Strength of the plain speckle put where fascicles were, in units of that of the grain that is there."""


@dataclass
class Picture:
    """A scan in the making; the layers are replaced window by window.

    Attributes:
        layers: the scan taken apart.
        nerves: uint8 (H, W) 0/255, one mask a nerve.
        inside: float32 (H, W), px from the border of the ultrasound image, 0 outside of it.
    """

    layers: Layers
    nerves: list[np.ndarray]
    inside: np.ndarray

    def copy(self) -> Picture:
        """A copy whose layers may be changed apart."""
        layers = self.layers
        parts = (layers.structure.copy(), layers.grain.copy())
        return Picture(Layers(*parts, layers.size, layers.noise), list(self.nerves), self.inside)


def content_distance(image: np.ndarray) -> np.ndarray:
    """Distance (px) of each pixel to the border of the convex ultrasound field, 0 outside of it."""
    lit = cv2.blur(image, (3, 3)) > 2
    height, width = image.shape
    rows = np.flatnonzero(lit.any(axis=1))
    field = np.zeros((height + 2, width + 2), np.uint8)
    if rows.size:
        first = lit[rows].argmax(axis=1)
        last = width - 1 - lit[rows, ::-1].argmax(axis=1)
        ends = np.concatenate([np.stack([first, rows], 1), np.stack([last, rows], 1)]).astype(np.int32)
        cv2.fillConvexPoly(field, cv2.convexHull(ends) + 1, 1)
    return cv2.distanceTransform(field, cv2.DIST_L2, 3)[1:-1, 1:-1]


def window_of(ellipse: Ellipse, shape: tuple[int, int], ratio: float = FIELD) -> tuple[slice, slice]:
    """Rows and columns that hold the ellipse's field, cut at the picture's border."""
    wide, high = (ratio * half + 3 for half in ellipse.half_extent())
    rows = slice(max(int(ellipse.y - high), 0), min(int(ellipse.y + high) + 2, shape[0]))
    columns = slice(max(int(ellipse.x - wide), 0), min(int(ellipse.x + wide) + 2, shape[1]))
    return rows, columns


def measure(picture: Picture, ellipse: Ellipse, room: float) -> Target:
    """Echo of a place and of its surroundings."""
    rows, columns = window_of(ellipse, picture.inside.shape, 2.0)
    y, x = np.mgrid[rows, columns].astype(np.float32)
    radius = ellipse.radius(x, y)
    structure = picture.layers.structure[rows, columns]
    inside = structure[radius <= 1]
    ring = structure[(radius > ellipse.reach) & (radius < 2 * ellipse.reach)]
    ring = ring if ring.size else structure.ravel()
    inside = inside if inside.size else ring
    dark, bright = np.percentile(structure, [5, 95])
    grain = 0.5 * sum(picture.layers.size)
    return Target(ellipse, float(inside.mean()), float(ring.mean()), float(dark), float(bright), grain, room)


def coordinates(
    picture: Picture, maps: Sequence[Map], rows: slice, columns: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Input coordinates x and y (px) of a window; the map dies away towards the ultrasound field's border.

    The maps are smooth, so in a large window they are evaluated on a coarser grid and interpolated.
    """
    y, x = np.mgrid[rows, columns].astype(np.float32)
    if not maps:
        return x, y
    high, wide = x.shape
    coarse = (
        max(int(np.ceil(wide / max(wide // 64, 1))), 2),
        max(int(np.ceil(high / max(high // 64, 1))), 2),
    )
    cx = columns.start - 0.5 + (np.arange(coarse[0], dtype=np.float32) + 0.5) * np.float32(wide / coarse[0])
    cy = rows.start - 0.5 + (np.arange(coarse[1], dtype=np.float32) + 0.5) * np.float32(high / coarse[1])
    gx, gy = np.meshgrid(cx, cy)
    sx, sy = chain(maps, gx, gy)
    dx, dy = (
        cv2.resize((d).astype(np.float32), (wide, high), interpolation=cv2.INTER_LINEAR)
        for d in (sx - gx, sy - gy)
    )
    far = float(max(np.abs(dx).max(), np.abs(dy).max()))
    ease = np.minimum(picture.inside[rows, columns] / np.float32(max(2.5 * far, 3.0)), 1)
    ease = ease * ease * (3 - 2 * ease)
    return x + ease * dx, y + ease * dy


def apply(
    picture: Picture, place: Ellipse, mask: np.ndarray, changes: Sequence[Change], rng: np.random.Generator
) -> tuple[slice, slice]:
    """Write changes into the picture, in place, and return the rows and columns that may have changed.

    Args:
        picture: the scan; its layers and nerves are changed.
        place: where; nothing changes beyond ``FIELD`` times its reach.
        mask: uint8 0/255 (H, W) of the tissue that is changed (the nerve, or a piece of other tissue).
        changes: maps and paints, applied in order: all maps first, then all paints.
        rng: source of randomness for the grain.
    """
    layers = picture.layers
    window = rows, columns = window_of(place, mask.shape)
    x, y = coordinates(picture, [one for change in changes for one in change.maps], rows, columns)
    out_y, out_x = np.mgrid[rows, columns].astype(np.float32)
    whole = layers.structure + layers.grain
    for k, nerve in enumerate(picture.nerves):
        picture.nerves[k] = _pasted(nerve, warp(nerve, x, y, cv2.INTER_LINEAR), window)
    left, top = np.float32(columns.start), np.float32(rows.start)
    near = place.radius(out_x, out_y) < 1.6 * place.reach
    moved = warp(whole, x, y, cv2.INTER_LANCZOS4)
    moved = keep_texture(moved, whole[window], x - left, y - top, near, max(mask.shape))
    structure = structure_of(moved, layers.size, layers.noise)
    grain = moved - structure

    paints = [paint for change in changes for paint in change.paints]
    if paints:
        tissue = warp(mask, x, y, cv2.INTER_LINEAR)
        region = region_of(tissue, structure, out_x, out_y, 0.5 * sum(layers.size), place.b)
        painted = structure
        for paint in paints:
            painted = paint(painted, region)
        # Softened, since the finest texture is the machine's and stays.
        structure = structure + cv2.GaussianBlur(painted - structure, (0, 0), softness(max(mask.shape)))
        plain = np.float32(MOTTLED * max(change.mottle for change in changes))
        if plain:
            fill = mottle(grain.shape, layers.size, rng)
            structure = structure + plain * region.soft * strength(grain, layers.size) * fill
    layers.structure[window] = structure
    layers.grain[window] = grain
    return window


def _pasted(whole: np.ndarray, part: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    out = whole.copy()
    out[window] = part
    return out


def render(layers: Layers) -> np.ndarray:
    """The scan put together again, uint8 (H, W)."""
    return np.clip(np.rint(layers.structure + layers.grain), 0, 255).astype(np.uint8)
