"""How sure the contour, its area and its verdict are: the same scan looked at in several ways.

Test-time augmentation (Wang 2019): mirrored, magnified towards two corners, and at two other gains. Where the
looks disagree the outline is in doubt. Of the verdict, the networks of a jury count as well, each by itself
(Lakshminarayanan 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nerve_core.imaging.scan import Scan
from nerve_core.inference.looks import network_input, sigmoid
from nerve_core.models.verdict import crop_window, cut, normalise_crop

if TYPE_CHECKING:
    import torch

    from nerve_core.inference.prediction import Prediction
    from nerve_core.inference.predictor import Predictor

MAGNIFIED = 0.08
"""Share of the region's sides that a magnified look leaves out."""
GAMMAS = (0.8, 1.25)
"""Exponents of the grey levels in the looks at other gains: brighter and darker."""
LOOKS = 6
"""The scan as it is, its mirror image, two magnified looks, two gains."""
EDGE = 0.35
"""How far around a nerve a look may still be of the same nerve, as a share of the radius of a disc of its
area."""
FLOOR = 0.05
"""Relative spread of an area that no agreement of looks can undercut."""

Told = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Doubt:
    """What several looks at one scan say.

    Attributes:
        maps: float32 (LOOKS, H, W), probability of nerve in each look, in the scan's pixels.
        mean, spread: float32 (H, W), mean and standard deviation over the looks.
    """

    maps: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True)
class NerveDoubt:
    """The doubt about one nerve.

    Attributes:
        areas_px: area in px² in each look.
        spread: standard deviation of their logarithms, never below :data:`FLOOR`.
        chances: p_affected by what was changed: each look's contour, and each network of a jury.
    """

    areas_px: tuple[float, ...]
    spread: float
    chances: dict[str, float]

    @property
    def chance_range(self) -> tuple[float, float]:
        """Least and greatest p_affected."""
        return min(self.chances.values()), max(self.chances.values())


def look_again(
    predictor: Predictor,
    scan: Scan,
    click: tuple[float, float] | None = None,
    told: Told | None = None,
) -> Doubt:
    """Look at a scan in :data:`LOOKS` ways.

    Args:
        predictor: its contour network looks.
        scan: what to look at.
        click: (x, y) px, where the clinician pointed.
        told: called after each look with how many are done, of how many.
    """
    maps = []
    for done, found in enumerate(_looks(predictor, scan, click), 1):
        maps.append(found)
        if told is not None:
            told(done, LOOKS)
    first = maps[0]
    # A magnified look knows nothing of the margin it leaves out.
    stack = np.stack([np.where(np.isnan(found), first, found) for found in maps]).astype(np.float32)
    return Doubt(stack, stack.mean(0), stack.std(0))


def _looks(predictor: Predictor, scan: Scan, click: tuple[float, float] | None) -> Iterator[np.ndarray]:
    """Probability maps (H, W) of each look; NaN where a look saw nothing."""
    assert scan.region is not None

    def seen(image: Scan, mirror: bool = False) -> np.ndarray:
        prepared = predictor.preprocess.apply(image)
        inputs = network_input(prepared, click)
        if mirror:
            return prepared.to_scan_map(sigmoid(predictor.contour(inputs[..., ::-1])[0, 0, :, ::-1]))
        found = prepared.to_scan_map(sigmoid(predictor.contour(inputs)[0, 0]))
        top, left, bottom, right = prepared.box
        if image.region == scan.region:
            return found
        partial = np.full(found.shape, np.nan, np.float32)
        partial[top:bottom, left:right] = found[top:bottom, left:right]
        return partial

    yield seen(scan)
    yield seen(scan, mirror=True)
    top, left, bottom, right = scan.region
    down, across = round(MAGNIFIED * (bottom - top)), round(MAGNIFIED * (right - left))
    yield seen(scan.with_region((top, left, bottom - down, right - across)))
    yield seen(scan.with_region((top + down, left + across, bottom, right)))
    for gamma in GAMMAS:
        yield seen(Scan(with_gamma(scan.pixels, gamma), region=scan.region))


