"""A cross-section of a limb under construction: tissues are painted one over the other, in millimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from nerve_core.data.phantom_field import Fields

Curve = np.ndarray
"""Depth in mm over the columns, float32 (1, W)."""

USUAL_LOSS = 1.0
"""Two-way attenuation of soft tissue in dB/mm (0.5 dB/cm/MHz one way at about 10 MHz)."""


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


@dataclass
class Patch:
    """An elliptic structure on the pixels around it: ``inside`` is 0 at its centre and 1 on its outline."""

    rows: slice
    columns: slice
    inside: np.ndarray
    u: np.ndarray
    v: np.ndarray
    facing: np.ndarray


def ridge(values: np.ndarray, width: float) -> np.ndarray:
    """1 where a smooth field crosses 0, falling to 0 over ``width`` of its standard deviations."""
    return np.exp(-((values / np.float32(width)) ** 2))


@dataclass
class Tissue:
    """Maps of one frame, all (H, W): echogenicity in dB, interfaces, attenuation, nerves and vessels."""

    fields: Fields
    level: np.ndarray = field(init=False)
    specular: np.ndarray = field(init=False)
    loss: np.ndarray = field(init=False)
    nerves: np.ndarray = field(init=False)
    vessels: np.ndarray = field(init=False)
    x: np.ndarray = field(init=False)
    z: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shape = self.fields.size
        self.level = np.full(shape, -26, np.float32)
        self.specular = np.zeros(shape, np.float32)
        self.loss = np.full(shape, USUAL_LOSS, np.float32)
        self.nerves = np.zeros(shape, np.uint8)
        self.vessels = np.zeros(shape, bool)
        # Everything is drawn in bent coordinates, so that nothing is a perfect ellipse or plane.
        settle = np.clip(self.fields.depth / 4, 0, 1)
        self.x = (
            self.fields.lateral
            + 0.55 * self.fields.smooth("bend x", 8, 6)
            + 0.10 * self.fields.smooth("rough x", 1.6, 1.6)
        )
        self.z = self.fields.depth + settle * (
            0.50 * self.fields.smooth("bend z", 7, 6) + 0.09 * self.fields.smooth("rough z", 1.8, 1.4)
        )
        self.grain = self.fields.smooth("grain", 2.6, 1.2) + 0.8 * self.fields.smooth("fine grain", 0.8, 0.4)

    @property
    def bottom(self) -> float:
        """Depth of the last row, mm."""
        return self.fields.size[0] * self.fields.spacing_mm

    def curve(
        self, name: str, depth: float, tilt: float = 0.0, wave: float = 0.5, across: float = 9.0
    ) -> Curve:
        """A wavy line at ``depth`` mm, falling ``tilt`` mm per mm to the right."""
        return (depth + tilt * self.fields.lateral + wave * self.fields.curve(name, across)).astype(
            np.float32
        )

    def between(self, top: Curve | float, bottom: Curve | float) -> np.ndarray:
        """Coverage 0 to 1 of the band between two curves, with an edge of about a pixel and a half."""
        edge = 1.5 * self.fields.spacing_mm
        return np.clip((self.z - top) / edge + 0.5, 0, 1) * np.clip((bottom - self.z) / edge + 0.5, 0, 1)

    def fill(self, cover: np.ndarray, level: float | np.ndarray, loss: float = USUAL_LOSS) -> None:
        """Replace what was there by a tissue of this echogenicity (dB) and loss (dB/mm)."""
        self.level += cover * (level - self.level)
        self.loss += cover * (loss - self.loss)
        self.specular *= 1 - cover

    def dashes(
        self, name: str, long_mm: float, thin_mm: float, angle: float, share: float = 1.0
    ) -> np.ndarray:
        """Short bright strands, 0 to about 1, gathered in clusters; a higher ``share`` shows more of them."""
        strands = self.fields.strands(name, long_mm, thin_mm, angle)
        gathered = self.fields.smooth(name + " gathered", 3.5, 2.0)
        return np.clip(0.75 * strands + 0.45 * gathered - (1.35 - 0.45 * share), 0, 1.2)

    def fat(self, name: str, cover: np.ndarray, level: float = -27.0, septa: float = 0.5) -> None:
        """Lobules of fat between bright, mostly horizontal, broken septa."""
        lines = ridge(self.fields.strands(name, 8.0, 1.3, 0.04), 0.15)
        shown = np.clip(0.6 + 0.6 * self.fields.smooth(name + " shown", 5, 1.6), 0, 1.3)
        dashes = self.dashes(name + " dashes", 4.5, 0.24, 0.03, 0.6 + septa)
        self.fill(cover, level + 2.2 * self.grain + 8 * lines * shown + 8 * dashes, 0.85)
        self.specular += cover * np.float32(septa) * (0.35 * lines * shown + 0.5 * dashes)

    def muscle(
        self, name: str, cover: np.ndarray, level: float = -34.0, angle: float = 0.0, streaks: float = 1.0
    ) -> None:
        """Dark fibre bundles between short bright lines of perimysium, as in a cross-section."""
        long = self.dashes(name, 3.0, 0.22, angle, 0.45 * streaks)
        short = self.dashes(name + " short", 1.0, 0.24, angle * 0.5, 0.8 * streaks)
        bundles = self.fields.strands(name + " bundles", 2.2, 0.9, angle)
        self.fill(cover, level + 1.5 * self.grain + 1.6 * bundles + 9 * long + 7 * short, 1.05)
        self.specular += (
            cover
            * np.clip(0.7 + 0.7 * bundles, 0.1, 2)
            * (np.float32(0.34) * long + np.float32(0.14) * short)
        )

    def connective(self, name: str, cover: np.ndarray, level: float = -20.0, angle: float = 0.0) -> None:
        """Bright loose tissue around nerves and vessels."""
        dashes = self.dashes(name, 2.2, 0.26, angle, 1.2)
        self.fill(cover, level + 3.0 * self.grain + 8 * dashes, 1.0)
        self.specular += cover * np.float32(0.22) * dashes

    def fascia(
        self,
        name: str,
        line: Curve,
        strength: float = 0.6,
        thick_mm: float = 0.14,
        cover: np.ndarray | float = 1.0,
    ) -> None:
        """A bright sheet along a curve; it fades where the beam meets it at an angle."""
        slope = np.gradient(line[0], self.fields.spacing_mm)[None, :]
        uneven = np.clip(0.6 + 0.45 * self.fields.curve(name + " uneven", 3.0), 0.05, 1.5)
        thick_mm = thick_mm * np.clip(1 + 0.3 * self.fields.curve(name + " thick", 4.0), 0.5, 1.8)
        bright = (uneven / (1 + (slope / 0.45) ** 2)).astype(np.float32)
        sheet = np.exp(-(((self.z - line) / thick_mm) ** 2)) * bright * cover
        self.specular += np.float32(strength) * sheet
        self.level = np.maximum(self.level, self.level + sheet * (-8 - self.level))

    def patch(
        self,
        x: float,
        z: float,
        wide: float,
        high: float,
        angle: float = 0.0,
        margin: float = 1.0,
        bumps: np.ndarray | None = None,
    ) -> Patch | None:
        """Pixels around an ellipse with these half axes in mm, or None when it is off the image.

        ``bumps`` holds amplitude and phase, (K, 2), of waves 2..K+1 around the outline.
        """
        reach = 1.25 * max(wide, high) + margin + 1.2
        step, (height, width) = self.fields.spacing_mm, self.fields.size
        top, bottom = (int(np.clip((z + side * reach) / step, 0, height)) for side in (-1, 1))
        left, right = (int(np.clip((x + side * reach) / step + width / 2, 0, width)) for side in (-1, 1))
        if bottom - top < 3 or right - left < 3:
            return None
        rows, columns = slice(top, bottom), slice(left, right)
        across, down = self.x[rows, columns] - np.float32(x), self.z[rows, columns] - np.float32(z)
        cosine, sine = np.float32(math.cos(angle)), np.float32(math.sin(angle))
        u, v = across * cosine + down * sine, -across * sine + down * cosine
        inside = np.sqrt((u / wide) ** 2 + (v / high) ** 2) + np.float32(1e-4)
        facing = np.abs(u * sine / wide**2 + v * cosine / high**2) / np.hypot(u / wide**2, v / high**2).clip(
            1e-6
        )
        if bumps is not None:
            turn = np.arctan2(v / high, u / wide)
            inside /= 1 + sum(
                size * np.cos((order + 2) * turn + phase) for order, (size, phase) in enumerate(bumps)
            ).astype(np.float32)
        return Patch(rows, columns, inside, u, v, facing)

    def blob(
        self, x: float, z: float, wide: float, high: float, angle: float = 0.0, soft: float = 0.15
    ) -> np.ndarray:
        """Coverage 0 to 1 (H, W) of an ellipse whose edge is ``soft`` of its radius wide."""
        cover = np.zeros(self.fields.size, np.float32)
        part = self.patch(x, z, wide, high, angle, margin=soft * max(wide, high))
        if part is not None:
            cover[part.rows, part.columns] = np.clip((1 - part.inside) / soft + 0.5, 0, 1)
        return cover

    def vessel(
        self, x: float, z: float, wide: float, high: float, angle: float = 0.0, artery: bool = True
    ) -> None:
        """An echo-free lumen; an artery has a clear wall, a vein a thin one. Edges bend the beam away."""
        part = self.patch(x, z, wide, high, angle)
        if part is None:
            return
        at = part.rows, part.columns
        small = min(wide, high)
        wall = 0.32 if artery else 0.16
        off = (part.inside - 1) * small
        lumen = np.clip(0.5 - off / (1.5 * self.fields.spacing_mm), 0, 1)
        ring = np.exp(-(((off - 0.6 * wall) / wall) ** 2))
        self.level[at] += (
            ring * (-19 - self.level[at]) * (0.25 + 0.6 * part.facing) * (0.9 if artery else 0.4)
        )
        # Echoes from the near wall ring on into the lumen.
        haze = -58 + 12 * np.clip(-part.v / high, 0, 1) ** 2
        self.level[at] += lumen * (haze - self.level[at])
        self.loss[at] += lumen * (0.25 - self.loss[at])
        self.specular[at] *= 1 - lumen
        patchy = np.clip(0.8 + 0.5 * self.grain[at] / 1.3, 0.1, 1.6)
        self.specular[at] += ring * patchy * part.facing**3 * np.float32(0.5 if artery else 0.25)
        edge = np.exp(-(((np.abs(part.u) - wide) / 0.35) ** 2)) * (np.abs(part.v) < high)
        self.loss[at] += edge * np.float32(0.5)
        self.vessels[at] |= part.inside < 1

    def tendon(
        self,
        name: str,
        x: float,
        z: float,
        wide: float,
        high: float,
        angle: float = 0.0,
        level: float = -14.0,
    ) -> None:
        """Densely packed fine bright fibres; darker where the beam misses the right angle (``level``)."""
        part = self.patch(x, z, wide, high, angle)
        if part is None:
            return
        at = part.rows, part.columns
        off = (part.inside - 1) * min(wide, high)
        body = np.clip(0.5 - off / 0.2, 0, 1)
        fibres = ridge(self.fields.strands(name, 0.8, 0.32, angle)[at], 0.45)
        self.level[at] += body * (level - 5 + 8 * fibres - self.level[at])
        self.loss[at] += body * (1.25 - self.loss[at])
        self.specular[at] *= 1 - body
        self.specular[at] += body * fibres * np.float32(0.10)
        sheath = np.exp(-(((off - 0.1) / 0.16) ** 2))
        self.level[at] -= np.float32(5) * np.exp(-(((off - 0.35) / 0.2) ** 2))
        self.specular[at] += sheath * part.facing**2 * np.float32(0.12)

    def bone(self, name: str, surface: Curve, cover: np.ndarray | float = 1.0) -> None:
        """A bright surface with nothing but a clean shadow below it."""
        slope = np.gradient(surface[0], self.fields.spacing_mm)[None, :]
        below = np.clip((self.z - surface) / 0.2, 0, 1) * cover
        self.fill(below, -45, 1.0)
        self.loss += below * np.float32(7)
        shine = np.exp(-(((self.z - surface - 0.1) / 0.24) ** 2)) * cover / (1 + (slope / 0.55) ** 2) ** 1.5
        uneven = np.clip(0.9 + 0.3 * self.fields.curve(name + " uneven", 2.5), 0.3, 1.5)
        self.specular += np.float32(1.3) * shine * uneven
        self.level += shine * (-4 - self.level)

    def nerve(self, shape: NerveShape, number: int) -> None:
        """A nerve of exactly the asked area, with its fascicles; ``number`` marks it in the map of nerves."""
        wide, high = (
            math.sqrt(shape.csa_mm2 * shape.aspect / math.pi),
            math.sqrt(shape.csa_mm2 / (math.pi * shape.aspect)),
        )
        rng = self.fields.rng(f"nerve {number}")
        bumps = np.stack(
            [shape.irregular * rng.normal(0, 1, 4) / (1 + np.arange(4) / 2), rng.uniform(0, 2 * np.pi, 4)],
            axis=1,
        )
        bumps[:, 0] = np.clip(bumps[:, 0], -0.16, 0.16)
        part = self.patch(shape.x, shape.z, wide, high, shape.angle, margin=shape.rim_mm * 4, bumps=bumps)
        count = round(shape.csa_mm2 / self.fields.spacing_mm**2)
        if part is None or part.inside.size <= count:
            return
        at = part.rows, part.columns
        inside = part.inside / np.partition(part.inside.ravel(), count)[count]
        off = (inside - 1) * math.sqrt(wide * high)
        body = np.clip(0.5 - off / (1.5 * self.fields.spacing_mm), 0, 1)
        fascicle = self._fascicles(part, inside, shape, wide, high, rng)
        texture = self.grain[at]
        stroma = shape.epineurium_db + 1.5 * texture
        level = stroma + fascicle * (shape.fascicle_db + 1.2 * texture - stroma)
        rim = np.exp(-(((off - 0.45 * shape.rim_mm) / (0.6 * shape.rim_mm)) ** 2))
        self.level[at] += body * (level - self.level[at])
        uneven = shape.rim_db - 3 + 2.5 * texture - 5 * (1 - part.facing)
        self.level[at] += rim * np.maximum(uneven - self.level[at], 0)
        self.loss[at] += body * (1.05 - self.loss[at])
        self.specular[at] *= 1 - body
        glint = np.float32(10 ** (shape.rim_db / 20)) * np.clip(0.8 + 0.5 * texture, 0, 2)
        self.specular[at] += glint * (0.8 * rim * part.facing**2 + 0.3 * body * (1 - fascicle))
        self.nerves[at][inside < 1] = number
        self.vessels[at][inside < 1] = False

    def _fascicles(
        self,
        part: Patch,
        inside: np.ndarray,
        shape: NerveShape,
        wide: float,
        high: float,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Coverage 0 to 1 of the fascicles on the patch, packed as a disturbed honeycomb."""
        edge = 1.5 * self.fields.spacing_mm
        if shape.fascicles <= 1:
            return np.clip((0.93 - inside) * math.sqrt(wide * high) / edge + 0.5, 0, 1)
        pitch = math.sqrt(shape.csa_mm2 / shape.fascicles / 0.80)
        reach = int(max(wide, high) / pitch) + 2
        row, column = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        centres = np.stack([(column + 0.5 * (row % 2)).ravel() * pitch, row.ravel() * pitch * 0.87], axis=1)
        centres += rng.uniform(-0.5, 0.5, 2) * pitch + rng.normal(0, 0.14, centres.shape) * pitch
        radii = pitch * np.clip(rng.normal(0.43, 0.05, len(centres)), 0.30, 0.52)
        kept = np.hypot(centres[:, 0] / (wide - 0.4 * radii), centres[:, 1] / (high - 0.4 * radii)) < 0.97
        if not kept.any():
            kept[np.argmin((centres**2).sum(1))] = True
        cover = np.zeros(inside.shape, np.float32)
        for (x, z), radius, flat in zip(centres[kept], radii[kept], rng.uniform(0.85, 1.2, int(kept.sum()))):
            away = np.sqrt(((part.u - np.float32(x)) / flat) ** 2 + ((part.v - np.float32(z)) * flat) ** 2)
            np.maximum(cover, np.clip((radius - away) / edge + 0.5, 0, 1), out=cover)
        return cover * np.clip((0.97 - inside) * math.sqrt(wide * high) / edge + 0.5, 0, 1)

    def shade(self) -> None:
        """Uneven transmission from place to place: faint vertical bands that grow with depth."""
        self.loss += 0.13 * self.fields.curve("shade", 3.5) + 0.08 * self.fields.curve("fine shade", 1.3)

    def near_field(self, rng: np.random.Generator) -> None:
        """Skin and the ringing of the probe above it."""
        skin = float(rng.uniform(0.9, 1.7))
        line = self.curve("skin", skin, wave=0.06)
        self.fill(self.between(-1, line), -21 + 1.5 * self.grain, 1.0)
        self.fascia("skin edge", line, 0.28, 0.12)
        ring = np.zeros_like(self.fields.depth)
        for order, strength in enumerate((1.0, 0.45, 0.18, 0.08)):
            ring += strength * np.exp(-(((self.fields.depth - 0.12 - 0.34 * order) / 0.09) ** 2))
        self.specular += np.float32(rng.uniform(0.25, 0.6)) * ring


def contact_loss(loss: np.ndarray, fields: Fields, rng: np.random.Generator) -> None:
    """Sometimes one end of the probe has no contact: everything below it is lost (``loss`` is changed)."""
    if rng.random() < 0.12:
        side = 1 if rng.random() < 0.5 else -1
        half = fields.size[1] * fields.spacing_mm / 2
        gone = np.clip((side * fields.lateral - half * rng.uniform(0.72, 0.9)) / 1.0, 0, 1)
        loss[: max(1, int(2.5 / fields.spacing_mm))] += (gone * 9).astype(np.float32)


def mark_nerves(nerves: np.ndarray) -> np.ndarray:
    """Mask 0/255, uint8, of a map of numbered nerves."""
    return cv2.compare(nerves, 0, cv2.CMP_GT)
