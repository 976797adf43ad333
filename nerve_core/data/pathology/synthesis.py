"""Write a pathology into one nerve of a scan, or nothing at all with the same machinery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.data.pathology.engine import (
    Picture,
    apply,
    content_distance,
    coordinates,
    measure,
    render,
    window_of,
)
from nerve_core.data.pathology.fields import Ellipse, drift, fit_ellipse, scaling, warp
from nerve_core.data.pathology.grain import split
from nerve_core.data.pathology.kinds import KINDS, Change, Target, csa_factor
from nerve_core.data.pathology.recipe import check_kinds, dark_by_nature, draw_kinds
from nerve_core.errors import DataError

SMALLEST = 30
"""Contours below this many px are passed over where the scan has a larger one."""


@dataclass(frozen=True)
class Altered:
    """A scan after the machinery.

    Attributes:
        image: uint8 (H, W).
        mask: uint8 (H, W) 0/255, all nerves after the change.
        altered: bool (H, W), pixels that the pathology (not the harmless machinery) changed; none in a sham.
        nerve: index of the worked-on nerve among the connected components (8 neighbours) of the input
            mask, from 0 in the order of ``cv2.connectedComponents``.
        kinds: kinds of pathology written, empty in a sham.
        severity: severity reached, 0 in a sham; below the one asked for where there was no room.
        sham: whether no pathology was written.
        changed: uint8 (H, W) 0/255, the worked-on nerve alone after the change.
    """

    image: np.ndarray
    mask: np.ndarray
    altered: np.ndarray
    nerve: int
    kinds: tuple[str, ...]
    severity: float
    sham: bool
    changed: np.ndarray


def affect(
    image: np.ndarray,
    mask: np.ndarray,
    rng: np.random.Generator,
    *,
    severity: float | None = None,
    kinds: Sequence[str] | None = None,
    site: str = "",
    nerve: int | None = None,
) -> Altered:
    """Write a pathology into one nerve.

    Args:
        image: uint8 (H, W), a log-compressed scan.
        mask: (H, W), nonzero (0/255) in the nerves.
        rng: the only source of randomness.
        severity: in (0, 1]; None draws it evenly from 0.3 to 1.
        kinds: keys of ``KINDS`` to write together; None draws a combination seen in practice.
        site: where on the body, as in the manifest; at the neck darkness alone is never written.
        nerve: index of the nerve (see :class:`Altered`); None draws one.

    Raises:
        DataError: no nerve in the mask, sizes that differ, an unknown kind, a severity out of range.
    """
    return _run(image, mask, rng, False, severity, kinds, site, nerve)


def sham(
    image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, *, site: str = "", nerve: int | None = None
) -> Altered:
    """Pass a scan through the same machinery without any pathology; arguments as in :func:`affect`."""
    return _run(image, mask, rng, True, None, None, site, nerve)


def _run(
    image: np.ndarray,
    mask: np.ndarray,
    rng: np.random.Generator,
    harmless: bool,
    severity: float | None,
    kinds: Sequence[str] | None,
    site: str,
    nerve: int | None,
) -> Altered:
    nerves, index = choose_nerve(image, mask, rng, nerve)
    if severity is None:
        severity = float(rng.uniform(0.3, 1.0))
    if not 0 < severity <= 1:
        raise DataError(f"Severity must lie above 0 and not above 1, got {severity}.")
    picture = Picture(split(image), nerves, content_distance(image))
    place = fit_ellipse(nerves[index] > 127)
    write_decoy(picture, place, nerves[index], rng)

    start = picture.nerves[index]
    target = measure(picture, place, room(place, image.shape))
    dark = dark_by_nature(site, target.mean, target.around)
    drawn = draw_kinds(rng, dark) if kinds is None else check_kinds(kinds, dark)
    resize = harmless or not {"swelling", "compression"} & set(drawn)
    hold = csa_factor(severity) ** 0.6 if "swelling" in drawn else 1.0
    calm = harmless_change(target, severity, rng, resize, hold)
    seeds = dict(zip(drawn, rng.integers(2**63, size=len(drawn)).tolist(), strict=True))
    grain = int(rng.integers(2**63))
    # Affected scans get the harmless change as well, and are compared with what it alone would give.
    plain = picture.copy()
    apply(plain, place, start, (calm,), np.random.default_rng(grain))
    if harmless:
        return _result(plain, index, np.zeros(image.shape, bool), (), 0.0, True)
    changes = fitting_changes(picture, target, index, seeds, severity)
    window = apply(picture, place, start, (*changes.values(), calm), np.random.default_rng(grain))
    reached = {kind: change.severity for kind, change in changes.items()}
    if "swelling" in drawn and not {"compression", "irregular"} & set(drawn):
        factor = (picture.nerves[index] > 127).sum() / max((plain.nerves[index] > 127).sum(), 1)
        reached["swelling"] = float(np.clip(np.log(max(factor, 1.0)) / np.log(3.0), 0, severity))
    altered = np.zeros(image.shape, bool)
    altered[window] = noticed(plain, picture, index, window, place)
    return _result(picture, index, altered, drawn, max(reached.values()), False)


def choose_nerve(
    image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, nerve: int | None
) -> tuple[list[np.ndarray], int]:
    """One uint8 0/255 mask (H, W) a connected component, and the index of the one to work on."""
    if image.ndim != 2 or image.dtype != np.uint8 or image.shape != mask.shape:
        raise DataError(
            f"Pathology needs a grey 8-bit scan and a mask of its size, got {image.dtype} {image.shape} "
            f"and {mask.shape}."
        )
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    if count < 2:
        raise DataError("The mask holds no nerve: pathology can only be written into a contour.")
    areas = stats[1:, cv2.CC_STAT_AREA]
    if nerve is None:
        usable = np.flatnonzero(areas >= SMALLEST)
        nerve = int(rng.choice(usable)) if usable.size else int(areas.argmax())
    if not 0 <= nerve < count - 1:
        raise DataError(f"There is no nerve number {nerve}: the mask holds {count - 1}, counted from 0.")
    return [np.where(labels == k, 255, 0).astype(np.uint8) for k in range(1, count)], nerve


def room(place: Ellipse, shape: tuple[int, ...]) -> float:
    """Largest linear scale at which the ellipse still lies inside a picture of that shape."""
    wide, high = place.half_extent()
    return min(
        (place.y - 1) / high,
        (shape[0] - 2 - place.y) / high,
        (place.x - 1) / wide,
        (shape[1] - 2 - place.x) / wide,
    )


def harmless_change(
    target: Target, severity: float, rng: np.random.Generator, resize: bool, hold: float
) -> Change:
    """Shift and turn about as strong as a pathology's warp; where ``resize``, area changed within 15 %."""
    ellipse = target.ellipse
    reach = 0.35 * severity * ellipse.b
    aim = rng.uniform(-np.pi, np.pi)
    turn = rng.uniform(-1, 1) * 0.25 * severity * min(1.0, 2 * ellipse.b / ellipse.a)
    maps = [drift(ellipse, reach * np.cos(aim), reach * np.sin(aim), turn, hold)]
    size = float(np.sqrt(rng.uniform(0.88, 1.13)))
    if resize:
        maps.append(scaling(ellipse, size, size))
    return Change(tuple(maps))


