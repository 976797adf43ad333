"""Class activation maps of the verdict network: pytorch-grad-cam's weights, on one crop and its mirror image.

The library scales the map of every layer and picture to its own largest value. The members of a jury judge
together, so here their maps are added in units of the logit first, and only the sum is scaled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pytorch_grad_cam import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM
from pytorch_grad_cam.base_cam import BaseCAM
from torch import nn
from torch.nn import functional as F

from nerve_core.errors import DataError
from nerve_core.explain.judge import Look, unmirror
from nerve_core.models.verdict import VerdictNet
from nerve_core.models.verdicts import Jury

BATCH = 32
"""Pictures through the network at once."""


class Score(ScoreCAM):
    """Score-CAM (Wang 2020) in quiet batches: each channel's weight is the logit of what it lets through."""

    def get_cam_weights(
        self, input_tensor: torch.Tensor, layer: nn.Module, targets: list[Any], activations: Any, grads: Any
    ) -> np.ndarray:
        side = input_tensor.shape[-1]
        found = []
        with torch.inference_mode():
            for picture, maps, target in zip(
                input_tensor, torch.as_tensor(activations, device=input_tensor.device), targets, strict=True
            ):
                shown = F.interpolate(maps[:, None], size=(side, side), mode="bilinear", align_corners=False)
                low, high = shown.amin((1, 2, 3), keepdim=True), shown.amax((1, 2, 3), keepdim=True)
                shown = (shown - low) / (high - low + 1e-8)
                scores = [target(self.model(picture[None] * part)) for part in shown.split(BATCH)]
                found.append(torch.softmax(torch.cat(scores), 0).cpu().numpy())
        return np.stack(found)


CAMS: dict[str, type[BaseCAM]] = {
    "grad_cam": GradCAM,
    "grad_cam_plus": GradCAMPlusPlus,
    "hires_cam": HiResCAM,
    "layer_cam": LayerCAM,
    "score_cam": Score,
    "eigen_cam": EigenCAM,
}
"""Selvaraju 2017, Chattopadhay 2018, Draelos 2020, Jiang 2021, Wang 2020, Muhammad 2020."""


class Shown(nn.Module):
    """The verdict network as a function of the crops alone: (N, 1, S, S) to logits (N,).

    The mask of each crop is put in by its place in the batch; one mask serves a batch of one crop.
    """

    def __init__(self, network: nn.Module, masks: torch.Tensor) -> None:
        super().__init__()
        self.network, self.masks = network, masks

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        masks = self.masks if len(self.masks) == len(crops) else self.masks.expand(len(crops), -1, -1, -1)
        return self.network(crops, masks)


def layers_of(network: nn.Module) -> dict[str, list[nn.Module]]:
    """Layers a map can be taken from, by a name for the page: the same layer of every member.

    Raises:
        DataError: a network without layers that look at places.
    """
    members = list(network.members) if isinstance(network, Jury) else [network]
    if all(isinstance(member, VerdictNet) for member in members):
        return {
            "mixed": [member.mix for member in members],
            "fine": [member.encoder.blocks[1] for member in members],
            "finest": [member.encoder.blocks[0] for member in members],
            "coarse": [member.encoder.blocks[2] for member in members],
        }
    blocks = [[part for part in member.modules() if isinstance(part, nn.Conv2d)] for member in members]
    if not all(blocks):
        raise DataError("These weights have no layer that looks at places: choose another method or weights.")
    return {"last": [part[-1] for part in blocks], "first": [part[0] for part in blocks]}


def activation_map(network: nn.Module, look: Look, kind: str, layer: str, sign: float) -> np.ndarray:
    """Evidence by place in one crop.

    Args:
        network: a private copy of the verdict network; no hook is left on it.
        look: what it is shown.
        kind: key of ``CAMS``.
        layer: key of :func:`layers_of`.
        sign: 1 for what speaks for affected, -1 for what speaks against.

    Returns:
        float32 (CROP, CROP), ≥ 0, mean over the crop and its mirror image.

    Raises:
        DataError: a layer that these weights do not have.
    """
    layers = layers_of(network)
    if layer not in layers:
        raise DataError(f"These weights have no layer {layer!r}: choose {', '.join(layers)}.")

    def target(logits: torch.Tensor) -> torch.Tensor:
        return sign * logits

    # Score-CAM makes a batch of its own out of each crop; all others take both views at once.
    views = ((0,), (1,)) if kind == "score_cam" else ((0, 1),)
    found = []
    for view in views:
        shown = Shown(network, look.masks[list(view)])
        found.append(layer_maps(shown, look.crops[list(view)], kind, layers[layer], [target] * len(view)))
    return unmirror(np.concatenate(found))


def cut_off(_: nn.Module, __: object, features: torch.Tensor) -> torch.Tensor:
    """Forward hook: the same features, where a new graph of gradients begins."""
    return features.detach().requires_grad_(True).clone()


def layer_maps(
    network: nn.Module,
    pictures: torch.Tensor,
    kind: str,
    layers: list[nn.Module],
    targets: list[Callable[[torch.Tensor], torch.Tensor]],
) -> np.ndarray:
    """Sum of the maps of several layers: float32 (N, S, S), ≥ 0.

    Args:
        network: takes the pictures alone.
        pictures: float32 (N, channels, S, S).
        kind: key of ``CAMS``.
        layers: of the network.
        targets: one a picture, from its outputs to the number that is explained.
    """
    # Gradients begin at the layers asked for: what lies before them need not be gone through backwards.
    cuts = [layer.register_forward_hook(cut_off) for layer in layers]
    with CAMS[kind](model=network, target_layers=layers) as cam:
        try:
            outputs = cam.activations_and_grads(pictures)
        finally:
            for handle in cuts:
                handle.remove()
        activations = [part.cpu().numpy() for part in cam.activations_and_grads.activations]
        gradients: list[Any] = [None] * len(layers)
        if cam.uses_gradients:
            sum(target(output) for target, output in zip(targets, outputs, strict=True)).sum().backward()
            gradients = [part.cpu().numpy() for part in cam.activations_and_grads.gradients]
        total = np.zeros((len(pictures), *pictures.shape[-2:]), np.float32)
        for layer, values, slopes in zip(layers, activations, gradients, strict=True):
            part = cam.get_cam_image(pictures, layer, targets, values, slopes, False)
            part = torch.from_numpy(np.maximum(np.float32(part), 0))[:, None]
            total += F.interpolate(part, size=total.shape[-2:], mode="bilinear", align_corners=False)[
                :, 0
            ].numpy()
    return total
