"""The quick depthwise gradient is the ordinary one."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nerve_core.training.depthwise import QuickDepthwise


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
@pytest.mark.parametrize("bias", [False, True])
def test_gradients_agree_with_float32(kernel: int, stride: int, bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(6, 6, kernel, stride, kernel // 2, groups=6, bias=bias)
    inputs = torch.randn(2, 6, 17, 15, requires_grad=True)
    layer(inputs).square().sum().backward()
    wanted = [inputs.grad, *(parameter.grad for parameter in layer.parameters())]
    inputs.grad = None
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16), QuickDepthwise():
        layer(inputs).float().square().sum().backward()
    found = [inputs.grad, *(parameter.grad for parameter in layer.parameters())]
    for one, other in zip(wanted, found, strict=True):
        assert F.cosine_similarity(one.flatten(), other.flatten(), 0) > 0.999


def test_other_convolutions_are_left_alone() -> None:
    layer, inputs = nn.Conv2d(4, 8, 3, groups=2), torch.randn(1, 4, 9, 9)
    with torch.autocast("cpu", torch.bfloat16):
        plain = layer(inputs)
        with QuickDepthwise():
            assert torch.equal(layer(inputs), plain)


def test_without_autocast_nothing_changes() -> None:
    layer, inputs = nn.Conv2d(4, 4, 3, groups=4), torch.randn(1, 4, 9, 9)
    with QuickDepthwise():
        assert layer(inputs).dtype == torch.float32
