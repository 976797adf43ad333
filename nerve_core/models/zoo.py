"""Every contour network that is compared, one entry each: what it is, whose it is, and how to make it.

Widths are chosen so that each trains on two processor cores at 128 px; those of the papers, where they are
larger by much, are entries of their own (``…_full``). Encoders start from random weights but for the two
whose ImageNet weights come with a Python package; the first of these appears from random weights too, and
under several decoders, so that architectures can be compared apart from weights.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from nerve_core.models import families
from nerve_core.models.architecture import Architecture

LITE0, LITE2 = "tf_efficientnet_lite0", "tf_efficientnet_lite2"

NARROW, FULL = (24, 48, 96, 192, 256), (64, 128, 256, 512, 1024)
"""Channels of the five stages of a U-Net: fit for two cores, and as published."""

LIGHT = (128, 64, 48, 32, 16)
"""Channels of the decoder of the light networks."""


def smp(kind: str, encoder: str, **options: object) -> Callable[..., nn.Module]:
    """Maker of one pair of decoder and encoder of segmentation-models-pytorch."""
    return partial(families.encoder_decoder, kind, encoder, **options)


ZOO: dict[str, Architecture] = {
    "attention_unet_lite0": Architecture(
        partial(families.attention_unet_lite, LITE0),
        "U-Net with scSE attention over EfficientNet-Lite0",
        "Ronneberger 2015; Roy 2018; Tan 2019",
        packaged=LITE0,
    ),
    "attention_unet_lite0_scratch": Architecture(
        partial(families.attention_unet_lite, LITE0),
        "U-Net with scSE attention over EfficientNet-Lite0, from random weights",
        "Ronneberger 2015; Roy 2018; Tan 2019",
    ),
    "attention_unet_lite2": Architecture(
        partial(families.attention_unet_lite, LITE2),
        "U-Net with scSE attention over EfficientNet-Lite2",
        "Ronneberger 2015; Roy 2018; Tan 2019",
        packaged=LITE2,
    ),
    "unet": Architecture(partial(families.unet, NARROW), "Plain U-Net, narrow", "Ronneberger 2015"),
    "unet_full": Architecture(
        partial(families.unet, FULL), "Plain U-Net, width as published", "Ronneberger 2015"
    ),
    "attention_unet": Architecture(
        partial(families.attention_unet, NARROW), "U-Net with attention gates, narrow", "Oktay 2018"
    ),
    "attention_unet_full": Architecture(
        partial(families.attention_unet, FULL), "U-Net with attention gates, width as published", "Oktay 2018"
    ),
    "residual_unet": Architecture(
        partial(families.residual_unet, (32, 64, 128, 256, 320)), "U-Net of residual units", "Kerfoot 2018"
    ),
    "resunet_plus_plus": Architecture(
        partial(families.resunet_plus_plus, (12, 24, 48, 96, 192)),
        "Residual U-Net with squeeze-excitation, dilated pyramids and attention (ResUNet++)",
        "Jha 2019",
    ),
    "dynamic_unet": Architecture(
        partial(families.dynamic_unet, (24, 48, 96, 192, 256, 256)),
        "U-Net as nnU-Net plans it",
        "Isensee 2021",
    ),
    "unet_resnet18": Architecture(
        smp("Unet", "resnet18", decoder_channels=LIGHT), "U-Net over ResNet-18", "Ronneberger 2015; He 2016"
    ),
    "unet_se_resnet18": Architecture(
        smp("Unet", "tu-seresnet18", decoder_channels=LIGHT),
        "U-Net over ResNet-18 with squeeze-excitation",
        "Hu 2018",
    ),
    "unet_scse_resnet18": Architecture(
        partial(families.scse_unet, "resnet18", decoder_channels=LIGHT),
        "U-Net over ResNet-18 with scSE attention in the decoder",
        "Roy 2018",
    ),
    "unet_densenet121": Architecture(
        smp("Unet", "tu-densenet121", decoder_channels=LIGHT), "U-Net over DenseNet-121", "Huang 2017"
    ),
    "unet_mobilenetv3": Architecture(
        smp("Unet", "tu-tf_mobilenetv3_small_100", decoder_channels=LIGHT),
        "U-Net over MobileNetV3-Small",
        "Howard 2019",
    ),
    "unet_plus_plus_resnet18": Architecture(
        smp("UnetPlusPlus", "resnet18", decoder_channels=LIGHT), "U-Net++ over ResNet-18", "Zhou 2018"
    ),
    "unet_plus_plus_lite0": Architecture(
        smp("UnetPlusPlus", f"tu-{LITE0}", decoder_channels=LIGHT),
        "U-Net++ over EfficientNet-Lite0",
        "Zhou 2018; Tan 2019",
        packaged=LITE0,
    ),
    "linknet_resnet18": Architecture(smp("Linknet", "resnet18"), "LinkNet over ResNet-18", "Chaurasia 2017"),
    "linknet_lite0": Architecture(
        smp("Linknet", f"tu-{LITE0}"),
        "LinkNet over EfficientNet-Lite0",
        "Chaurasia 2017; Tan 2019",
        packaged=LITE0,
    ),
    "fpn_resnet18": Architecture(
        smp("FPN", "resnet18", decoder_pyramid_channels=128, decoder_segmentation_channels=64),
        "Feature pyramid over ResNet-18",
        "Lin 2017; Kirillov 2019",
    ),
    "fpn_lite0": Architecture(
        smp("FPN", f"tu-{LITE0}", decoder_pyramid_channels=128, decoder_segmentation_channels=64),
        "Feature pyramid over EfficientNet-Lite0",
        "Lin 2017; Kirillov 2019; Tan 2019",
        packaged=LITE0,
    ),
    "deeplabv3_plus_resnet18": Architecture(
        smp("DeepLabV3Plus", "resnet18", decoder_channels=128, decoder_atrous_rates=(3, 6, 9)),
        "DeepLabV3+ over ResNet-18",
        "Chen 2018",
    ),
    "deeplabv3_plus_lite0": Architecture(
        smp("DeepLabV3Plus", f"tu-{LITE0}", decoder_channels=128, decoder_atrous_rates=(3, 6, 9)),
        "DeepLabV3+ over EfficientNet-Lite0",
        "Chen 2018; Tan 2019",
        packaged=LITE0,
    ),
    "fcn_resnet18": Architecture(
        partial(families.fully_convolutional, "resnet18", 512),
        "Fully convolutional network over a dilated ResNet-18",
        "Long 2015",
    ),
    "segformer_b0": Architecture(
        smp("Segformer", "mit_b0"),
        "Transformer encoder with a perceptron as decoder (SegFormer-B0)",
        "Xie 2021",
    ),
    "swin_unetr": Architecture(
        partial(families.swin_unetr, 12),
        "Shifted-window transformer with a convolutional decoder (Swin UNETR)",
        "Hatamizadeh 2022",
    ),
}
