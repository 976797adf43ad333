"""From tissue to B-mode image: scatterers, depth-dependent beam, attenuation, gain and log compression.

The image is the convolution of random complex scatterers with the beam's point-spread function, taken as
separable and slowly varying with depth (Bamber and Dickinson 1980, doi 10.1088/0031-9155/25/3/006; Gao et al.
2009, COLE, doi 10.1109/TUFFC.2009.1067). With many scatterers a resolution cell the amplitude is Rayleigh
distributed: mean / standard deviation 1.91 (Wagner et al. 1983, doi 10.1109/T-SU.1983.31404).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from nerve_core.data.phantom_field import Fields
from nerve_core.data.phantom_machines import MACHINES as MACHINES
from nerve_core.data.phantom_machines import Machine as Machine

BANDS = 4
"""Number of depths at which the point-spread function is evaluated; rows between two are blended."""

FAN_BANDS = 7
"""The same for a fan, in which the distance of the beams grows as well."""

CLUTTER_DB = -26.0
"""Level of side lobes and off-axis scatter below the echoes that cause them."""

SLICE_MM = 1.0
"""Slice thickness: speckle of frames further apart than this along the limb is independent."""


def beam_mm(depth_mm: float | np.ndarray, focus_mm: float, frequency_mhz: float) -> tuple:
    """Standard deviations (axial, lateral) of the point-spread function in mm at a depth in mm.

    The pulse lengthens slowly as its high frequencies are absorbed; the beam widens away from the focus and,
    with the aperture no longer able to grow, faster below it than above.
    """
    scale = 12.0 / frequency_mhz
    away = np.asarray(depth_mm - focus_mm)
    reach = np.where(away < 0, 14.0, 11.0)
    return 0.062 * scale * (1 + 0.012 * depth_mm), 0.160 * scale * np.sqrt(1 + (away / reach) ** 2)


def _kernel(sigma_px: float) -> np.ndarray:
    """Gaussian samples that sum to 1, float32; a very narrow one is a single 1."""
    radius = max(1, int(np.ceil(3.2 * sigma_px)))
    steps = np.arange(-radius, radius + 1)
    values = np.exp(-0.5 * (steps / max(sigma_px, 0.15)) ** 2)
    return (values / values.sum()).astype(np.float32)


def amplitude(
    diffuse: np.ndarray,
    specular: np.ndarray,
    noise: np.ndarray,
    spacing_mm: float,
    focus_mm: float,
    frequency_mhz: float,
    pitch_mm: Callable[[float], float] | None = None,
) -> np.ndarray:
    """Amplitude of one look before compression.

    Args:
        diffuse: float32 (H, W), root mean square amplitude of the scatterers, linear.
        specular: float32 (H, W), amplitude of smooth interfaces, linear; echoes there add up in phase.
        noise: float32 (H, W, 2), standard normal real and imaginary parts of the scatterers.
        spacing_mm: mm per sample along the beam, and from beam to beam unless ``pitch_mm`` is given.
        focus_mm: depth of the focus, mm.
        frequency_mhz: centre frequency.
        pitch_mm: distance of neighbouring beams at a depth in mm, where the beams of a fan part.

    Returns:
        float32 (H, W), linear. Where ``specular`` is 0 and ``diffuse`` is constant it is Rayleigh distributed
        with mean square ``2 * diffuse**2``.
    """
    height, width = diffuse.shape
    bands = BANDS if pitch_mm is None else FAN_BANDS
    # Real and imaginary parts lie in planes of their own, which filter faster.
    planes = [noise[..., part] * diffuse for part in (0, 1)]
    centres = (np.arange(bands) + 0.5) * height / bands
    out = [np.zeros((height, width), np.float32) for _ in planes]
    for index, centre in enumerate(centres):
        depth = centre * spacing_mm
        axial, lateral = (float(value) for value in beam_mm(depth, focus_mm, frequency_mhz))
        down = _kernel(axial / spacing_mm)
        across = _kernel(lateral / (pitch_mm(depth) if pitch_mm else spacing_mm))
        top = 0 if index == 0 else int(centres[index - 1])
        bottom = height if index == bands - 1 else int(np.ceil(centres[index + 1]))
        first, last = max(0, top - len(down)), min(height, bottom + len(down))
        # Kernels sum to 1 for interfaces; scatterers are scaled so that their energy is kept.
        energy = np.float32(1 / np.sqrt((down**2).sum() * (across**2).sum()))
        rows = np.arange(top, bottom)
        weight = np.clip(1 - np.abs(rows + 0.5 - centre) * bands / height, 0, 1)
        if index == 0:
            weight[rows + 0.5 < centre] = 1
        if index == bands - 1:
            weight[rows + 0.5 > centre] = 1
        weight = weight.astype(np.float32)[:, None]
        for real, (plane, blended) in enumerate(zip(planes, out, strict=True)):
            field = plane[first:last] * energy
            if real == 0:
                field += specular[first:last]
            field = cv2.sepFilter2D(field, -1, across, down, borderType=cv2.BORDER_REFLECT)
            field = field[top - first : bottom - first]
            field *= weight
            blended[top:bottom] += field
    return cv2.magnitude(*out)


def transmission(
    attenuation: np.ndarray, spacing_mm: float, usual: float, beside_mm: float | None = None
) -> np.ndarray:
    """Gain in dB left after time gain, float32 (H, W): below 0 in shadows, above 0 behind fluid.

    ``attenuation`` is the two-way loss in dB/mm at every pixel; time gain makes up for ``usual`` dB/mm.
    Beams run down the columns, ``beside_mm`` apart (default: ``spacing_mm``).
    """
    total = np.cumsum(usual - attenuation, axis=0, dtype=np.float32) * spacing_mm
    # The beam has a width: a thin column of fluid or bone does not cut a razor-sharp stripe.
    return cv2.GaussianBlur(total, (0, 0), sigmaX=max(0.3, 0.35 / (beside_mm or spacing_mm)), sigmaY=0.3)


def clutter(echo: np.ndarray, beside_mm: float, down_mm: float) -> np.ndarray:
    """Side lobes and scattered reverberation, linear amplitude (H, W): what veils lumens and shadows."""
    near = cv2.GaussianBlur(echo, (0, 0), sigmaX=2.5 / beside_mm, sigmaY=0.5 / down_mm)
    # Multiple reflections smear over millimetres; a coarse grid is enough for them.
    size = max(4, round(echo.shape[1] / 8)), max(4, round(echo.shape[0] / 8))
    coarse = cv2.GaussianBlur(cv2.resize(echo, size, interpolation=cv2.INTER_AREA), (0, 0), 0.5 / down_mm)
    far = cv2.resize(coarse, echo.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return (near + far) * np.float32(10 ** (CLUTTER_DB / 20))


def form_image(
    level_db: np.ndarray,
    specular: np.ndarray,
    attenuation: np.ndarray,
    usual_attenuation: float,
    machine: Machine,
    focus_mm: float,
    fields: Fields,
) -> np.ndarray:
    """B-mode image, uint8 (H, W), of a tissue map.

    Args:
        level_db: float32 (H, W), echogenicity of the scatterers in dB.
        specular: float32 (H, W), linear amplitude of interfaces.
        attenuation: float32 (H, W), two-way loss, dB/mm.
        usual_attenuation: the loss that time gain makes up for, dB/mm.
        machine: the scanner.
        focus_mm: depth of the focus.
        fields: random source, geometry and position of the frame.
    """
    fan, spacing, pitch, depth = fields.fan, fields.spacing_mm, None, fields.depth
    beside = spacing
    if fan is not None:
        level_db, specular, attenuation = (
            fan.to_beams(part) for part in (level_db, specular, attenuation.astype(np.float32))
        )
        spacing, pitch = fan.step_mm, fan.pitch_mm
        depth = (np.arange(fan.samples, dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(spacing)
        beside = pitch(fan.depth_mm / 2)
    height, width = level_db.shape
    share = (depth / (height * spacing)).astype(np.float32)
    gain_db = transmission(attenuation, spacing, usual_attenuation, beside)
    gain_db = gain_db - machine.falloff_db * share**1.8
    gain = np.exp(np.clip(gain_db, -70, 14) * np.float32(np.log(10) / 20))
    diffuse = np.exp(level_db * np.float32(np.log(10) / 20)) * gain
    veil = clutter(diffuse + specular * gain, beside, spacing)
    # Noise of the receiver, amplified by the time gain along with the echoes.
    floor = np.float32(10 ** (-62 / 20)) * np.exp(share * np.float32(1.4))
    diffuse = np.sqrt(diffuse**2 + veil**2 + floor**2)
    specular = specular * gain
    if machine.reverberation:
        specular = specular + reverberation(specular, machine.reverberation)
    total = np.zeros((height, width), np.float32)
    for look in range(machine.looks):
        noise = fields.normal(f"speckle {look}", (height, width, 2), SLICE_MM)
        total += amplitude(diffuse, specular, noise, spacing, focus_mm, machine.frequency_mhz, pitch)
    echo = total / machine.looks
    if fan is None:
        return compress(echo, machine, spacing)
    image = compress(fan.to_picture(echo), machine, fields.spacing_mm)
    image[~fan.inside] = 0
    return image


def reverberation(specular: np.ndarray, strength: float) -> np.ndarray:
    """Second echoes, float32 (H, W): what went probe, interface, probe, interface, probe.

    They lie at twice the depth of the interface, twice as thick, with the square of its amplitude times
    ``strength``; time gain has brought them up as much as everything else there.
    """
    half = cv2.resize(
        specular[: (len(specular) + 1) // 2], specular.shape[::-1], interpolation=cv2.INTER_LINEAR
    )
    return np.float32(strength) * half**2


def compress(echo: np.ndarray, machine: Machine, spacing_mm: float) -> np.ndarray:
    """Log compression, grey map and display filter: linear amplitude to uint8, same shape."""
    decibel = 20 * np.log10(np.maximum(echo, 1e-6)) + machine.gain_db
    grey = np.clip((decibel + machine.dynamic_range_db - 14) / machine.dynamic_range_db, 0, 1)
    grey = (grey**machine.gamma).astype(np.float32)
    fine = machine.smooth_px * 0.08 / spacing_mm
    if fine > 0.25:
        grey = cv2.GaussianBlur(grey, (0, 0), fine)
    if machine.sharpen:
        grey = grey + machine.sharpen * (grey - cv2.GaussianBlur(grey, (0, 0), 0.25 / spacing_mm))
    return (np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8)
