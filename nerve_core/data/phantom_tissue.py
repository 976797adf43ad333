"""A cross-section of a limb under construction: tissues are painted one over the other, in millimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from nerve_core.data.phantom_field import WHOLE, Fields, Window

Curve = np.ndarray
"""Depth in mm over the columns, float32 (1, W)."""

PRESSED_MM = 22.0
"""Depth over which tissue gets out of the shape that a curved probe presses it into."""

TENDON_LOSS_DB, NERVE_LOSS_DB, MUSCLE_LOSS_DB = 16.0, 6.0, 3.0
"""Echo that tendon, nerve and muscle lose under a tilted beam: most in tendon, whose fibres run straightest.

Chosen so that a tendon turns dark within about ten degrees while the nerve beside it stays visible, which is
how the two are told apart in practice; not measured values.
"""

USUAL_LOSS = 1.0
"""Two-way attenuation of soft tissue in dB/mm (0.5 dB/cm/MHz one way at about 10 MHz)."""


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


def covered(cover: np.ndarray) -> Window:
    """Smallest window that holds everything above 0; one pixel where there is nothing."""
    if not cover.any():
        return slice(0, 1), slice(0, 1)
    rows, columns = np.flatnonzero(cover.any(1)), np.flatnonzero(cover.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


@dataclass
class Tissue:
    """Maps of one frame, all (H, W): echogenicity in dB, interfaces, attenuation, nerves and vessels."""

    fields: Fields
    tilt_deg: float = 0.0
    level: np.ndarray = field(init=False)
    specular: np.ndarray = field(init=False)
    loss: np.ndarray = field(init=False)
    nerves: np.ndarray = field(init=False)
    vessels: np.ndarray = field(init=False)
    x: np.ndarray = field(init=False)
    z: np.ndarray = field(init=False)
    flow: tuple[np.ndarray, np.ndarray] = field(init=False)
    grain: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shape = self.fields.size
        self.level = np.full(shape, -26, np.float32)
        self.specular = np.zeros(shape, np.float32)
        self.loss = np.full(shape, USUAL_LOSS, np.float32)
        self.nerves = np.zeros(shape, np.uint8)
        self.vessels = np.zeros(shape, bool)
        # Everything is drawn in bent coordinates, so that nothing is a perfect ellipse or plane.
        settle = np.clip(self.fields.from_probe / 4, 0, 1)
        self.x = (
            self.fields.lateral
            + 0.55 * self.fields.smooth("bend x", 8, 6)
            + 0.10 * self.fields.smooth("rough x", 1.6, 1.6)
        )
        self.z = (
            self.fields.depth
            + self._pressed()
            + settle
            * (0.50 * self.fields.smooth("bend z", 7, 6) + 0.09 * self.fields.smooth("rough z", 1.8, 1.4))
        )
        flow = settle * (
            0.9 * self.fields.smooth("flow", 9, 7) + 0.25 * self.fields.smooth("small flow", 3, 2.5)
        )
        self.flow = self.x, self.z + flow
        self.grain = self.fields.smooth("grain", 2.6, 1.2) + 0.8 * self.fields.smooth("fine grain", 0.8, 0.4)

    def _pressed(self) -> np.ndarray | float:
        """How much deeper in the limb a pixel lies than in the picture, mm: skin takes on a probe's curve."""
        if self.fields.fan is None:
            return 0.0
        away = self.fields.from_probe
        return (away - self.fields.depth) * np.exp(-np.clip(away, 0, None) / np.float32(PRESSED_MM))

    @property
    def bottom(self) -> float:
        """Depth of the last row, mm."""
        return self.fields.size[0] * self.fields.spacing_mm + self.fields.top_mm

    def anisotropy(self, most_db: float, width_deg: float) -> float:
        """Loss in dB of the echo of parallel fibres that the beam meets ``tilt_deg`` off the right angle."""
        return most_db * (1 - math.exp(-((self.tilt_deg / width_deg) ** 2)))

    def drift(self, rng: np.random.Generator, reach: float) -> float:
        """Offset in mm, up to ``reach`` to either side, that changes smoothly along the limb."""
        phase, length = rng.uniform(0, 2 * math.pi), rng.uniform(28, 55)
        return reach * math.sin(2 * math.pi * self.fields.along_mm / length + phase)

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

    def fill(
        self, cover: np.ndarray, level: float | np.ndarray, loss: float = USUAL_LOSS, at: Window = WHOLE
    ) -> None:
        """Replace what was there by a tissue of this echogenicity (dB) and loss (dB/mm), in a window."""
        self.level[at] += cover * (level - self.level[at])
        self.loss[at] += cover * (loss - self.loss[at])
        self.specular[at] *= 1 - cover

    def strands(self, name: str, along: float, across: float, angle: float, at: Window) -> np.ndarray:
        """Field of fibres that follow the flow of the tissue, in a window; see `Fields.strands`."""
        return self.fields.strands(name, along, across, angle, (self.flow[0][at], self.flow[1][at]))

    def dashes(
        self, name: str, long_mm: float, thin_mm: float, angle: float, share: float, at: Window
    ) -> np.ndarray:
        """Short bright strands, 0 to about 1, gathered in clusters; a higher ``share`` shows more of them."""
        strands = self.strands(name, long_mm, thin_mm, angle, at)
        gathered = self.fields.smooth(name + " gathered", 3.5, 2.0, at)
        return np.clip(0.75 * strands + 0.45 * gathered - (1.35 - 0.45 * share), 0, 1.2)

    def fat(self, name: str, cover: np.ndarray, level: float = -28.5, septa: float = 0.5) -> None:
        """Lobules of fat between bright, mostly horizontal, broken septa."""
        at = covered(cover)
        cover = cover[at]
        lines = ridge(self.strands(name, 8.0, 1.3, 0.04, at), 0.15)
        lines *= np.clip(0.6 + 0.6 * self.fields.smooth(name + " shown", 5, 1.6, at), 0, 1.3)
        dashes = self.dashes(name + " dashes", 4.5, 0.24, 0.03, 0.6 + septa, at)
        self.fill(cover, level + 2.2 * self.grain[at] + 8 * (lines + dashes), 0.85, at)
        self.specular[at] += cover * np.float32(septa) * (0.35 * lines + 0.5 * dashes)

    def muscle(
        self, name: str, cover: np.ndarray, level: float = -34.0, angle: float = 0.0, streaks: float = 1.0
    ) -> None:
        """Dark fibre bundles between short bright lines of perimysium, as in a cross-section."""
        at = covered(cover)
        cover = cover[at]
        long = self.dashes(name, 2.6, 0.20, angle, 0.5 * streaks, at)
        short = self.dashes(name + " short", 0.8, 0.22, angle * 0.5, 0.95 * streaks, at)
        bundles = self.strands(name + " bundles", 2.4, 0.8, angle, at)
        level -= self.anisotropy(MUSCLE_LOSS_DB, 12.0)
        self.fill(cover, level + 1.5 * self.grain[at] + 1.6 * bundles + 8 * long + 7 * short, 1.05, at)
        bright = np.clip(0.6 + 0.6 * bundles, 0.05, 2)
        self.specular[at] += cover * bright * (np.float32(0.30) * long + np.float32(0.16) * short)

    def connective(self, name: str, cover: np.ndarray, level: float = -20.0, angle: float = 0.0) -> None:
        """Bright loose tissue around nerves and vessels."""
        at = covered(cover)
        cover = cover[at]
        dashes = self.dashes(name, 2.2, 0.26, angle, 1.2, at)
        self.fill(cover, level + 3.0 * self.grain[at] + 8 * dashes, 1.0, at)
        self.specular[at] += cover * np.float32(0.22) * dashes

    def belly(
        self,
        name: str,
        x: float,
        z: float,
        wide: float,
        high: float,
        turn: float = 0.0,
        level: float = -34.0,
        within: np.ndarray | float = 1.0,
    ) -> None:
        """A muscle of elliptic cross-section in its thin bright sheath."""
        rng = self.fields.rng(name)
        bumps = np.stack([rng.normal(0, (0.10, 0.07, 0.04)), rng.uniform(0, 2 * np.pi, 3)], axis=1)
        bumps[:, 0] = np.clip(bumps[:, 0], -0.16, 0.16)
        part = self.patch(x, z, wide, high, turn, margin=0.2 * max(wide, high), bumps=bumps)
        if part is None:
            return
        at = part.rows, part.columns
        off = (part.inside - 1) * min(wide, high)
        cover = np.zeros(self.fields.size, np.float32)
        cover[at] = np.clip(0.5 - off / 0.25, 0, 1)
        self.muscle(name, cover * within, level, turn * 0.7)
        sheath = np.exp(-(((off - 0.1) / 0.13) ** 2)) * (within if np.isscalar(within) else within[at])
        patchy = np.clip(0.6 + 0.6 * self.grain[at], 0.0, 1.8)
        self.specular[at] += np.float32(0.35) * sheath * patchy * part.facing**2
        self.level[at] += sheath * part.facing * np.maximum(-22 + 2 * self.grain[at] - self.level[at], 0)

    def fascia(
        self,
        name: str,
        line: Curve,
        strength: float = 0.6,
        thick_mm: float = 0.10,
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
        above = z - self.fields.top_mm
        lift = 0.0
        if self.fields.fan is not None:  # pressed tissue lies higher in the picture
            bow = (abs(x) + reach) ** 2 / (1.4 * self.fields.fan.radius_mm)
            lift = bow * math.exp(-max(z - reach, 0.0) / PRESSED_MM)
        top, bottom = (int(np.clip(edge / step, 0, height)) for edge in (above - reach - lift, above + reach))
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
            turn = np.arctan2(v / np.float32(high), u / np.float32(wide))
            outline = np.ones_like(turn)
            for order, (size, phase) in enumerate(bumps.astype(np.float32), start=2):
                outline += size * np.cos(order * turn + phase)
            inside /= outline
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
        lost = self.anisotropy(TENDON_LOSS_DB, 6.0)
        level, sharp = level - lost, np.float32(10 ** (-lost / 20))
        off = (part.inside - 1) * min(wide, high)
        body = np.clip(0.5 - off / 0.2, 0, 1)
        fibres = ridge(self.strands(name, 0.8, 0.32, angle, at), 0.45)
        self.level[at] += body * (level - 5 + 8 * fibres - self.level[at])
        self.loss[at] += body * (1.25 - self.loss[at])
        self.specular[at] *= 1 - body
        self.specular[at] += body * fibres * np.float32(0.10) * sharp
        sheath = np.exp(-(((off - 0.1) / 0.16) ** 2))
        self.level[at] -= np.float32(5) * np.exp(-(((off - 0.35) / 0.2) ** 2))
        self.specular[at] += sheath * part.facing**2 * np.float32(0.12)

    def bone(self, name: str, surface: Curve, cover: np.ndarray | float = 1.0) -> None:
        """A bright surface with nothing but a clean shadow below it."""
        slope = np.gradient(surface[0], self.fields.spacing_mm)[None, :]
        below = np.clip((self.z - surface) / 0.2, 0, 1) * cover
        self.fill(below, -45, 1.0)
        self.loss += below * np.float32(3.5)
        shine = np.exp(-(((self.z - surface - 0.1) / 0.24) ** 2)) * cover / (1 + (slope / 0.55) ** 2) ** 1.5
        uneven = np.clip(0.9 + 0.3 * self.fields.curve(name + " uneven", 2.5), 0.3, 1.5)
        self.specular += np.float32(1.3) * shine * uneven
        self.level += shine * (-4 - self.level)

    def shade(self) -> None:
        """Uneven transmission from place to place: faint vertical bands that grow with depth."""
        self.loss += 0.13 * self.fields.curve("shade", 3.5) + 0.08 * self.fields.curve("fine shade", 1.3)

    def near_field(self, rng: np.random.Generator) -> None:
        """Skin and the ringing of the probe above it."""
        skin = float(rng.uniform(0.9, 1.7))
        line = self.curve("skin", skin, wave=0.06)
        self.fill(self.between(-1, line), -24 + 1.5 * self.grain, 1.0)
        self.fascia("skin edge", line, 0.28, 0.12)
        ring = np.zeros_like(self.fields.from_probe)
        for order, strength in enumerate((1.0, 0.5, 0.28, 0.16, 0.09, 0.05)):
            ring += strength * np.exp(-(((self.fields.from_probe - 0.10 - 0.24 * order) / 0.06) ** 2))
        self.specular += np.float32(rng.uniform(0.25, 0.6)) * ring


def contact_loss(loss: np.ndarray, fields: Fields, rng: np.random.Generator) -> None:
    """Sometimes one end of the probe has no contact: everything below it is lost (``loss`` is changed)."""
    if rng.random() < 0.12:
        side = 1 if rng.random() < 0.5 else -1
        half = fields.half_mm
        gone = np.clip((side * fields.lateral - half * rng.uniform(0.72, 0.9)) / 1.0, 0, 1)
        if fields.fan is None:
            loss[: max(1, int(2.5 / fields.spacing_mm))] += (gone * 9).astype(np.float32)
        else:
            loss += (gone * 9 * (fields.from_probe < 2.5)).astype(np.float32)


def mark_nerves(nerves: np.ndarray) -> np.ndarray:
    """Mask 0/255, uint8, of a map of numbered nerves."""
    return cv2.compare(nerves, 0, cv2.CMP_GT)
