"""Augmentation: what another hand, machine, depth or gain would have made of the same nerve.

Everything geometric is folded into one resampling from the packed image straight to the network's input,
so that grain is blurred once, as it is in use.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.imaging.preprocess import STD_FLOOR


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
    """

    rotate: float = 15.0
    zoom: tuple[float, float] = (0.7, 1.4)
    click_zoom: tuple[float, float] = (0.7, 2.4)
    stretch: float = 1.2
    shift: float = 0.15
    elastic: float = 0.2
    near_nerve: float = 0.6
    photometric: float = 0.3


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
        flip = -1.0 if rng.random() < 0.5 else 1.0
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


def normalise(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Z-score over the valid pixels, 0 elsewhere, as ``Preprocess`` does it: float32 (size, size)."""
    mean, std = cv2.meanStdDev(image, mask=valid.astype(np.uint8))
    tensor = (image - np.float32(mean.item())) / np.float32(max(std.item(), STD_FLOOR))
    tensor[~valid] = 0.0
    return tensor
