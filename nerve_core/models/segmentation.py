"""Contour networks: (N, 2, S, S) image and click in, (N, classes, S, S) logits out, the nerve's first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.base import SegmentationHead
from torch import nn

from nerve_core.models.pretrained import load_packaged

CHANNELS = 2
"""Normalised image, click map."""

OUTPUTS = ("nerve", "vessel")
"""What the logits' channels are of; a network of one class finds the nerve alone."""

HEAD = "segmentation_head.0"
"""The last convolution, one row of weights a class."""


def attention_unet(encoder: str, pretrained: bool = True, classes: int = 1) -> nn.Module:
    """U-Net with concurrent spatial and channel attention (scSE, Roy 2018) over an EfficientNet-Lite.

    The decoder stops at half the input's side and the logits are enlarged, and attention sits on its three
    coarse stages: the finest stages cost a third of the time and add nothing to a smooth contour.

    Args:
        encoder: timm's name of the encoder.
        pretrained: start the encoder from its packaged ImageNet weights.
        classes: 1 (nerve) or 2 (nerve and vessel).
    """
    model = smp.Unet(
        f"tu-{encoder}",
        encoder_weights=None,
        in_channels=CHANNELS,
        decoder_channels=(128, 64, 48, 32, 16),
        decoder_attention_type="scse",
    )
    model.decoder.blocks = model.decoder.blocks[:-1]
    model.decoder.blocks[3].attention1 = model.decoder.blocks[3].attention2 = nn.Identity()
    model.segmentation_head = SegmentationHead(32, classes, kernel_size=3, upsampling=2)
    if pretrained:
        load_packaged(model.encoder.model, encoder)
    return model


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "attention_unet_lite0": partial(attention_unet, "tf_efficientnet_lite0"),
    "attention_unet_lite2": partial(attention_unet, "tf_efficientnet_lite2"),
}


def build(name: str, pretrained: bool = True, classes: int = 1) -> nn.Module:
    """A network of the registry.

    Raises:
        ValueError: for an unknown name, or a number of classes there is no meaning for.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"Unknown architecture {name!r}; known are {', '.join(sorted(ARCHITECTURES))}.")
    if not 1 <= classes <= len(OUTPUTS):
        raise ValueError(f"A contour network has 1 to {len(OUTPUTS)} classes, not {classes}.")
    return ARCHITECTURES[name](pretrained=pretrained, classes=classes)


def count_classes(weights: Mapping[str, torch.Tensor], prefix: str = "") -> int:
    """How many classes the weights of a contour network tell apart."""
    return len(weights[f"{prefix}{HEAD}.weight"])


def nerve_only(weights: Mapping[str, torch.Tensor], prefix: str = "") -> dict[str, torch.Tensor]:
    """The same weights with the head of the first class alone; those without such a head stay as they are."""
    head = (f"{prefix}{HEAD}.weight", f"{prefix}{HEAD}.bias")
    return {name: tensor[:1] if name in head else tensor for name, tensor in weights.items()}


def fit_classes(weights: Mapping[str, torch.Tensor], model: nn.Module) -> dict[str, torch.Tensor]:
    """Weights whose head has as many classes as the model's: further ones go, missing ones stay the model's.

    Args:
        weights: state dict of a network of the same architecture.
        model: the network that shall take them.
    """
    own, fitted = model.state_dict(), dict(weights)
    for name in (f"{HEAD}.weight", f"{HEAD}.bias"):
        kept = own[name].clone()
        count = min(len(kept), len(weights[name]))
        kept[:count] = weights[name][:count]
        fitted[name] = kept
    return fitted
