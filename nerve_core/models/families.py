"""Makers of contour networks, one a family; the registry in ``zoo`` fills in encoders and widths.

MONAI takes seconds to import and torchvision's models more than one, so both are imported by the maker that
needs them: a prediction loads only the library of its own network. Nothing here downloads weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segmentation_models_pytorch as smp
import timm
from segmentation_models_pytorch.base import SegmentationHead
from torch import nn

from nerve_core.models.architecture import CHANNELS, Headed
from nerve_core.models.resunet import ResUNetPlusPlus


def attention_unet_lite(encoder: str, classes: int = 1) -> nn.Module:
    """U-Net with concurrent spatial and channel attention (scSE, Roy 2018) over an EfficientNet-Lite.

    The decoder stops at half the input's side and the logits are enlarged, and attention sits on its three
    coarse stages: the finest stages cost a third of the time and add nothing to a smooth contour.

    Args:
        encoder: timm's name of the encoder.
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
    return model


def encoder_decoder(kind: str, encoder: str, classes: int = 1, **options: Any) -> nn.Module:
    """A decoder of segmentation-models-pytorch over one of its encoders, from random weights.

    Args:
        kind: name of the decoder's class, ``Unet``, ``FPN`` and so on.
        encoder: its name there; ``tu-`` before a name of timm's.
        options: of the decoder.
    """
    return getattr(smp, kind)(encoder, encoder_weights=None, in_channels=CHANNELS, classes=classes, **options)


def scse_unet(encoder: str, classes: int = 1, **options: Any) -> nn.Module:
    """U-Net with concurrent spatial and channel attention in every stage of the decoder; see above."""
    model = encoder_decoder("Unet", encoder, classes, decoder_attention_type="scse", **options)
    # The last stage has no skip connection, so this one is never asked and would never learn.
    model.decoder.blocks[-1].attention1 = nn.Identity()
    return model


def unet(widths: Sequence[int], classes: int = 1) -> nn.Module:
    """Plain U-Net: two 3 × 3 convolutions a stage, with batch normalisation, and transposed convolutions up.

    Args:
        widths: channels of the five stages.
    """
    from monai.networks.nets import BasicUNet

    body = BasicUNet(
        spatial_dims=2,
        in_channels=CHANNELS,
        features=(*widths, widths[0]),
        act=("relu", {"inplace": True}),
        norm="batch",
    )
    body.final_conv = nn.Identity()
    return Headed(body, widths[0], classes)


def attention_unet(widths: Sequence[int], classes: int = 1) -> nn.Module:
    """U-Net whose skip connections pass through attention gates.

    Args:
        widths: channels of the stages.
    """
    from monai.networks.nets import AttentionUnet

    whole = AttentionUnet(2, CHANNELS, 1, channels=widths, strides=(2,) * (len(widths) - 1))
    return Headed(whole.model[:-1], widths[0], classes)


def residual_unet(widths: Sequence[int], units: int = 2, classes: int = 1) -> nn.Module:
    """U-Net of residual units with strided convolutions.

    Args:
        widths: channels of the stages.
        units: residual units a stage.
    """
    from monai.networks.nets import UNet

    body = UNet(2, CHANNELS, widths[0], widths, (2,) * (len(widths) - 1), num_res_units=units, norm="batch")
    return Headed(body, widths[0], classes)


def resunet_plus_plus(widths: Sequence[int], classes: int = 1) -> nn.Module:
    """Residual U-Net with squeeze-excitation, dilated pyramids and attention, see ``resunet``.

    Args:
        widths: channels of the five stages.
    """
    return Headed(ResUNetPlusPlus(CHANNELS, widths), widths[0], classes)


def dynamic_unet(widths: Sequence[int], classes: int = 1) -> nn.Module:
    """U-Net as nnU-Net plans it: instance normalisation, leaky ReLU, strided convolutions down.

    Args:
        widths: channels of the stages.
    """
    from monai.networks.nets import DynUNet

    count = len(widths)
    whole = DynUNet(2, CHANNELS, 1, (3,) * count, (1, *(2,) * (count - 1)), (2,) * (count - 1), widths)
    # Its other attributes hold the same layers a second time, which would double the file of weights.
    return Headed(whole.skip_layers, widths[0], classes)


def fully_convolutional(encoder: str, width: int, classes: int = 1) -> nn.Module:
    """Torchvision's FCN head on a dilated encoder; the logits are enlarged eightfold.

    Args:
        encoder: timm's name of it.
        width: channels of its last stage.
    """
    from torchvision.models.segmentation.fcn import FCNHead

    backbone = timm.create_model(encoder, in_chans=CHANNELS, num_classes=0, global_pool="", output_stride=8)
    return Headed(nn.Sequential(backbone, *list(FCNHead(width, 1))[:-1]), width // 4, classes, shrink=8)


def swin_unetr(width: int, classes: int = 1) -> nn.Module:
    """Shifted-window transformer encoder with a convolutional decoder.

    Args:
        width: channels of the first stage, a multiple of 12.
    """
    from monai.networks.nets import SwinUNETR

    body = SwinUNETR(CHANNELS, 1, feature_size=width, spatial_dims=2)
    body.out = nn.Identity()
    return Headed(body, width, classes)
