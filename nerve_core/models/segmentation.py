"""Contour networks: (N, 2, S, S) image and click in, (N, 1, S, S) logits out."""

from __future__ import annotations

from collections.abc import Callable

import segmentation_models_pytorch as smp
from segmentation_models_pytorch.base import SegmentationHead
from torch import nn

from nerve_core.models.pretrained import ENCODER, load_lite0

CHANNELS = 2
"""Normalised image, click map."""


def attention_unet_lite0(pretrained: bool = True) -> nn.Module:
    """U-Net with concurrent spatial and channel attention (scSE, Roy 2018) over EfficientNet-Lite0.

    The decoder stops at half the input's side and the logits are enlarged, and attention sits on its three
    coarse stages: the finest stages cost a third of the time and add nothing to a smooth contour.
    """
    model = smp.Unet(
        f"tu-{ENCODER}",
        encoder_weights=None,
        in_channels=CHANNELS,
        decoder_channels=(128, 64, 48, 32, 16),
        decoder_attention_type="scse",
    )
    model.decoder.blocks = model.decoder.blocks[:-1]
    model.decoder.blocks[3].attention1 = model.decoder.blocks[3].attention2 = nn.Identity()
    model.segmentation_head = SegmentationHead(32, 1, kernel_size=3, upsampling=2)
    if pretrained:
        load_lite0(model.encoder.model)
    return model


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {"attention_unet_lite0": attention_unet_lite0}


def build(name: str, pretrained: bool = True) -> nn.Module:
    """A network of the registry.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"Unknown architecture {name!r}; known are {', '.join(sorted(ARCHITECTURES))}.")
    return ARCHITECTURES[name](pretrained=pretrained)
