"""Augmentation: what another hand, machine, depth or gain would have made of the same nerve.

Everything geometric is folded into one resampling from the packed image straight to the network's input,
so that grain is blurred once, as it is in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from nerve_core.data.style import fourier_style
from nerve_core.errors import DataError
from nerve_core.imaging.preprocess import STD_FLOOR

LIMITS = {
    "rotate": (0, 180),
    "stretch": (1, 3),
    "shift": (0, 0.5),
    "style_band": (0, 0.5),
    "elastic": (0, 1),
    "near_nerve": (0, 1),
    "photometric": (0, 1),
    "flip": (0, 1),
    "style_mix": (0, 1),
}
"""Smallest and largest value of each setting that is one number."""

ZOOMS = (0.1, 10.0)
"""The same for both ends of a zoom."""


@dataclass(frozen=True)
class Augment:
    """Strength of each change; probabilities are in [0, 1].

    Attributes:
        rotate: largest rotation, degrees either way.
        zoom: smallest and largest magnification relative to the whole region fitted into the input.
        click_zoom: the same for samples with a click, which are also looked at closely in use.
        stretch: largest change of aspect, as a factor.
        shift: largest shift, as a share of the input's side.
        elastic: probability of a smooth elastic warp; its largest displacement is 3 % of the side.
        near_nerve: probability that a magnified crop is centred near a nerve.
        photometric: probability of each change of gain, gamma, shading, speckle, blur and CLAHE.
        flip: probability of the mirror image.
        style_mix: probability that the scan takes on the look of a scan of another set, by Fourier
            amplitudes (:func:`nerve_core.data.style.fourier_style`) mixed by a random share.
        style_band: how fine the structures are that take part in it, as a share of the side.
    """

    rotate: float = 15.0
    zoom: tuple[float, float] = (0.7, 1.4)
    click_zoom: tuple[float, float] = (0.7, 2.4)
    stretch: float = 1.2
    shift: float = 0.15
    elastic: float = 0.2
    near_nerve: float = 0.6
    photometric: float = 0.3
    flip: float = 0.5
    style_mix: float = 0.0
    style_band: float = 0.02

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not _number(value) or not low <= value <= high:
                raise DataError(f"augment.{name} must be a number from {low} to {high}, got {value!r}.")
        for name in ("zoom", "click_zoom"):
            ends = getattr(self, name)
            ordered = (
                isinstance(ends, (tuple, list))
                and len(ends) == 2
                and all(_number(end) for end in ends)
                and ZOOMS[0] <= ends[0] <= ends[1] <= ZOOMS[1]
            )
            if not ordered:
                raise DataError(
                    f"augment.{name} must be two numbers from {ZOOMS[0]} to {ZOOMS[1]}, the smaller one "
                    f"first, got {ends!r}."
                )
            object.__setattr__(self, name, tuple(ends))

    @classmethod
    def none(cls) -> Augment:
        """No change at all: what predictions see."""
        one = (1.0, 1.0)
        return cls(
            rotate=0, zoom=one, click_zoom=one, stretch=1, shift=0, elastic=0, near_nerve=0, photometric=0,
            flip=0,
        )  # fmt: skip

    @classmethod
    def minimal(cls) -> Augment:
        """Mirror images and shifts alone, as a plain training has them."""
        return replace(cls.none(), flip=0.5, shift=0.1)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def resample(
    image: np.ndarray, mask: np.ndarray, size: int, rng: np.random.Generator, how: Augment | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit the region into a square of ``size`` px, with random geometry when ``how`` is given.

    Args:
        mask: uint8 classes; 1 is the nerve, the only one that centres crops, 0 is nothing.

    Returns:
        uint8 image, uint8 mask and bool validity, each (size, size).
    """
    height, width = image.shape
    fit = size / max(height, width)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    angle, zoom_x, zoom_y, flip, shift = 0.0, fit, fit, 1.0, np.zeros(2)
    if how is not None:
        zoom = float(np.exp(rng.uniform(*np.log(how.zoom))))
        stretch = float(np.exp(rng.uniform(-1, 1) * np.log(how.stretch) / 2))
        zoom_x, zoom_y = fit * zoom * stretch, fit * zoom / stretch
        angle = np.deg2rad(rng.uniform(-how.rotate, how.rotate))
        flip = -1.0 if rng.random() < how.flip else 1.0
        shift = rng.uniform(-how.shift, how.shift, 2) * size
        inside = np.argwhere(mask == 1)
        if zoom > 1 and len(inside) and rng.random() < how.near_nerve:
            row, column = inside[rng.integers(len(inside))]
            centre = np.array([column, row], float)
    if zoom_y < 0.7:
        # Averaging before a strong reduction: plain bilinear sampling would alias the speckle.
        small = max(zoom_x, zoom_y)
        image = cv2.resize(image, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        ratio = np.array([image.shape[1] / width, image.shape[0] / height])
        mask = cv2.resize(mask, image.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        centre = (centre + 0.5) * ratio - 0.5
        zoom_x, zoom_y = zoom_x / ratio[0], zoom_y / ratio[1]
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos * zoom_x * flip, -sin * zoom_y], [sin * zoom_x * flip, cos * zoom_y]])
    offset = (size - 1) / 2 + shift - linear @ centre
    matrix = np.column_stack([linear, offset])
    target = (size, size)
    valid = cv2.warpAffine(np.ones(image.shape, np.uint8), matrix, target, flags=cv2.INTER_NEAREST)
    image = cv2.warpAffine(image, matrix, target, flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(mask, matrix, target, flags=cv2.INTER_NEAREST)
    if how is not None and rng.random() < how.elastic:
        image, mask, valid = _elastic(image, mask, valid, rng)
    return image, mask, valid > 0


def _elastic(
    image: np.ndarray, mask: np.ndarray, valid: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = image.shape[0]
    coarse = rng.normal(0, 0.012 * size, (5, 5, 2)).astype(np.float32)
    move = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    x, y = x + move[..., 0], y + move[..., 1]
    return (
        cv2.remap(image, x, y, cv2.INTER_LINEAR),
        cv2.remap(mask, x, y, cv2.INTER_NEAREST),
        cv2.remap(valid, x, y, cv2.INTER_NEAREST),
    )


def repaint(image: np.ndarray, rng: np.random.Generator, how: Augment) -> np.ndarray:
    """Another machine's gain, gamma, shading, grain, blur and contrast; uint8 in and out."""
    size = image.shape[0]
    p = how.photometric
    picture = image.astype(np.float32)
    if rng.random() < 2 * p:
        picture = 255 * (picture / 255) ** np.float32(np.exp(rng.uniform(-0.6, 0.6)))
    if rng.random() < 2 * p:
        picture = (picture - 128) * rng.uniform(0.6, 1.5) + 128 + rng.uniform(-35, 35)
    if rng.random() < p:  # gain by depth and across the probe
        field = cv2.resize(
            rng.normal(0, 22, (4, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
        )
        picture = picture + field
    if rng.random() < p / 2:  # a shadow under poor contact
        x = np.arange(size, dtype=np.float32)
        dip = rng.uniform(0.3, 0.8) * np.exp(-(((x - rng.uniform(0, size)) / rng.uniform(8, 40)) ** 2))
        picture = picture * (1 - dip)
    if rng.random() < p:
        grain = rng.normal(0, rng.uniform(0.05, 0.25), image.shape).astype(np.float32)
        picture = picture * (1 + cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.2)) * 1.5)
    if rng.random() < p:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6))
    result = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < p / 2:
        result = cv2.createCLAHE(float(rng.uniform(1, 4)), (8, 8)).apply(result)
    if rng.random() < p / 2:
        _, coded = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])
        result = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    return result


