"""Depthwise convolutions whose gradient is taken in float32, for training on processors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


class QuickDepthwise(TorchFunctionMode):
    """Within this context the backward pass of every depthwise 2-D convolution runs in float32.

    oneDNN has no fast bfloat16 kernel for it: on a strided 5 × 5 layer it is 50 to 80 times slower than
    in float32, and half to two thirds of a whole training step go there. The forward pass stays in
    bfloat16.
    """

    def __torch_function__(
        self,
        function: Callable,
        types: Sequence[type],
        args: tuple = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if function is F.conv2d and torch.is_autocast_enabled("cpu"):
            call = _arguments(*args, **kwargs)
            inputs, weight, *_, groups = call
            if (
                groups > 1
                and groups == inputs.shape[1]
                and weight.shape[1] == 1
                and not isinstance(call[4], str)
            ):
                return _Depthwise.apply(*call)
        return function(*args, **kwargs)


def _arguments(
    input: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> tuple:
    return input, weight, bias, stride, padding, dilation, groups


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs, weight, bias, stride, padding, dilation, groups) -> torch.Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias = bias is not None
        ctx.settings = (_pair(stride), _pair(padding), _pair(dilation), groups)
        half = torch.get_autocast_dtype("cpu")
        with torch.autocast("cpu", enabled=False):
            cast = None if bias is None else bias.to(half)
            return F.conv2d(inputs.to(half), weight.to(half), cast, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        inputs, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.settings
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False]
        to_inputs, to_weight, _ = torch.ops.aten.convolution_backward(
            gradient.float(), inputs.float(), weight.float(), None,
            stride, padding, dilation, False, [0, 0], groups, wanted,
        )  # fmt: skip
        to_bias = gradient.float().sum((0, 2, 3)) if ctx.has_bias else None
        to_inputs = None if to_inputs is None else to_inputs.to(inputs.dtype)
        return to_inputs, to_weight, to_bias, None, None, None, None


def _pair(value: int | Sequence[int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
