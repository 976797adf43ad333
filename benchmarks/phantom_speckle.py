"""Is the speckle of the phantoms that of ultrasound? Compared with an independent simulator, PyMUST.

PyMUST (Garcia's MUST in Python, LGPL-3.0) computes the radio-frequency echoes of every scatterer at every
element of an array and beamforms them; the phantoms convolve random scatterers with a point-spread function.
Both are given the same two objects: point targets below one another, and uniform random scatterers. Compared,
before compression: mean over standard deviation of the amplitude (1.91 where it is Rayleigh distributed) and
its Kolmogorov-Smirnov distance from the Rayleigh distribution, how wide the autocorrelation of the speckle is
along and across the beam, and how wide a point target is at growing depth. Absolute widths follow from the
aperture, which a scanner is free to choose; that they grow with depth does not.

PyMUST is no requirement of the project; it goes into an environment of its own or beside the others:

    pip install pymust
    python -m benchmarks.phantom_speckle --out benchmarks/results/phantom_speckle.json
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import stats

from nerve_core.data.phantom_physics import amplitude
from nerve_core.errors import DataError

FREQUENCY_MHZ = 7.6
"""Centre frequency of both, that of the linear array L11-5v."""

ELEMENTS = 32
"""Elements of the array that PyMUST uses, 0.3 mm apart."""

TOP_MM, BOTTOM_MM, HALF_MM = 12.0, 24.0, 2.5
"""Where the uniform scatterers lie: depths, and to each side."""

PER_MM2 = 150.0
"""Scatterers a mm²: about ten a resolution cell, as fully developed speckle needs."""

POINTS_MM = (10.0, 16.0, 22.0, 28.0, 34.0)
"""Depths of the point targets."""

FOCUS_MM = 10.0
"""Focus of the phantoms' beam: at the first point target, as PyMUST's fixed aperture is sharpest there."""

STEP_MM = 0.04
"""Grid on which amplitudes are compared."""


@dataclass(frozen=True)
class Speckle:
    """What is measured on uniform scatterers; widths are full widths at half maximum, mm."""

    snr: float
    ks: float
    axial_mm: float
    lateral_mm: float
    n: int


def correlation_width(echo: np.ndarray, axis: int) -> float:
    """Full width at half maximum, mm, of the autocorrelation of an amplitude (H, W) along an axis."""
    lines = np.moveaxis(echo, axis, -1)
    lines = lines - echo.mean()
    length = lines.shape[-1]
    power = (np.abs(np.fft.rfft(lines, 2 * length)) ** 2).mean(0)
    # The overlap shrinks with the lag; what is left of it is weighed up.
    curve = np.fft.irfft(power)[: length // 2] / (length - np.arange(length // 2))
    curve /= curve[0]
    after = int(np.argmax(curve < 0.5))
    before = after - 1
    return float(2 * STEP_MM * (before + (curve[before] - 0.5) / (curve[before] - curve[after])))


def measure(echoes: list[np.ndarray]) -> Speckle:
    """Statistics of amplitudes (H, W) of uniform scatterers, before compression, of several realisations.

    Slow changes with depth and to the sides are divided out, so that only the speckle is measured.
    """
    axial = float(np.mean([correlation_width(echo, 0) for echo in echoes]))
    lateral = float(np.mean([correlation_width(echo, 1) for echo in echoes]))
    power = np.mean([echo**2 for echo in echoes], axis=0)
    level = [echo / np.sqrt(_trend(power.mean(1))[:, None]) for echo in echoes]
    side = _trend(np.mean([echo**2 for echo in level], axis=(0, 1)))
    level = [echo / np.sqrt(side) for echo in level]
    everything = np.concatenate([echo.ravel() for echo in level])
    # Independent points only: one every two widths.
    down, across = (max(1, round(2 * width / STEP_MM)) for width in (axial, lateral))
    sparse = np.concatenate([echo[::down, ::across].ravel() for echo in level])
    ks = stats.kstest(sparse, stats.rayleigh(scale=np.sqrt((sparse**2).mean() / 2)).cdf).statistic
    return Speckle(float(everything.mean() / everything.std()), float(ks), axial, lateral, len(sparse))


def _trend(values: np.ndarray) -> np.ndarray:
    """Parabola through values, same shape."""
    place = np.linspace(-1, 1, len(values))
    return np.polyval(np.polyfit(place, values, 2), place)


def half_width(line: np.ndarray) -> float:
    """Full width at half maximum, mm, of the peak of a line of amplitudes."""
    fine = np.interp(np.arange(0, len(line) - 1, 0.02), np.arange(len(line)), line)
    return float((fine > fine.max() / 2).sum() * 0.02 * STEP_MM)


def ours_speckle(realisations: int) -> Speckle:
    """The phantoms' speckle in the region of the uniform scatterers."""
    rows, columns = round((BOTTOM_MM + 4) / STEP_MM), round(2 * (HALF_MM + 2) / STEP_MM)
    echoes = []
    for seed in range(realisations):
        noise = np.random.default_rng(seed).standard_normal((rows, columns, 2), np.float32)
        flat = np.ones((rows, columns), np.float32)
        echo = amplitude(flat, np.zeros_like(flat), noise, STEP_MM, FOCUS_MM, FREQUENCY_MHZ)
        side = round(2 / STEP_MM)
        echoes.append(echo[round(TOP_MM / STEP_MM) : round(BOTTOM_MM / STEP_MM), side:-side])
    return measure(echoes)


