"""Contour networks over sweeps: (N, 2, T, S, S) frames and clicks in, (N, 1, T, S, S) logits out.

T is any number of frames, S a multiple of 32. The clicks' channel is empty in all frames but the one that was
pointed at.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from nerve_core.models.architecture import CHANNELS, Architecture
from nerve_core.models.families import attention_unet_lite
from nerve_core.models.zoo import LITE0


class Filled(nn.Module):
    """A volumetric network that wants a multiple of some number of frames: the last one is repeated.

    Args:
        body: (N, 2, T, S, S) to (N, 1, T, S, S).
        multiple: of frames.
    """

    def __init__(self, body: nn.Module, multiple: int) -> None:
        super().__init__()
        self.body, self.multiple = body, multiple

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        count = inputs.shape[2]
        more = -count % self.multiple
        if more:
            inputs = torch.cat([inputs, inputs[:, :, -1:].expand(-1, -1, more, -1, -1)], 2)
        return self.body(inputs)[:, :, :count]


def unet3d() -> nn.Module:
    """3-D U-Net that halves the number of frames in its two deepest steps alone.

    Frames lie much further apart than pixels do, so the finest structures are looked at frame by frame as far
    as their size goes, and together with their neighbours by the 3 × 3 × 3 kernels.
    """
    from monai.networks.nets import UNet

    strides = ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2))
    return Filled(UNet(3, CHANNELS, 1, (16, 32, 64, 128, 160), strides, norm="instance"), 4)


def vnet() -> nn.Module:
    """V-Net at its published width (46 M parameters), which halves frames and sides four times."""
    from monai.networks.nets import VNet

    return Filled(VNet(3, CHANNELS, 1, dropout_prob_down=0.2, dropout_prob_up=(0.2, 0.2)), 16)


class ConvGRU(nn.Module):
    """Gated recurrent unit whose products are 3 × 3 convolutions: (N, T, C, S, S) to the same, in turn.

    A frame's result depends on it and those before it, so the unit can follow a live stream.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1)
        self.candidate = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        state = torch.zeros_like(features[:, 0])
        states = []
        for frame in features.unbind(1):
            reset, update = self.gates(torch.cat([frame, state], 1)).sigmoid().chunk(2, 1)
            new = self.candidate(torch.cat([frame, reset * state], 1)).tanh()
            state = (1 - update) * state + update * new
            states.append(state)
        return torch.stack(states, 1)


class RecurrentUnet(nn.Module):
    """A 2-D encoder and decoder, frame by frame, with memory in between.

    At the two coarse levels a :class:`ConvGRU` carries what was seen from frame to frame, and its state is
    added to the frame's own features, which a pre-trained encoder thus keeps.

    Args:
        model: encoder and decoder of segmentation-models-pytorch.
        levels: of the encoder's features that get a memory.
    """

    def __init__(self, model: nn.Module, levels: tuple[int, ...] = (3, 4)) -> None:
        super().__init__()
        self.encoder, self.decoder = model.encoder, model.decoder
        self.segmentation_head = model.segmentation_head
        self.memory = nn.ModuleDict({str(k): ConvGRU(model.encoder.out_channels[k]) for k in levels})

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        count, _, frames = inputs.shape[:3]
        features = self.encoder(inputs.transpose(1, 2).flatten(0, 1))
        for level, memory in self.memory.items():
            own = features[int(level)]
            features[int(level)] = own + memory(own.unflatten(0, (count, frames))).flatten(0, 1)
        logits = self.segmentation_head(self.decoder(features))
        return logits.unflatten(0, (count, frames)).transpose(1, 2)


def recurrent_unet(encoder: str) -> nn.Module:
    """The light attention U-Net with memory, see :class:`RecurrentUnet`."""
    return RecurrentUnet(attention_unet_lite(encoder))


SWEEPS: dict[str, Architecture] = {
    "unet3d": Architecture(unet3d, "3-D U-Net over the frames of a sweep", "Çiçek 2016"),
    "vnet": Architecture(vnet, "V-Net over the frames of a sweep", "Milletari 2016"),
    "recurrent_lite0": Architecture(
        partial(recurrent_unet, LITE0),
        "Attention U-Net over EfficientNet-Lite0 with convolutional GRUs from frame to frame",
        "Cho 2014; Ballas 2016; Tan 2019",
        packaged=LITE0,
    ),
    "recurrent_lite0_scratch": Architecture(
        partial(recurrent_unet, LITE0), "The same from random weights", "Cho 2014; Ballas 2016; Tan 2019"
    ),
}


def build_sweeps(name: str, pretrained: bool = True) -> nn.Module:
    """A network of the registry, from packaged ImageNet weights where it has any and they are wanted.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in SWEEPS:
        raise ValueError(f"Unknown architecture over sweeps {name!r}; known are {', '.join(sorted(SWEEPS))}.")
    return SWEEPS[name].build(pretrained)
