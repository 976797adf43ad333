"""The default map: evidence on which three depths of the network and several looks agree.

HiResCAM (Draelos and Carin 2020) multiplies features and gradients place by place, so it can tell one side of
a nerve from the other, which Grad-CAM's mean over places cannot. Two things are added. The crop is moved and
resized a little several times and the maps are averaged, since what speckle alone draws moves with the crop's
pixel grid. And the maps of fine features (a quarter of the crop's side) and of coarse ones (an eighth) are
multiplied with the Grad-CAM of the mixed features from which the verdict is pooled, so that a place counts
only where all three hold it against (or for) the nerve.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from nerve_core.errors import DataError
from nerve_core.explain.cams import Shown, cut_off, layers_of
from nerve_core.explain.judge import Look
from nerve_core.models.verdict import CROP, cut, normalise_crop

LAYERS = ("fine", "coarse", "mixed")
"""Keys of :func:`nerve_core.explain.cams.layers_of`; of the last, gradients are averaged over places."""

LOOKS = ((0.0, 0.0, 1.0), (0.03, 0.02, 1.08), (-0.03, 0.03, 0.93), (0.02, -0.04, 1.0))
"""Shift right and down as shares of the crop's side, and its size over the usual."""

SOFT = 4.0
"""Standard deviation (px of the crop) by which the finest map is smoothed."""

FLOOR = 0.05
"""What a depth that sees nothing leaves of the others, so that one alone cannot wipe out the map."""


def steady(network: nn.Module, look: Look, sign: float) -> np.ndarray:
    """Evidence on which the depths agree over all looks.

    Args:
        network: a private copy of the verdict network; no hook is left on it.
        look: the nerve and its scan.
        sign: 1 for what speaks for affected, -1 for what speaks against.

    Returns:
        float32 (CROP, CROP), ≥ 0.

    Raises:
        DataError: a network that does not pool features of several scales.
    """
    layers = layers_of(network)
    if not set(LAYERS) <= set(layers):
        raise DataError(
            "This method needs features of several scales, which these weights do not have: choose another."
        )
    x, y, side = look.window
    windows = [(x + right * side, y + down * side, side * size) for right, down, size in LOOKS]
    views = [(window, flip) for window in windows for flip in (False, True)]
    cuts = [cut(look.pixels, look.mask, window, flip=flip) for window, flip in views]
    device = look.crops.device
    crops = torch.from_numpy(np.stack([normalise_crop(crop)[None] for crop, _ in cuts])).to(device)
    masks = torch.from_numpy(np.stack([mask[None] for _, mask in cuts])).to(device)
    found = depths(Shown(network, masks), crops, [layers[name] for name in LAYERS])
    fine, coarse, mixed = (
        np.mean([brought_back(each, *view, look.window) for each, view in zip(maps, views, strict=True)], 0)
        for maps in found
    )
    agreed = _unit(sign * cv2.GaussianBlur(fine, (0, 0), SOFT))
    return agreed * (FLOOR + _unit(sign * coarse)) * (FLOOR + _unit(sign * mixed))


def depths(network: nn.Module, crops: torch.Tensor, groups: Sequence[list[nn.Module]]) -> list[np.ndarray]:
    """Signed maps of several layers in one pass: one float32 (N, S, S) a group, the layers of a group added.

    The first group is that nearest to the picture. Features times gradients; in the last group the gradients'
    means over places, as in Grad-CAM.
    """
    layers = [layer for group in groups for layer in group]
    seen: dict[nn.Module, torch.Tensor] = {}

    def keep(layer: nn.Module, inputs: object, features: torch.Tensor) -> torch.Tensor:
        # Before the first group nothing is asked for, so there the graph of gradients begins.
        seen[layer] = cut_off(layer, inputs, features) if layer in groups[0] else features
        return seen[layer]

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        logits = network(crops)
    finally:
        for handle in handles:
            handle.remove()
    slopes = dict(zip(layers, torch.autograd.grad(logits.sum(), [seen[one] for one in layers]), strict=True))
    size = crops.shape[-2:]
    maps = []
    for group in groups:
        weights = [slopes[layer] for layer in group]
        if group is groups[-1]:
            weights = [each.mean((2, 3), keepdim=True) for each in weights]
        parts = [
            (seen[layer].detach() * weight).sum(1, keepdim=True)
            for layer, weight in zip(group, weights, strict=True)
        ]
        enlarged = [F.interpolate(part, size=size, mode="bilinear", align_corners=False) for part in parts]
        maps.append(sum(enlarged)[:, 0].cpu().numpy())
    return maps


def brought_back(
    heat: np.ndarray, window: tuple[float, float, float], flip: bool, base: tuple[float, float, float]
) -> np.ndarray:
    """A map (CROP, CROP) of the crop ``window``, mirrored or not, in the pixels of the crop ``base``."""
    heat = np.ascontiguousarray(heat[:, ::-1] if flip else heat)
    ratio, middle = base[2] / window[2], (CROP - 1) / 2
    shift = [middle * (1 - ratio) + CROP / window[2] * (base[k] - window[k]) for k in (0, 1)]
    matrix = np.array([[ratio, 0, shift[0]], [0, ratio, shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(heat, matrix, (CROP, CROP), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _unit(heat: np.ndarray) -> np.ndarray:
    """What is positive, over its largest value; all 0 where nothing is."""
    heat = np.maximum(heat, 0)
    return heat / max(float(heat.max()), 1e-9)
