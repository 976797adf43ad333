"""Maps of evidence by what changes: gradients against a blurred picture, Shapley values, and occlusion."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import torch
from torch import nn

from nerve_core.explain.judge import Look, unmirror

BLURS = (4.0, 8.0, 16.0)
"""Standard deviations (px of the crop) of the blurred pictures that stand for nothing to be seen."""

STEPS = 12
SAMPLES = 16
SMOOTH = 3.0
"""Standard deviation (px of the crop) by which pixel-wise attributions are smoothed: about a grain."""

PATCH, STRIDE = 6.0, 8
"""Standard deviation and distance of the soft patches of occlusion, px of the crop."""

_DRAWING = threading.Lock()


def blurred(crops: torch.Tensor, sigma: float) -> torch.Tensor:
    """Crops (N, 1, S, S) without what is finer than ``sigma`` px."""
    pictures = [
        cv2.GaussianBlur(each, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for each in _flat(crops)
    ]
    return torch.from_numpy(np.stack(pictures)[:, None]).to(crops.device)


def integrated_gradients(network: nn.Module, look: Look, sign: float) -> np.ndarray:
    """Integrated gradients (Sundararajan 2017) from a blurred picture: float32 (CROP, CROP), ≥ 0."""
    from captum.attr import IntegratedGradients

    found = IntegratedGradients(network).attribute(
        look.crops,
        baselines=blurred(look.crops, BLURS[1]),
        additional_forward_args=look.masks,
        n_steps=STEPS,
        internal_batch_size=16,
    )
    return _finished(sign * found)


def shap(network: nn.Module, look: Look, sign: float) -> np.ndarray:
    """Gradient SHAP (Lundberg 2017, expected gradients) against pictures blurred more and more.

    The same picture gives the same map: the library's global random numbers are set for the time of the draw.

    Returns:
        float32 (CROP, CROP), ≥ 0.
    """
    from captum.attr import GradientShap

    baselines = torch.cat([blurred(look.crops[:1], sigma) for sigma in BLURS])
    with _DRAWING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        former = np.random.get_state()
        np.random.seed(0)
        try:
            maps = [
                GradientShap(network).attribute(
                    look.crops[k : k + 1],
                    baselines=baselines.flip(-1) if k else baselines,
                    additional_forward_args=look.masks[k : k + 1],
                    n_samples=SAMPLES,
                    stdevs=0.05,
                )
                for k in (0, 1)
            ]
        finally:
            np.random.set_state(former)
    return _finished(sign * torch.cat(maps))


def occlusion(network: nn.Module, look: Look, sign: float) -> np.ndarray:
    """How the logit falls when a soft patch is blurred away (Zeiler 2014): float32 (CROP, CROP), ≥ 0."""
    side = look.nerve.shape[0]
    near = cv2.dilate(look.nerve.astype(np.uint8), np.ones((15, 15), np.uint8))
    y, x = np.mgrid[:side, :side].astype(np.float32)
    middles = [(j, i) for j in range(4, side, STRIDE) for i in range(4, side, STRIDE) if near[j, i]]
    if not middles:
        return np.zeros((side, side), np.float32)
    patches = np.stack([np.exp(-0.5 * ((y - j) ** 2 + (x - i) ** 2) / PATCH**2) for j, i in middles])
    weights = torch.from_numpy(np.float32(patches))[:, None].to(look.crops.device)
    maps = []
    with torch.inference_mode():
        for k in (0, 1):
            placed = weights.flip(-1) if k else weights
            crop, mask, plain = (
                look.crops[k : k + 1],
                look.masks[k : k + 1],
                blurred(look.crops[k : k + 1], 8.0),
            )
            whole = network(crop, mask)
            falls = [
                sign * (whole - network(crop + part * (plain - crop), mask.expand(len(part), -1, -1, -1)))
                for part in placed.split(32)
            ]
            share = placed.sum(0)
            heat = (torch.cat(falls)[:, None, None, None] * placed).sum(0) / (share + 0.1)
            maps.append(heat[0])
    return np.maximum(unmirror(torch.stack(maps)), 0)


def _finished(found: torch.Tensor) -> np.ndarray:
    """Attributions (2, 1, S, S) smoothed, added over both views, and what speaks for it kept."""
    smooth = np.stack([cv2.GaussianBlur(each, (0, 0), SMOOTH) for each in _flat(found.detach().float())])
    return np.maximum(unmirror(smooth), 0)


def _flat(pictures: torch.Tensor) -> np.ndarray:
    return pictures.cpu().numpy()[:, 0]
