"""A nerve: what it looks like, how pathology changes it, and how it is painted into the tissue."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from nerve_core.data.phantom_tissue import NERVE_LOSS_DB, Patch, Tissue


@dataclass(frozen=True)
class NerveShape:
    """One nerve as it will be painted.

    Attributes:
        name: anatomical name.
        x, z: centre, mm (lateral from the middle, depth).
        csa_mm2: area inside the epineurial rim, as it is traced in practice.
        aspect: width over thickness along the nerve's own axes.
        angle: turn of the long axis, radians, positive downwards to the right.
        fascicles: number of fascicles seen.
        fascicle_db, epineurium_db: echogenicity of fascicles and of the tissue between them.
        rim_mm: thickness of the outer epineurium.
        rim_db: echogenicity of the outer epineurium.
        irregular: relative size of bumps of the outline.
        free: (x, z) direction in which there is room to swell, a unit vector or shorter.
        affected: whether pathology was written into it.
    """

    name: str
    x: float
    z: float
    csa_mm2: float
    aspect: float = 1.4
    angle: float = 0.0
    fascicles: int = 10
    fascicle_db: float = -30.0
    epineurium_db: float = -14.0
    rim_mm: float = 0.30
    rim_db: float = -10.0
    irregular: float = 0.05
    free: tuple[float, float] = (0.0, 0.0)
    affected: bool = False


def make_affected(shape: NerveShape, severity: float, rng: np.random.Generator) -> NerveShape:
    """The nerve with pathology of a severity in [0, 1] written into its anatomy.

    Always larger (area × 1.3 at the mildest, 2.8 at the gravest); and, each more likely than not, with fewer
    fascicles, a darker inside, a thicker epineurium, a flatter shape, a rougher outline.
    """
    signs = rng.random(4) < (0.75, 0.85, 0.75, 0.6)
    single = shape.fascicles <= 2
    fewer = (
        shape.fascicles if single or not signs[0] else max(2, round(shape.fascicles * (1 - 0.65 * severity)))
    )
    inside = shape.epineurium_db
    if signs[1] and not single:
        inside -= (inside - shape.fascicle_db) * 0.8 * severity
    area = shape.csa_mm2 * (1.3 + 1.5 * severity * float(rng.uniform(0.7, 1.0)))
    aspect = shape.aspect * (1 + 0.45 * severity if signs[3] and rng.random() < 0.5 else 1.0)
    wider = math.sqrt(area * aspect / math.pi) - math.sqrt(shape.csa_mm2 * shape.aspect / math.pi)
    thicker = math.sqrt(area / aspect / math.pi) - math.sqrt(shape.csa_mm2 / shape.aspect / math.pi)
    turned = abs(math.cos(shape.angle))
    return replace(
        shape,
        x=shape.x + shape.free[0] * (turned * wider + (1 - turned) * thicker),
        z=shape.z + shape.free[1] * (turned * thicker + (1 - turned) * wider),
        csa_mm2=area,
        aspect=aspect,
        fascicles=fewer,
        epineurium_db=inside,
        fascicle_db=shape.fascicle_db - (2.5 * severity if signs[1] else 0.0),
        rim_mm=shape.rim_mm * (1 + 0.9 * severity * signs[2]),
        irregular=shape.irregular + 0.05 * severity * signs[3],
        affected=True,
    )


def make_room(shapes: list[NerveShape], fixed: int) -> list[NerveShape]:
    """The nerves with those that a swollen one (``fixed``) would overlap pushed away from it."""
    out = list(shapes)
    order = sorted(range(len(out)), key=lambda index: abs(index - fixed))
    for place, index in enumerate(order[1:], start=1):
        for other in order[:place]:
            one, two = out[other], out[index]
            across, down = two.x - one.x, two.z - one.z
            away = math.hypot(across, down) or 1.0
            need = sum(_reach(shape, across / away, down / away) for shape in (one, two)) + 0.35
            if away < need:
                out[index] = replace(two, x=one.x + across / away * need, z=one.z + down / away * need)
    return out


def _reach(shape: NerveShape, across: float, down: float) -> float:
    """Distance in mm from the centre of a nerve to its outline in a direction (unit vector)."""
    wide, high = (
        math.sqrt(shape.csa_mm2 * shape.aspect / math.pi),
        math.sqrt(shape.csa_mm2 / shape.aspect / math.pi),
    )
    along = across * math.cos(shape.angle) + down * math.sin(shape.angle)
    beside = -across * math.sin(shape.angle) + down * math.cos(shape.angle)
    return 1.05 / math.hypot(along / wide, beside / high)


def paint_nerve(tissue: Tissue, shape: NerveShape, number: int) -> None:
    """A nerve of exactly the asked area, with its fascicles; ``number`` marks it in the map of nerves."""
    wide, high = (
        math.sqrt(shape.csa_mm2 * shape.aspect / math.pi),
        math.sqrt(shape.csa_mm2 / (math.pi * shape.aspect)),
    )
    rng = tissue.fields.rng(f"nerve {number}")
    bumps = np.stack(
        [shape.irregular * rng.normal(0, 1, 4) / (1 + np.arange(4) / 2), rng.uniform(0, 2 * np.pi, 4)],
        axis=1,
    )
    bumps[:, 0] = np.clip(bumps[:, 0], -0.16, 0.16)
    part = tissue.patch(shape.x, shape.z, wide, high, shape.angle, margin=shape.rim_mm * 4, bumps=bumps)
    count = round(shape.csa_mm2 / tissue.fields.spacing_mm**2)
    if part is None or part.inside.size <= count:
        return
    at = part.rows, part.columns
    inside = part.inside / np.partition(part.inside.ravel(), count)[count]
    off = (inside - 1) * math.sqrt(wide * high)
    body = np.clip(0.5 - off / (1.5 * tissue.fields.spacing_mm), 0, 1)
    fascicle = _fascicles(tissue, part, inside, shape, wide, high, rng)
    texture = tissue.grain[at]
    lost = tissue.anisotropy(NERVE_LOSS_DB, 11.0)
    stroma = shape.epineurium_db - lost + 1.8 * texture
    level = stroma + fascicle * (shape.fascicle_db + 1.2 * texture - stroma)
    rim = np.exp(-(((off - 0.45 * shape.rim_mm) / (0.6 * shape.rim_mm)) ** 2))
    tissue.level[at] += body * (level - tissue.level[at])
    uneven = shape.rim_db - 0.5 * lost - 3 + 2.5 * texture - 5 * (1 - part.facing)
    tissue.level[at] += rim * np.maximum(uneven - tissue.level[at], 0)
    tissue.loss[at] += body * (1.05 - tissue.loss[at])
    tissue.specular[at] *= 1 - body
    glint = np.float32(10 ** (shape.rim_db / 20)) * np.clip(0.8 + 0.5 * texture, 0, 2)
    tissue.specular[at] += glint * (0.8 * rim * part.facing**2 + 0.3 * body * (1 - fascicle))
    tissue.nerves[at][inside < 1] = number
    tissue.vessels[at][inside < 1] = False


def _fascicles(
    tissue: Tissue,
    part: Patch,
    inside: np.ndarray,
    shape: NerveShape,
    wide: float,
    high: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Coverage 0 to 1 of the fascicles on the patch, packed as a disturbed honeycomb."""
    edge = 1.5 * tissue.fields.spacing_mm
    if shape.fascicles <= 1:
        return np.clip((0.93 - inside) * math.sqrt(wide * high) / edge + 0.5, 0, 1)
    # Centres are spread evenly over the section (Lloyd's relaxation), stopped early: no nerve is a lattice.
    turn, away = rng.uniform(0, 2 * np.pi, 320), np.sqrt(rng.uniform(0, 0.92, 320))
    points = np.stack([wide * away * np.cos(turn), high * away * np.sin(turn)], axis=1).astype(np.float32)
    count = shape.fascicles
    centres = points[:count].copy()
    for _ in range(4):
        nearest = ((points[:, None] - centres) ** 2).sum(2).argmin(1)
        share = np.bincount(nearest, minlength=count).clip(1)[:, None]
        centres = np.stack([np.bincount(nearest, points[:, axis], count) for axis in (0, 1)], axis=1) / share
    radii = np.sqrt(shape.csa_mm2 / count) * np.clip(rng.normal(0.45, 0.05, count), 0.30, 0.54)
    flats, shades = rng.uniform(0.85, 1.2, count), rng.uniform(0.75, 1.0, count)
    cover = np.zeros(inside.shape, np.float32)
    for index in range(count):
        (x, z), flat = centres[index].astype(np.float32), np.float32(flats[index])
        away = np.sqrt(((part.u - x) / flat) ** 2 + ((part.v - z) * flat) ** 2)
        disc = np.clip((np.float32(radii[index]) - away) / (1.8 * edge) + 0.5, 0, 1)
        np.maximum(cover, np.float32(shades[index]) * disc, out=cover)
    return cover * np.clip((0.97 - inside) * math.sqrt(wide * high) / edge + 0.5, 0, 1)
