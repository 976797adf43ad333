"""What each kind of pathology does to a nerve, as a function of severity.

Severity s: 0.3 is the mildest a sonographer might call, 0.5 a clear case, 1 gross. What they look for
and the usual sizes follow Kowalska & Sudoł-Szopińska 2012 (doi 10.15557/JoU.2012.0027) and Goedee 2013
(doi 10.1016/j.clinph.2012.09.024): cross-sectional area, flattening, echogenicity, fascicular pattern,
epineurium and outline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nerve_core.data.pathology.echo import Paint, darken, fade, rim
from nerve_core.data.pathology.fields import Ellipse, Map, push, ripple, scaling


@dataclass(frozen=True)
class Target:
    """What a kind needs to know of the place it is written to.

    Attributes:
        ellipse: the ellipse of the nerve (or of a piece of other tissue of that form).
        mean, around: mean echo inside and in the ring around, grey levels.
        dark, bright: echo of the darkest and the brightest tissue nearby (5th and 95th percentile).
        grain: grain half-size in px.
        room: largest linear scale at which the nerve still lies inside the picture.
    """

    ellipse: Ellipse
    mean: float
    around: float
    dark: float
    bright: float
    grain: float
    room: float


@dataclass(frozen=True)
class Change:
    """What a kind does.

    Attributes:
        maps: applied in order.
        paints: applied after all maps, in order.
        severity: the severity that there was room for.
        mottle: 0..1, how much of the texture inside becomes plain speckle.
    """

    maps: tuple[Map, ...] = ()
    paints: tuple[Paint, ...] = ()
    severity: float = 0.0
    mottle: float = 0.0


KindFunction = Callable[[Target, float, np.random.Generator], Change]


def csa_factor(severity: float) -> float:
    """Area of a swollen nerve over its area before, 3 ** s: 1.39 at 0.3, 1.73 at 0.5, 3 at 1."""
    return float(3.0**severity)


def swelling(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """Larger area and a rounder form: a flat nerve grows mostly across its short axis."""
    ellipse = target.ellipse
    factor = csa_factor(severity)
    share = 0.5 * (ellipse.a / ellipse.b) ** -0.6 * rng.uniform(0.9, 1.0)
    along, across = factor**share, factor ** (1 - share)
    limit = max(target.room, 1.25)
    along, across = min(along, limit), min(across, limit)
    achieved = float(np.log(along * across) / np.log(3.0))
    return Change((scaling(ellipse, along, across),), (), min(achieved, severity))


def flattening(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """The nerve pressed flat: thickness falls, width grows less, so the area falls a little."""
    thickness = float(np.exp(-0.85 * severity))
    width = thickness ** -rng.uniform(0.3, 0.5)
    width = min(width, max(target.room, 1.05))
    # In two steps, since drawing the surroundings in that far at once would fold them.
    half = replace(target.ellipse, a=target.ellipse.a * width**0.5, b=target.ellipse.b * thickness**0.5)
    maps = (scaling(target.ellipse, width**0.5, thickness**0.5), scaling(half, width**0.5, thickness**0.5))
    return Change(maps, (), severity)


def notch(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """A dent from one side of the nerve, a quarter to three quarters of its thickness deep."""
    ellipse = target.ellipse
    side = 1.0 if rng.random() < 0.5 else -1.0
    place = rng.uniform(-0.35, 0.35) * ellipse.a
    depth = 2 * ellipse.b * (0.12 + 0.58 * severity)
    edge = ellipse.b * np.sqrt(max(1 - (place / ellipse.a) ** 2, 0.1))
    x, y = ellipse.image(np.float32(place), np.float32(side * (edge + 0.15 * ellipse.b - 0.5 * depth)))
    inward = ellipse.angle - side * np.pi / 2
    across = ellipse.a * rng.uniform(0.28, 0.42)
    # Pushed in two halves: each fades over a short way, so that the far side of the nerve stays.
    half = push(float(x), float(y), inward, 0.5 * depth, 0.5 * depth, max(across, 0.35 * depth))
    return Change((half, half), (), severity)


def compression(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """Flattening or a notch; a nerve that is flat by nature is notched, since flatter would not show."""
    if target.ellipse.a / target.ellipse.b > 2.2 or rng.random() < 0.4:
        return notch(target, severity, rng)
    return flattening(target, severity, rng)


def hypoechogenicity(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """The whole nerve darker, by a share of what separates it from the darkest tissue nearby."""
    span = max(target.mean - target.dark, 0.0)
    wish = 8 + 30 * severity + 0.45 * severity * span
    drop = min(wish, 0.9 * span + 4)
    return Change(
        (), (darken(drop * rng.uniform(0.92, 1.0), max(target.dark - 4, 0)),), severity * drop / wish
    )


def fascicle_loss(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """Fascicles and the tissue between them fade into one another; the grain stays."""
    share = min(0.95, 0.3 + 0.7 * severity)
    return Change((), (fade(share, max(0.45 * target.ellipse.b, 3 * target.grain)),), severity, share)


def thickening(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """A thick bright epineurium around all or part of the nerve."""
    ellipse = target.ellipse
    width = max((0.07 + 0.17 * severity) * ellipse.b, 1.2 * target.grain)
    contrast = max(target.bright - target.around, 25.0)
    rise = (0.35 + 0.75 * severity) * contrast + 20 * severity
    whole = rng.random() < 0.4
    extent = 2 * np.pi if whole else rng.uniform(0.9, 1.7) * np.pi
    paint = rim(
        ellipse, width, rise, rng.uniform(-np.pi, np.pi), extent, target.grain, int(rng.integers(2**63))
    )
    return Change((), (paint,), severity)


def irregular(target: Target, severity: float, rng: np.random.Generator) -> Change:
    """An uneven outline, or a bulge to one side as of a neuroma, whose tissue is darker."""
    ellipse = target.ellipse
    count = int(rng.integers(2, 4))
    orders = rng.choice(np.arange(3, 7), count, replace=False)
    share = rng.dirichlet(np.full(count, 3.0))
    size = 0.06 + 0.16 * severity
    maps = [
        ripple(ellipse, orders.tolist(), (size * share).tolist(), rng.uniform(-np.pi, np.pi, count).tolist())
    ]
    if rng.random() < 0.6:
        direction = rng.uniform(-np.pi, np.pi)
        u, v = 0.75 * ellipse.a * np.cos(direction), 0.75 * ellipse.b * np.sin(direction)
        x, y = ellipse.image(np.float32(u), np.float32(v))
        outward = float(np.arctan2(float(y) - ellipse.y, float(x) - ellipse.x))
        depth = ellipse.b * (0.15 + 0.4 * severity)
        maps.append(push(float(x), float(y), outward, depth, 0.6 * ellipse.b, 0.5 * ellipse.b))
    return Change(tuple(maps), (), severity)


KINDS: dict[str, KindFunction] = {
    "swelling": swelling,
    "compression": compression,
    "hypoechogenicity": hypoechogenicity,
    "fascicle_loss": fascicle_loss,
    "thickening": thickening,
    "irregular": irregular,
}