def restyle(
    image: np.ndarray, valid: np.ndarray, others: Sequence[np.ndarray], rng: np.random.Generator, how: Augment
) -> np.ndarray:
    """Now and then (``style_mix``) the look of one of the others: uint8 in and out, 0 where not valid."""
    if not how.style_mix or not others or rng.random() >= how.style_mix:
        return image
    other = others[int(rng.integers(len(others)))]
    mixed = fourier_style(image, other, how.style_band, float(rng.random()))
    mixed[~valid] = 0
    return mixed


def preview(
    image: np.ndarray,
    mask: np.ndarray,
    how: Augment,
    seed: int,
    count: int,
    size: int = 256,
    others: Sequence[np.ndarray] = (),
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What a training with these settings would be shown of one scan; the same seed shows the same.

    Args:
        image: uint8 (H, W).
        mask: (H, W), nonzero inside the nerve.
        how: the settings.
        seed: of all that is drawn.
        count: how many.
        size: side of the network's input, px.
        others: scans of other sets, whose look ``style_mix`` takes.

    Returns:
        ``count`` pairs of a uint8 image and a uint8 mask (0 or 1), each (size, size).

    Raises:
        DataError: image and mask differ in size, or count is below 1.
    """
    if image.shape != mask.shape:
        raise DataError(
            f"The mask is {mask.shape} px but its scan is {image.shape}; give both the same size."
        )
    if count < 1:
        raise DataError(f"At least 1 preview must be asked for, got {count}.")
    nerve = np.asarray(mask > 0, np.uint8)
    shown = []
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        picture, inside, valid = resample(image, nerve, size, rng, how)
        shown.append((repaint(restyle(picture, valid, others, rng, how), rng, how), inside))
    return shown


def normalise(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Z-score over the valid pixels, 0 elsewhere, as ``Preprocess`` does it: float32 (size, size)."""
    mean, std = cv2.meanStdDev(image, mask=valid.astype(np.uint8))
    tensor = (image - np.float32(mean.item())) / np.float32(max(std.item(), STD_FLOOR))
    tensor[~valid] = 0.0
    return tensor
