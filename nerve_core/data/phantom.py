"""Simulated nerve ultrasound with exact truth: a cross-section is drawn and then imaged.

>>> phantom = simulate(3, site="wrist", affected=True, size=(192, 192))
>>> phantom.label, phantom.image.shape, bool(phantom.mask.any())
('affected', (192, 192), True)
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_field import Fields
from nerve_core.data.phantom_nerve import NerveShape, make_affected, make_room, paint_nerve
from nerve_core.data.phantom_physics import MACHINES, Machine, form_image
from nerve_core.data.phantom_tissue import USUAL_LOSS, Tissue, contact_loss, mark_nerves
from nerve_core.errors import DataError

LESION_MM = 9.0
"""Length along the limb over which the pathology of a sweep rises and falls again."""


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


def _frame(
    seed: int,
    site: str,
    affected: bool,
    severity: float,
    size: tuple[int, int],
    machine: Machine,
    along_mm: float,
) -> Phantom:
    place = SITES[site]
    setup = Fields(seed, size, 1.0).rng("setup")
    # A tall image keeps room to both sides of the nerve.
    depth = max(float(setup.uniform(*place.depth_mm)), place.depth_mm[0] * min(size[0] / size[1], 1.6))
    fields = Fields(seed, size, depth / size[0], along_mm)
    tissue = Tissue(fields)
    shapes = place.draw(tissue, fields.rng("anatomy"))
    which = 0
    if affected:
        which = int(setup.integers(len(shapes)))
        focal = float(np.exp(-((along_mm / LESION_MM) ** 2)))
        # Away from the lesion the nerve tapers back to the healthy one.
        sick = make_affected(shapes[which], severity, fields.rng("pathology"))
        shapes[which] = sick if along_mm == 0 else _between(shapes[which], sick, focal)
    shapes = make_room(shapes, which)
    for number, shape in enumerate(shapes, start=1):
        paint_nerve(tissue, shape, number)
    tissue.shade()
    tissue.near_field(fields.rng("skin"))
    contact_loss(tissue.loss, fields, fields.rng("contact"))
    image = form_image(tissue.level, tissue.specular, tissue.loss, USUAL_LOSS, machine, 0.45 * depth, fields)
    nerves, vessels = tissue.nerves, tissue.vessels.astype(np.uint8) * 255
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
        severity if affected else 0.0,
        nerves,
        truth,
        machine.name,
        seed,
    )


def _between(healthy: NerveShape, sick: NerveShape, share: float) -> NerveShape:
    """The nerve ``share`` (0 to 1) of the way from healthy to sick."""
    values = {}
    for name in ("x", "z", "csa_mm2", "aspect", "fascicle_db", "epineurium_db", "rim_mm", "irregular"):
        values[name] = getattr(healthy, name) + share * (getattr(sick, name) - getattr(healthy, name))
    return NerveShape(
        **{**sick.__dict__, **values, "fascicles": sick.fascicles if share > 0.5 else healthy.fascicles}
    )


def _checked(
    seed: int, site: str, severity: float, size: tuple[int, int], machine: Machine | None
) -> Machine:
    if site not in SITES:
        raise DataError(f"There is no phantom of the site '{site}'; choose one of {', '.join(SITES)}.")
    if seed < 0:
        raise DataError("The seed of a phantom must be 0 or more.")
    if not 0 < severity <= 1:
        raise DataError(f"A severity lies above 0 and up to 1, not {severity}; 0.3 is mild, 1 is gross.")
    if min(size) < 96 or max(size) > 2048 or not 0.5 <= size[0] / size[1] <= 1.6:
        raise DataError("A phantom is 96 to 2048 px a side, with a height of 0.5 to 1.6 times its width.")
    return machine or MACHINES[int(Fields(seed, size, 1.0).rng("machine").integers(len(MACHINES)))]


def simulate(
    seed: int,
    *,
    site: str = "wrist",
    affected: bool = False,
    severity: float = 0.7,
    size: tuple[int, int] = (384, 384),
    machine: Machine | None = None,
) -> Phantom:
    """A simulated scan with one to three nerves.

    Args:
        seed: 0 or more; the same arguments give the same bytes.
        site: a key of ``phantom_anatomy.SITES``.
        affected: write pathology into one of the nerves.
        severity: in (0, 1]; 0.3 is the mildest a sonographer might call, 1 is gross. Unused when not
            affected.
        size: (rows, columns) px.
        machine: the scanner; None picks one of ``MACHINES`` by the seed.

    Raises:
        DataError: for an argument out of range.
    """
    chosen = _checked(seed, site, severity, size, machine)
    return _frame(seed, site, affected, severity, size, chosen, 0.0)


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
) -> tuple[Phantom, ...]:
    """Frames of a probe moving along the limb; pathology is focal, strongest in the middle frame.

    Arguments and errors as for `simulate`; ``frames`` at least 2, ``step_mm`` between two of them. A frame's
    ``label`` is that of the whole sweep; how large the nerve is in each stands in ``truth``.
    """
    chosen = _checked(seed, site, severity, size, machine)
    if frames < 2 or step_mm <= 0:
        raise DataError("A sweep has at least 2 frames, a step above 0 mm apart.")
    return tuple(
        _frame(seed, site, affected, severity, size, chosen, (index - frames // 2) * step_mm)
        for index in range(frames)
    )
