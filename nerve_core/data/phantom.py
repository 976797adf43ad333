"""Simulated nerve ultrasound with exact truth: a cross-section is drawn and then imaged.

>>> phantom = simulate(3, site="wrist", affected=True, size=(192, 192))
>>> phantom.label, phantom.image.shape, bool(phantom.mask.any())
('affected', (192, 192), True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_field import Fields
from nerve_core.data.phantom_machines import USUAL, Machine
from nerve_core.data.phantom_nerve import NerveShape, make_affected, make_room, paint_nerve
from nerve_core.data.phantom_physics import form_image
from nerve_core.data.phantom_probe import fan_for
from nerve_core.data.phantom_tissue import USUAL_LOSS, Tissue, contact_loss, mark_nerves
from nerve_core.errors import DataError

LESION_MM = 9.0
"""Length along the limb over which the pathology of a sweep rises and falls again."""


MOST_TILT_DEG = 25.0
"""Greatest tilt of the probe that is simulated."""


@dataclass(frozen=True)
class NerveTruth:
    """One simulated nerve.

    Attributes:
        name: anatomical name.
        number: its value in ``Phantom.nerves``.
        csa_mm2: cross-sectional area inside the epineurial rim, measured on the mask.
        label: ``affected`` or ``unaffected``.
    """

    name: str
    number: int
    csa_mm2: float
    label: str


@dataclass(frozen=True, eq=False)
class Phantom:
    """A simulated scan and the truth about it.

    Attributes:
        image: uint8 (H, W), 0 to 255.
        mask: uint8 (H, W), 255 inside any nerve (up to the bright rim), else 0.
        vessel_mask: uint8 (H, W), 255 inside the lumen of arteries and veins, else 0.
        spacing_mm: (row, column) mm per px.
        site: where on the body.
        nerve: name of the main nerve: the affected one, else the site's first.
        label: ``affected`` when a nerve carries pathology, else ``unaffected``.
        severity: 0 when unaffected, else as asked, 0 to 1.
        nerves: uint8 (H, W), 0 outside, else the number of the nerve.
        truth: each nerve in view.
        device: the simulated scanner.
        seed: what reproduces the phantom, with the other arguments.
    """

    image: np.ndarray
    mask: np.ndarray
    vessel_mask: np.ndarray
    spacing_mm: tuple[float, float]
    site: str
    nerve: str
    label: str
    severity: float
    nerves: np.ndarray
    truth: tuple[NerveTruth, ...]
    device: str
    seed: int


@dataclass(frozen=True)
class _Order:
    """What `simulate` was asked for, checked."""

    seed: int
    site: str
    affected: bool
    severity: float
    size: tuple[int, int]
    machine: Machine
    depth_mm: float
    tilt_deg: float


def _view(order: _Order, along_mm: float) -> Fields:
    """The geometry of a frame: a linear probe's picture is as deep as asked, a curved one's holds its fan."""
    seed, size, machine = order.seed, order.size, order.machine
    if not machine.radius_mm:
        return Fields(seed, size, order.depth_mm / size[0], along_mm)
    share = float(Fields(seed, size, 1.0).rng("sector width").uniform(0.0, 0.8))
    fan = fan_for(size, order.depth_mm, machine.radius_mm, machine.span_deg, share)
    return Fields(seed, size, fan.spacing_mm, along_mm, fan)


def _frame(order: _Order, along_mm: float) -> Phantom:
    seed, site, affected, machine = order.seed, order.site, order.affected, order.machine
    setup = Fields(seed, order.size, 1.0).rng("setup")
    setup.uniform()  # the depth was drawn from here
    fields = _view(order, along_mm)
    tissue = Tissue(fields, order.tilt_deg)
    shapes = SITES[site].draw(tissue, fields.rng("anatomy"))
    if fields.view is not None:
        shapes = [shape for shape in shapes if _in_view(shape, fields)] or shapes[:1]
    which = 0
    if affected:
        which = int(setup.integers(len(shapes)))
        focal = float(np.exp(-((along_mm / LESION_MM) ** 2)))
        # Away from the lesion the nerve tapers back to the healthy one.
        sick = make_affected(shapes[which], order.severity, fields.rng("pathology"))
        shapes[which] = sick if along_mm == 0 else _between(shapes[which], sick, focal)
    shapes = make_room(shapes, which)
    for number, shape in enumerate(shapes, start=1):
        paint_nerve(tissue, shape, number)
    tissue.shade()
    tissue.near_field(fields.rng("skin"))
    contact_loss(tissue.loss, fields, fields.rng("contact"))
    focus = 0.45 * order.depth_mm
    image = form_image(tissue.level, tissue.specular, tissue.loss, USUAL_LOSS, machine, focus, fields)
    nerves, vessels = tissue.nerves, tissue.vessels.astype(np.uint8) * 255
    if fields.view is not None:
        for part in (image, nerves, vessels):
            part[~fields.view] = 0
    if fields.rng("mirror").random() < 0.5:  # the probe held the other way round
        image, nerves, vessels = (cv2.flip(part, 1) for part in (image, nerves, vessels))
    truth = tuple(
        NerveTruth(
            shape.name,
            number,
            float((nerves == number).sum() * fields.spacing_mm**2),
            "affected" if shape.affected else "unaffected",
        )
        for number, shape in enumerate(shapes, start=1)
        if (nerves == number).any()
    )
    return Phantom(
        image,
        mark_nerves(nerves),
        vessels,
        (fields.spacing_mm, fields.spacing_mm),
        site,
        shapes[which].name,
        "affected" if affected else "unaffected",
        order.severity if affected else 0.0,
        nerves,
        truth,
        machine.name,
        seed,
    )


def _in_view(shape: NerveShape, fields: Fields) -> bool:
    """Whether the beams reach the centre of a nerve and a little around it."""
    margin = 1.0
    if fields.fan is None:
        return abs(shape.x) + margin < fields.half_mm
    away = math.hypot(shape.x, shape.z + fields.fan.radius_mm)
    angle = math.atan2(abs(shape.x), shape.z + fields.fan.radius_mm) + margin / away
    return angle < fields.fan.half_angle and shape.z + margin < fields.fan.depth_mm


def _between(healthy: NerveShape, sick: NerveShape, share: float) -> NerveShape:
    """The nerve ``share`` (0 to 1) of the way from healthy to sick."""
    values = {}
    for name in ("x", "z", "csa_mm2", "aspect", "fascicle_db", "epineurium_db", "rim_mm", "irregular"):
        values[name] = getattr(healthy, name) + share * (getattr(sick, name) - getattr(healthy, name))
    return NerveShape(
        **{**sick.__dict__, **values, "fascicles": sick.fascicles if share > 0.5 else healthy.fascicles}
    )


def _ordered(
    seed: int,
    site: str,
    affected: bool,
    severity: float,
    size: tuple[int, int],
    machine: Machine | None,
    depth_mm: float | None,
    tilt_deg: float,
) -> _Order:
    if site not in SITES:
        raise DataError(f"There is no phantom of the site '{site}'; choose one of {', '.join(SITES)}.")
    if seed < 0:
        raise DataError("The seed of a phantom must be 0 or more.")
    if not 0 < severity <= 1:
        raise DataError(f"A severity lies above 0 and up to 1, not {severity}; 0.3 is mild, 1 is gross.")
    if min(size) < 96 or max(size) > 2048 or not 0.5 <= size[0] / size[1] <= 1.6:
        raise DataError("A phantom is 96 to 2048 px a side, with a height of 0.5 to 1.6 times its width.")
    if not -MOST_TILT_DEG <= tilt_deg <= MOST_TILT_DEG:
        raise DataError(f"A probe is tilted by up to {MOST_TILT_DEG} degrees to either side, not {tilt_deg}.")
    place = SITES[site]
    least, most = depth_limits(site)
    if depth_mm is not None and not least <= depth_mm <= most:
        raise DataError(f"A scan of the {site} reaches {least:.0f} to {most:.0f} mm deep, not {depth_mm} mm.")
    start = Fields(seed, size, 1.0)
    drawn = float(start.rng("setup").uniform(*place.depth_mm))
    machine = machine or USUAL[int(start.rng("machine").integers(len(USUAL)))]
    if depth_mm is None and machine.radius_mm:
        # A curved probe is for looking deep, and shows more than is needed.
        depth_mm = drawn * float(start.rng("deeper").uniform(1.1, 1.9 if machine.radius_mm > 30 else 1.5))
    elif depth_mm is None:
        # A tall image keeps room to both sides of the nerve.
        depth_mm = max(drawn, place.depth_mm[0] * min(size[0] / size[1], 1.6))
    return _Order(seed, site, affected, severity, size, machine, depth_mm, tilt_deg)


def depth_limits(site: str) -> tuple[float, float]:
    """Least and greatest depth in mm at which a site can be scanned: its nerves must be in view."""
    least, most = SITES[site].depth_mm
    return float(math.ceil(0.75 * least)), float(math.floor(2.5 * most))


def simulate(
    seed: int,
    *,
    site: str = "wrist",
    affected: bool = False,
    severity: float = 0.7,
    size: tuple[int, int] = (384, 384),
    machine: Machine | None = None,
    depth_mm: float | None = None,
    tilt_deg: float = 0.0,
) -> Phantom:
    """A simulated scan with one to three nerves.

    Args:
        seed: 0 or more; the same arguments give the same bytes.
        site: a key of ``phantom_anatomy.SITES``.
        affected: write pathology into one of the nerves.
        severity: in (0, 1]; 0.3 is the mildest a sonographer might call, 1 is gross. Unused when not
            affected.
        size: (rows, columns) px.
        machine: the scanner, of ``phantom_machines.MACHINES``; None picks one of the usual linear probes by
            the seed. A curved probe's fan is centred in the picture with black around it.
        depth_mm: depth of the picture, or of the fan, in mm; None draws what is usual at the site.
        tilt_deg: how far the probe is tilted out of the cross-section, degrees; tendons, and less so nerves
            and muscle, then give back less echo (anisotropy).

    Raises:
        DataError: for an argument out of range.
    """
    return _frame(_ordered(seed, site, affected, severity, size, machine, depth_mm, tilt_deg), 0.0)


def simulate_sweep(
    seed: int,
    *,
    site: str = "wrist",
    affected: bool = False,
    severity: float = 0.7,
    size: tuple[int, int] = (384, 384),
    frames: int = 24,
    step_mm: float = 0.8,
    machine: Machine | None = None,
    depth_mm: float | None = None,
    tilt_deg: float = 0.0,
) -> tuple[Phantom, ...]:
    """Frames of a probe moving along the limb; pathology is focal, strongest in the middle frame.

    Arguments and errors as for `simulate`; ``frames`` at least 2, ``step_mm`` between two of them. A frame's
    ``label`` is that of the whole sweep; how large the nerve is in each stands in ``truth``.
    """
    order = _ordered(seed, site, affected, severity, size, machine, depth_mm, tilt_deg)
    if frames < 2 or not 0 < step_mm < math.inf:
        raise DataError("A sweep has at least 2 frames, a step above 0 mm apart.")
    return tuple(_frame(order, (index - frames // 2) * step_mm) for index in range(frames))