def ours_points() -> list[float]:
    """Lateral width in mm of the phantoms' point targets."""
    shape = round((max(POINTS_MM) + 4) / STEP_MM), round(8 / STEP_MM)
    points = np.zeros(shape, np.float32)
    rows = [round(depth / STEP_MM) for depth in POINTS_MM]
    points[rows, shape[1] // 2] = 1
    nothing = np.zeros((*shape, 2), np.float32)
    echo = amplitude(np.zeros_like(points), points, nothing, STEP_MM, FOCUS_MM, FREQUENCY_MHZ)
    return [half_width(echo[row]) for row in rows]


def _pymust_echo(x: np.ndarray, z: np.ndarray, rc: np.ndarray, across: np.ndarray, down: np.ndarray):
    """Amplitude on a grid, of scatterers in mm: one plane wave sent, every element beamformed."""
    import pymust

    param = pymust.getparam("L11-5v")
    param.Nelements, param.fnumber = ELEMENTS, 0
    param.fs = 4 * param.fc
    options = pymust.utils.Options()
    options.WaitBar, options.dBThresh = False, -60
    delays = np.zeros((1, ELEMENTS), np.float32)
    # The deepest echo sets how long is listened: a silent scatterer keeps room below the last one.
    x, z, rc = np.append(x, 0.0), np.append(z, z.max() + 3), np.append(rc, 0.0)
    echoes, _ = pymust.simus(x * 1e-3, z * 1e-3, rc, delays, param, options)
    iq = pymust.rf2iq(echoes, param)
    grid_x, grid_z = np.meshgrid(across * 1e-3, down * 1e-3)
    matrix = pymust.dasmtx(iq, grid_x, grid_z, delays, param)
    return np.abs((matrix @ iq.flatten(order="F")).reshape(grid_x.shape, order="F"))


def pymust_speckle(realisations: int) -> Speckle:
    """PyMUST's speckle of uniform scatterers of equal strength and random sign."""
    across, down = np.arange(-HALF_MM, HALF_MM, STEP_MM), np.arange(TOP_MM, BOTTOM_MM, STEP_MM)
    echoes = []
    for seed in range(realisations):
        rng = np.random.default_rng(seed)
        wide, high = 2 * (HALF_MM + 1.5), BOTTOM_MM - TOP_MM + 2
        count = round(PER_MM2 * wide * high)
        x, z = rng.uniform(-wide / 2, wide / 2, count), rng.uniform(TOP_MM - 1, BOTTOM_MM + 1, count)
        echoes.append(_pymust_echo(x, z, rng.choice([-1.0, 1.0], count), across, down))
    return measure(echoes)


def pymust_points() -> list[float]:
    """Lateral width in mm of PyMUST's point targets."""
    widths = []
    for depth in POINTS_MM:
        place = np.arange(-4, 4, STEP_MM)
        echo = _pymust_echo(
            np.zeros(1), np.array([depth]), np.ones(1), place, depth + np.arange(-0.4, 0.4, STEP_MM)
        )
        widths.append(half_width(echo.max(0)))
    return widths


def compare(realisations: int) -> dict:
    """Both simulators on the same objects, as the dict that is written."""
    found: dict = {
        "pymust_version": version("pymust"),
        "frequency_mhz": FREQUENCY_MHZ,
        "realisations": realisations,
        "rayleigh_snr": float(np.sqrt(np.pi / (4 - np.pi))),
        "points_mm": list(POINTS_MM),
    }
    for name, speckle, points in (
        ("phantom", ours_speckle, ours_points),
        ("pymust", pymust_speckle, pymust_points),
    ):
        print(f"{name} …", file=sys.stderr, flush=True)
        one = speckle(realisations)
        found[name] = {key: round(value, 4) for key, value in vars(one).items()}
        found[name]["point_widths_mm"] = [round(width, 3) for width in points()]
    return found


def main() -> None:
    """Compare, print and, where asked, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--realisations", type=int, default=4, metavar="N")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON to write")
    args = parser.parse_args()
    try:
        import pymust  # noqa: F401
    except ImportError:
        raise SystemExit("PyMUST is not installed: pip install pymust") from None
    if args.realisations < 1:
        raise DataError("At least one realisation is needed.")
    text = json.dumps(compare(args.realisations), indent=1)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