def with_gamma(pixels: np.ndarray, gamma: float) -> np.ndarray:
    """uint8 (H, W) grey levels g as 255 (g / 255)^gamma."""
    levels = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return cv2.LUT(pixels, levels)


def around(mask: np.ndarray) -> np.ndarray:
    """A nerve's 0/1 mask grown by :data:`EDGE` of its radius, uint8 (H, W)."""
    reach = max(1, round(EDGE * np.sqrt(np.count_nonzero(mask) / np.pi)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask, disc)


def versions(doubt: Doubt, mask: np.ndarray, threshold: float = 0.5) -> list[np.ndarray]:
    """The nerve as each look draws it, uint8 0/1 (H, W); empty where a look does not see it."""
    near = around(mask)
    return [((found >= threshold) & (near > 0)).astype(np.uint8) for found in doubt.maps]


def areas(found: list[np.ndarray]) -> tuple[tuple[float, ...], float]:
    """px² of each version of a nerve, and the standard deviation of their logarithms, from ``FLOOR`` up.

    A look that misses the nerve counts as a tenth of the largest.
    """
    sizes = np.array([np.count_nonzero(each) for each in found], float)
    largest = max(sizes.max(), 1.0)
    return tuple(sizes), max(FLOOR, float(np.log(np.maximum(sizes, 0.1 * largest)).std()))


def area_interval(area: float, spread: float, reach: float) -> tuple[float, float]:
    """Interval for the true area, in the unit of ``area``: area · exp(± reach · spread).

    Args:
        area: as drawn.
        spread: of the looks, as of :func:`areas`.
        reach: calibrated, so that as many true areas lie in their intervals as promised.
    """
    factor = float(np.exp(reach * spread))
    return area / factor, area * factor


def judge_again(predictor: Predictor, scan: Scan, mask: np.ndarray, found: list[np.ndarray]) -> NerveDoubt:
    """The doubt about one nerve from its 0/1 mask and its versions."""
    sizes, spread = areas(found)
    chances = {"as drawn": predictor.p_affected(scan.pixels, mask)}
    names = ("first look", "mirrored", "magnified 1", "magnified 2", "brighter", "darker")
    for name, version in zip(names, found, strict=True):
        if np.count_nonzero(version) >= 0.1 * np.count_nonzero(mask):
            chances[name] = predictor.p_affected(scan.pixels, version)
    for number, member in enumerate(members(predictor.folder), 1):
        logit = _logit(member, scan.pixels, mask)
        chances[f"network {number}"] = float(sigmoid(np.float64(predictor.slope * logit + predictor.bias)))
    return NerveDoubt(sizes, spread, chances)


def nerve_masks(prediction: Prediction) -> list[np.ndarray]:
    """0/1 masks (H, W) of a prediction's nerves, in their order."""
    count, labels = cv2.connectedComponents((prediction.mask > 0).astype(np.uint8))
    masks = []
    for nerve in prediction.nerves:
        x, y = (np.clip(np.rint(nerve.contour).astype(int), 0, np.array(labels.shape)[::-1] - 1)).T
        inside = labels[y, x]
        names = np.bincount(inside[inside > 0], minlength=count)
        masks.append((labels == int(names.argmax())).astype(np.uint8))
    return masks


@lru_cache(maxsize=2)
def members(folder: Path) -> tuple[torch.nn.Module, ...]:
    """The networks of a jury, each by itself; none where one network judges alone."""
    from nerve_core.models.checkpoint import load_checkpoint

    return tuple(getattr(load_checkpoint(folder)[0].verdict, "members", ()))


def _logit(network: torch.nn.Module, pixels: np.ndarray, mask: np.ndarray) -> float:
    import torch

    window = crop_window(mask)
    views = [cut(pixels, mask, window, flip=flip) for flip in (False, True)]
    crops = torch.from_numpy(np.stack([normalise_crop(crop)[None] for crop, _ in views]))
    masks = torch.from_numpy(np.stack([soft[None] for _, soft in views]))
    with torch.inference_mode():
        return float(network(crops.float(), masks.float()).mean())
