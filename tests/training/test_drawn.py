"""The network's own contours, as the verdict's training sees them."""

from __future__ import annotations

import pickle

import numpy as np
import torch

from nerve_core.models.segmentation import build
from nerve_core.training.drawn import NetworkDrawer


def weights(bias: float) -> dict[str, torch.Tensor]:
    """A network that gives every pixel the same logit."""
    torch.manual_seed(0)
    model = build("attention_unet_lite0", pretrained=False)
    torch.nn.init.zeros_(model.segmentation_head[0].weight)
    torch.nn.init.constant_(model.segmentation_head[0].bias, bias)
    return model.state_dict()


def test_masks_have_the_size_of_their_scans() -> None:
    images = [np.full((90, 140), 60, np.uint8), np.full((64, 64), 60, np.uint8)]
    drawn = NetworkDrawer("attention_unet_lite0", weights(3.0), 64)(images)
    assert [one.shape for one in drawn] == [(90, 140), (64, 64)]
    assert all(one.dtype == np.uint8 and one.all() for one in drawn)
    assert not any(one.any() for one in NetworkDrawer("attention_unet_lite0", weights(-3.0), 64)(images))


def test_it_travels_to_workers_and_its_key_follows_its_weights() -> None:
    drawer = NetworkDrawer("attention_unet_lite0", weights(3.0), 64)
    copy = pickle.loads(pickle.dumps(drawer))
    assert copy.key == drawer.key and copy([np.zeros((64, 64), np.uint8)])[0].all()
    assert NetworkDrawer("attention_unet_lite0", weights(2.0), 64).key != drawer.key
