"""From a scan to the network's input and back: one config for training, evaluation and prediction.

The steps, in order: crop to the ultrasound region, aspect-keeping resize into a square, denoising, CLAHE,
intensity clipping, normalisation, centred padding with 0. The resize comes before the filters, so that
a filter's strength means the same for every machine's image size and its cost does not grow with the
upload: every filter length is in px of the network's input.

Geometry follows the pixel-centre convention of ``cv2.resize``: centre x of a crop w px wide lands at
``(x + 0.5) * new_w / w - 0.5``, so maps and points return without a half-pixel drift.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from nerve_core.imaging.denoise import DENOISERS, WAVELET_METHODS
from nerve_core.imaging.scan import Box, Scan

NORMALISATIONS = ("zscore", "minmax")
STD_FLOOR = 2.0
"""Smallest standard deviation, in grey levels, that z-score divides by."""

_LABELS = {
    "size": "Input size",
    "crop_region": "Crop to the ultrasound region",
    "median": "Median filter",
    "gaussian_sigma": "Gaussian filter",
    "bilateral": "Bilateral filter",
    "diffusion_steps": "Anisotropic diffusion",
    "wavelet": "Wavelet denoising",
    "wavelet_method": "Wavelet method",
    "clahe_clip": "CLAHE",
    "clahe_tiles": "CLAHE tiles",
    "clip_percentiles": "Intensity clipping",
    "normalisation": "Normalisation",
}
_UNITS = {
    "size": "{} px",
    "median": "kernel {} px",
    "gaussian_sigma": "sigma {} px",
    "bilateral": "strength {} grey levels",
    "diffusion_steps": "{} steps",
    "wavelet": "strength {}",
    "clahe_clip": "clip limit {}",
    "clip_percentiles": "percentiles {} to {}",
}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan made ready for the network, with the way back.

    Attributes:
        tensor: float32 (size, size), normalised; 0 outside ``valid``.
        grey: uint8 (size, size), the same just before normalisation; 0 outside ``valid``.
        valid: (top, left, bottom, right) of the content, network px.
        box: (top, left, bottom, right) of the part of the scan that was used, scan px.
        scan_shape: (H, W) of the scan.
    """

    tensor: np.ndarray
    grey: np.ndarray
    valid: Box
    box: Box
    scan_shape: tuple[int, int]

    def to_scan_map(self, values: np.ndarray, interpolation: int | None = None) -> np.ndarray:
        """A (size, size) map in the scan's own pixels: float32 (H, W), 0 outside ``box``.

        Args:
            values: (size, size) map of the network, any real or boolean dtype.
            interpolation: an OpenCV flag; None averages when shrinking and is linear when growing.
        """
        top, left, bottom, right = self.valid
        inside = np.ascontiguousarray(values[top:bottom, left:right], dtype=np.float32)
        top, left, bottom, right = self.box
        whole = np.zeros(self.scan_shape, np.float32)
        whole[top:bottom, left:right] = _resize(inside, bottom - top, right - left, interpolation)
        return whole

    def to_network_map(self, values: np.ndarray, interpolation: int | None = None) -> np.ndarray:
        """A (H, W) map of the scan, such as a mask, in network px: float32 (size, size), 0 outside."""
        top, left, bottom, right = self.box
        inside = np.ascontiguousarray(values[top:bottom, left:right], dtype=np.float32)
        top, left, bottom, right = self.valid
        whole = np.zeros(self.tensor.shape, np.float32)
        whole[top:bottom, left:right] = _resize(inside, bottom - top, right - left, interpolation)
        return whole

    def to_network_xy(self, x: float, y: float) -> tuple[float, float]:
        """A point of the scan (x, y in px, pixel centres at whole numbers) in network px."""
        scale_x, scale_y, shift_x, shift_y = self._affine()
        return float(x * scale_x + shift_x), float(y * scale_y + shift_y)

    def to_scan_xy(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2), x then y, from network px to scan px, float64 (N, 2)."""
        scale_x, scale_y, shift_x, shift_y = self._affine()
        return (np.asarray(points, np.float64) - (shift_x, shift_y)) / (scale_x, scale_y)

    def _affine(self) -> tuple[float, float, float, float]:
        """Scale and shift that take scan x and y to network x and y."""
        scale_y = (self.valid[2] - self.valid[0]) / (self.box[2] - self.box[0])
        scale_x = (self.valid[3] - self.valid[1]) / (self.box[3] - self.box[1])
        shift_y = (0.5 - self.box[0]) * scale_y - 0.5 + self.valid[0]
        shift_x = (0.5 - self.box[1]) * scale_x - 0.5 + self.valid[1]
        return scale_x, scale_y, shift_x, shift_y


@dataclass(frozen=True)
class Preprocess:
    """Settings of every step; lengths are px of the network's input.

    Attributes:
        size: side of the square input, 32 to 2048 px.
        crop_region: use only ``scan.region``; False uses the whole frame.
        median: odd kernel side from 3 to 31 px, 0 off.
        gaussian_sigma: 0 (off) to 20 px.
        bilateral: range sigma in grey levels, 0 (off) to 255.
        diffusion_steps: Perona-Malik iterations, 0 (off) to 200.
        wavelet: multiple of the estimated noise level that is shrunk away, 0 (off) to 10.
        wavelet_method: ``BayesShrink`` or ``VisuShrink``.
        clahe_clip: contrast limit of CLAHE, 0 (off) to 100.
        clahe_tiles: CLAHE tiles a side, 1 to 32.
        clip_percentiles: grey levels outside these percentiles are clipped; (0, 100) is off.
        normalisation: ``zscore`` (mean 0, standard deviation 1 over the content, so padding is the
            mean) or ``minmax`` (content spans 0 to 1, padding is the darkest).

    Raises:
        ValueError: for a value out of its range, in a sentence that names it.
    """

    size: int = 256
    crop_region: bool = True
    median: int = 0
    gaussian_sigma: float = 0.0
    bilateral: float = 0.0
    diffusion_steps: int = 0
    wavelet: float = 0.0
    wavelet_method: str = "BayesShrink"
    clahe_clip: float = 0.0
    clahe_tiles: int = 8
    clip_percentiles: tuple[float, float] = (0.0, 100.0)
    normalisation: str = "zscore"

    def __post_init__(self) -> None:
        try:
            low, high = (float(value) for value in self.clip_percentiles)
        except (TypeError, ValueError):
            given = self.clip_percentiles
            raise ValueError(f"clip_percentiles must be two numbers, got {given!r}.") from None
        object.__setattr__(self, "clip_percentiles", (low, high))
        _check_whole("size", self.size, 32, 2048)
        _check_whole("median", self.median, 0, 31)
        _check_whole("diffusion_steps", self.diffusion_steps, 0, 200)
        _check_whole("clahe_tiles", self.clahe_tiles, 1, 32)
        _check_number("gaussian_sigma", self.gaussian_sigma, 0, 20)
        _check_number("bilateral", self.bilateral, 0, 255)
        _check_number("wavelet", self.wavelet, 0, 10)
        _check_number("clahe_clip", self.clahe_clip, 0, 100)
        if not isinstance(self.crop_region, bool):
            raise ValueError(f"crop_region must be true or false, got {self.crop_region!r}.")
        if self.median == 1 or (self.median and self.median % 2 == 0):
            raise ValueError(f"median must be 0 (off) or an odd kernel of at least 3 px, got {self.median}.")
        if self.wavelet_method not in WAVELET_METHODS:
            raise ValueError(f"wavelet_method must be one of {WAVELET_METHODS}, got {self.wavelet_method!r}.")
        if self.normalisation not in NORMALISATIONS:
            raise ValueError(f"normalisation must be one of {NORMALISATIONS}, got {self.normalisation!r}.")
        if not 0 <= low < high <= 100:
            raise ValueError(f"clip_percentiles must be 0 <= low < high <= 100, got {self.clip_percentiles}.")

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain JSON values."""
        return {**dataclasses.asdict(self), "clip_percentiles": list(self.clip_percentiles)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocess:
        """Settings from ``to_dict``; missing ones take their default, unknown ones raise ValueError."""
        unknown = sorted(set(values) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ValueError(f"Unknown preprocessing setting {unknown[0]!r}; known are {', '.join(_LABELS)}.")
        return cls(**values)

    def apply(self, scan: Scan) -> Prepared:
        """Run every step that is on; deterministic, a few milliseconds with the defaults."""
        box = self._box(scan)
        *_, (_, content) = self._grey_steps(scan)
        return self._place(content, box, scan.pixels.shape)

    def steps(self, scan: Scan) -> list[tuple[str, np.ndarray]]:
        """(title, uint8 image) after each step that is on, from the whole frame to the normalised input."""
        shown = [("Original", np.array(scan.pixels)), *self._grey_steps(scan)]
        prepared = self._place(shown[-1][1], self._box(scan), scan.pixels.shape)
        low, high = float(prepared.tensor.min()), float(prepared.tensor.max())
        scaled = (prepared.tensor - low) * (255.0 / max(high - low, 1e-6))
        title = "Network input (z-score)" if self.normalisation == "zscore" else "Network input (min–max)"
        return [*shown, (title, np.rint(scaled).astype(np.uint8))]

    def differences(self, other: Preprocess) -> list[str]:
        """One sentence for each setting in which this differs from ``other``, the model's own."""
        found = []
        for name, label in _LABELS.items():
            if getattr(self, name) == getattr(other, name):
                continue
            if name == "wavelet_method" and not (self.wavelet and other.wavelet):
                continue  # a setting of a step that is off changes nothing, and the step's own line says so
            if name == "clahe_tiles" and not (self.clahe_clip and other.clahe_clip):
                continue
            mine, theirs = self._value(name), other._value(name)
            found.append(f"{label}: {mine}, but {theirs} in the model's own settings.")
        return found

    def _value(self, name: str) -> str:
        value = getattr(self, name)
        if name == "clip_percentiles":
            return "off" if value == (0.0, 100.0) else _UNITS[name].format(*(f"{part:g}" for part in value))
        if isinstance(value, bool):
            return "on" if value else "off"
        if name in (*DENOISERS, "clahe_clip") and not value:
            return "off"
        return _UNITS.get(name, "{}").format(value if isinstance(value, str) else f"{value:g}")

    def _box(self, scan: Scan) -> Box:
        height, width = scan.pixels.shape
        return scan.region if self.crop_region and scan.region else (0, 0, height, width)

    def _grey_steps(self, scan: Scan) -> Iterator[tuple[str, np.ndarray]]:
        """(title, uint8 content) after the resize and after each further step that is on, unpadded."""
        top, left, bottom, right = self._box(scan)
        grey = scan.pixels[top:bottom, left:right]
        if self.crop_region:
            yield "Ultrasound region", grey
        scale = self.size / max(grey.shape)
        height, width = (min(self.size, max(1, round(side * scale))) for side in grey.shape)
        grey = _resize(np.ascontiguousarray(grey), height, width)
        yield f"Resized to {width} × {height} px", grey
        for name, denoiser in DENOISERS.items():
            if getattr(self, name):
                options = {"method": self.wavelet_method} if name == "wavelet" else {}
                grey = denoiser(grey, getattr(self, name), **options)
                yield f"{_LABELS[name]} ({self._value(name)})", grey
        if self.clahe_clip:
            grey = cv2.createCLAHE(self.clahe_clip, (self.clahe_tiles, self.clahe_tiles)).apply(grey)
            yield f"CLAHE ({self._value('clahe_clip')})", grey
        if self.clip_percentiles != (0.0, 100.0):
            low, high = np.percentile(grey, self.clip_percentiles)
            grey = np.clip(grey, np.floor(low), np.ceil(high)).astype(np.uint8)
            yield f"Intensity clipping ({self._value('clip_percentiles')})", grey

    def _place(self, content: np.ndarray, box: Box, scan_shape: tuple[int, int]) -> Prepared:
        height, width = content.shape
        top, left = (self.size - height) // 2, (self.size - width) // 2
        valid = (top, left, top + height, left + width)
        if self.normalisation == "zscore":
            (mean,), (std,) = (part.ravel() for part in cv2.meanStdDev(content))
            shift, scale = mean, 1.0 / max(std, STD_FLOOR)
        else:
            low, high = int(content.min()), int(content.max())
            shift, scale = low, 1.0 / max(high - low, 1)
        grey = np.zeros((self.size, self.size), np.uint8)
        tensor = np.zeros((self.size, self.size), np.float32)
        grey[top : top + height, left : left + width] = content
        tensor[top : top + height, left : left + width] = (content - np.float32(shift)) * np.float32(scale)
        return Prepared(tensor, grey, valid, box, scan_shape)


def _resize(image: np.ndarray, height: int, width: int, interpolation: int | None = None) -> np.ndarray:
    if interpolation is None:
        shrinks = height * width < image.shape[0] * image.shape[1]
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=interpolation)


def _check_number(name: str, value: float, low: float, high: float) -> None:
    wrong = isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    if wrong or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low} to {high}, got {value!r}.")


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, got {value!r}.")
