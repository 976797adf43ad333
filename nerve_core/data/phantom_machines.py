"""The simulated scanners: linear and curved probes, and the looks that makers and settings give a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """How a scanner and its settings look.

    Attributes:
        name: what the manifest says of the device.
        frequency_mhz: centre frequency; resolution scales with its inverse.
        looks: number of independent looks averaged (spatial compounding), at least 1.
        dynamic_range_db: span of the grey scale.
        gain_db: overall gain.
        gamma: exponent of the grey map; above 1 darkens the middle.
        falloff_db: loss at the bottom of the image that time gain does not make up for.
        smooth_px: standard deviation of the display filter, px at 0.08 mm/px; 0 is none.
        sharpen: strength of edge enhancement, 0 is none.
        radius_mm: radius of a curved probe's surface; 0 is a linear probe.
        span_deg: angle over which a curved probe's beams spread.
        reverberation: amplitude of the second echo of a smooth interface of amplitude 1, which appears at
            twice its depth. 0 where harmonic imaging suppresses it.
    """

    name: str
    frequency_mhz: float = 12.0
    looks: int = 3
    dynamic_range_db: float = 60.0
    gain_db: float = 0.0
    gamma: float = 1.0
    falloff_db: float = 18.0
    smooth_px: float = 0.6
    sharpen: float = 0.0
    radius_mm: float = 0.0
    span_deg: float = 0.0
    reverberation: float = 0.0


USUAL = (
    Machine("simulated linear probe, 12 MHz, compounding"),
    Machine(
        "simulated linear probe, 15 MHz, fine",
        15.0,
        looks=4,
        dynamic_range_db=64,
        gamma=1.15,
        falloff_db=21,
        smooth_px=0.5,
        sharpen=0.3,
    ),
    Machine(
        "simulated linear probe, 10 MHz, little compounding",
        10.0,
        looks=2,
        dynamic_range_db=60,
        falloff_db=15,
        smooth_px=0.9,
    ),
    Machine(
        "simulated linear probe, 12 MHz, high contrast",
        12.0,
        looks=4,
        dynamic_range_db=52,
        gain_db=3,
        falloff_db=12,
        sharpen=0.4,
    ),
)
"""Those that a seed chooses from when no machine is asked for."""

PROBES: dict[str, tuple[Machine, ...]] = {
    "linear": (
        *USUAL,
        Machine(
            "simulated linear probe, 7 MHz, portable",
            7.0,
            looks=2,
            dynamic_range_db=56,
            gain_db=2,
            falloff_db=14,
            smooth_px=1.0,
            reverberation=0.06,
        ),
        Machine(
            "simulated linear probe, 18 MHz, soft",
            18.0,
            looks=4,
            dynamic_range_db=64,
            gain_db=-1,
            gamma=0.9,
            falloff_db=22,
            smooth_px=0.7,
        ),
    ),
    "curved": (
        Machine(
            "simulated curved probe, 5 MHz, radius 60 mm",
            5.0,
            looks=3,
            dynamic_range_db=60,
            gain_db=2,
            falloff_db=15,
            radius_mm=60,
            span_deg=58,
            reverberation=0.03,
        ),
        Machine(
            "simulated curved probe, 6 MHz, radius 50 mm, little compounding",
            6.0,
            looks=2,
            dynamic_range_db=58,
            gain_db=2,
            gamma=1.1,
            falloff_db=12,
            smooth_px=0.9,
            radius_mm=50,
            span_deg=66,
            reverberation=0.06,
        ),
        Machine(
            "simulated microconvex probe, 8 MHz, radius 15 mm",
            8.0,
            looks=2,
            dynamic_range_db=58,
            gain_db=1,
            falloff_db=15,
            sharpen=0.2,
            radius_mm=15,
            span_deg=86,
            reverberation=0.04,
        ),
    ),
}
"""Machines by the shape of their probe."""

MACHINES = tuple(machine for group in PROBES.values() for machine in group)
