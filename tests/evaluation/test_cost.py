"""Costs of a network small enough to count by hand."""

import pytest
import torch
from torch import nn

from nerve_core.evaluation.cost import MIB, cost, cost_of, peak_bytes

SIDE = 32


class Tiny(nn.Sequential):
    """Two convolutions: 72 weights at every pixel, then 4 and a bias."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 1, 1))


def test_parameters_macs_and_memory() -> None:
    image = torch.zeros(1, 2, SIDE, SIDE)
    found = cost_of(Tiny(), (image,), runs=1)
    assert found["parameters"] == 72 + 4 + 1
    assert found["macs"] == SIDE**2 * (72 + 4)
    # the image, which the caller keeps, and both sides of the ReLU
    assert found["memory_mib"] == pytest.approx(4 * (77 + SIDE**2 * (2 + 4 + 4)) / MIB, abs=0.006)
    assert peak_bytes(Tiny(), (image,)) == 4 * SIDE**2 * (2 + 4 + 4)
    assert found["eager_ms"] > 0
    assert found["openvino_ms"] is None or found["openvino_ms"] > 0
    assert found["runs"] == found["threads"] == 1


def test_results_that_are_gone_or_looked_at_again_take_no_memory() -> None:
    class Deep(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            for _ in range(20):
                values = (values + 1).view(2, -1).view(1, 2, SIDE, SIDE)
            return values

    image = torch.zeros(1, 2, SIDE, SIDE)
    assert peak_bytes(Deep(), (image,)) <= 3 * image.nbytes


def test_an_entry_of_the_registry() -> None:
    found = cost("unet_mobilenetv3", size=64, runs=1)
    assert (found["architecture"], found["size"]) == ("unet_mobilenetv3", 64)
    assert 1e6 < found["parameters"] < 4e6
    assert 1e7 < found["macs"] < 1e9
    with pytest.raises(ValueError, match="known are"):
        cost("alexnet")