def fitting_changes(
    picture: Picture, target: Target, index: int, seeds: dict[str, int], severity: float
) -> dict[str, Change]:
    """The change of each kind, made milder until no other nerve changes its area by more than 15 %."""
    rows, columns = window_of(target.ellipse, picture.inside.shape)
    others = [n[rows, columns] for k, n in enumerate(picture.nerves) if k != index]
    others = [n for n in others if (n > 127).sum() >= SMALLEST]
    mild = severity
    while True:
        changes = {}
        for kind, seed in seeds.items():
            change = KINDS[kind](target, severity, np.random.default_rng(seed))
            if change.maps:
                change = KINDS[kind](target, mild, np.random.default_rng(seed))
            changes[kind] = change
        maps = [one for change in changes.values() for one in change.maps]
        if not maps or not others or mild < 0.1:
            return changes
        x, y = coordinates(picture, maps, rows, columns)
        x, y = x - columns.start, y - rows.start
        areas = [((n > 127).sum(), (warp(n, x, y, cv2.INTER_LINEAR) > 127).sum()) for n in others]
        if all(abs(after - before) <= 0.15 * before for before, after in areas):
            return changes
        mild *= 0.75


def write_decoy(picture: Picture, place: Ellipse, nerve: np.ndarray, rng: np.random.Generator) -> None:
    """Write a pathology of random kind into other tissue: a piece of the nerve's form, size and depth.

    Every scan that passes the machinery gets one where there is room, so that changed tissue as such is
    no sign of an affected nerve.
    """
    height, width = nerve.shape
    wide, high = place.half_extent()
    occupied = [(n, n.half_extent()) for n in (fit_ellipse(m > 127) for m in picture.nerves)]
    apart = 2.4  # in this distance the decoy's field has all but died away
    kinds = draw_kinds(rng, bool(rng.random() < 0.5))
    severity = float(rng.uniform(0.3, 1.0))
    seed, seeds = int(rng.integers(2**63)), rng.integers(2**63, size=len(kinds)).tolist()
    for x, y in zip(rng.uniform(0, width, 16), place.y + rng.uniform(-1.5, 1.5, 16) * high, strict=True):
        row, column = int(y), int(x)
        if not (0 <= row < height and 0 <= column < width) or picture.inside[row, column] < 1.2 * min(
            wide, high
        ):
            continue
        if picture.layers.structure[row, column] < 12:
            continue
        if any(abs(x - n.x) < apart * wide + w and abs(y - n.y) < apart * high + h for n, (w, h) in occupied):
            continue
        spot = place.moved(column, row)
        shifted = cv2.warpAffine(
            nerve, np.array([[1, 0, column - place.x], [0, 1, row - place.y]], np.float32), (width, height)
        )
        target = measure(picture, spot, room(spot, nerve.shape))
        changes = [
            KINDS[kind](target, severity, np.random.default_rng(s))
            for kind, s in zip(kinds, seeds, strict=True)
        ]
        apply(picture, spot, shifted, changes, np.random.default_rng(seed))
        return


def noticed(
    plain: Picture, picture: Picture, index: int, window: tuple[slice, slice], place: Ellipse
) -> np.ndarray:
    """Where the window differs visibly from the harmless version, in the nerve and on its rim."""
    size = 1.5 * sum(picture.layers.size)
    gap = picture.layers.structure[window] - plain.layers.structure[window]
    seen = np.abs(cv2.GaussianBlur(gap, (0, 0), size)) > 5
    old, new = plain.nerves[index][window] > 127, picture.nerves[index][window] > 127
    near = cv2.distanceTransform(1 - (old | new).astype(np.uint8), cv2.DIST_L2, 3) <= max(0.3 * place.b, 3.0)
    return (seen & near) | (old ^ new)


def _result(
    picture: Picture, index: int, altered: np.ndarray, kinds: tuple[str, ...], severity: float, harmless: bool
) -> Altered:
    changed = np.where(picture.nerves[index] > 127, 255, 0).astype(np.uint8)
    # Nerves that come to touch keep a gap of one pixel, so that each stays a contour of its own.
    apart = cv2.dilate(changed, np.ones((3, 3), np.uint8))
    mask = changed.copy()
    for k, nerve in enumerate(picture.nerves):
        if k != index:
            mask[(nerve > 127) & (apart == 0)] = 255
    return Altered(render(picture.layers), mask, altered, index, kinds, severity, harmless, changed)
