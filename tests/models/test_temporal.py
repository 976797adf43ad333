"""Networks over sweeps take any number of frames, and tell one frame from another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from nerve_core.errors import CheckpointError
from nerve_core.models.checkpoint import load_checkpoint, load_sweep_network, save_checkpoint
from nerve_core.models.temporal import SWEEPS, ConvGRU, Filled, build_sweeps

SIDE = 64


@pytest.fixture(scope="module", params=sorted(SWEEPS))
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return build_sweeps(request.param, pretrained=False).eval()


def frames(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 2, count, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def test_any_number_of_frames(network: nn.Module) -> None:
    for count in (1, 5):
        with torch.inference_mode():
            once, again = network(frames(count)), network(frames(count))
        assert once.shape == (1, 1, count, SIDE, SIDE)
        assert torch.equal(once, again)


def test_gradients_reach_every_parameter(network: nn.Module) -> None:
    network.train()
    network(frames(4)).square().mean().backward()
    assert [key for key, value in network.named_parameters() if value.grad is None] == []
    network.zero_grad()
    network.eval()


def test_a_frame_changes_what_is_seen_in_the_next(network: nn.Module) -> None:
    inputs = frames(4)
    other = inputs.clone()
    other[:, :, 1] = 0
    with torch.inference_mode():
        moved = (network(inputs) - network(other)).abs().amax((0, 1, 3, 4))
    assert moved[2] > 0


def test_memory_looks_back_alone() -> None:
    torch.manual_seed(0)
    unit = ConvGRU(3).eval()
    features = torch.randn(2, 5, 3, 8, 8)
    other = features.clone()
    other[:, 3] += 1
    with torch.inference_mode():
        before, after = unit(features), unit(other)
    assert before.shape == features.shape
    assert torch.equal(before[:, :3], after[:, :3])
    assert (before[:, 3:] - after[:, 3:]).abs().amax((0, 2, 3, 4)).gt(0).all()
    assert before.abs().max() < 1  # a mean of hyperbolic tangents


def test_missing_frames_repeat_the_last() -> None:
    seen = []

    class Body(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            seen.append(values)
            return values[:, :1]

    inputs = frames(5)
    assert torch.equal(Filled(Body(), 4)(inputs), inputs[:, :1])
    assert seen[0].shape[2] == 8
    assert all(torch.equal(seen[0][:, :, k], inputs[:, :, 4]) for k in (5, 6, 7))


def test_checkpoints_come_back_and_are_not_taken_for_those_of_single_scans(tmp_path: Path) -> None:
    model = build_sweeps("unet3d").eval()
    save_checkpoint(tmp_path, model, {"architecture": "unet3d"})
    again, config = load_sweep_network(tmp_path)
    assert config == {"architecture": "unet3d"}
    for key, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor.half().float())
    with pytest.raises(CheckpointError, match="not one of those"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, model, {"architecture": "recurrent_lite0"})
    with pytest.raises(CheckpointError, match="do not fit"):
        load_sweep_network(tmp_path)


def test_packaged_weights_are_taken() -> None:
    torch.manual_seed(0)
    trained, scratch = build_sweeps("recurrent_lite0"), build_sweeps("recurrent_lite0_scratch", True)
    stem = "encoder.model.conv_stem.weight"
    assert (trained.state_dict()[stem][:, 1] == 0).all()
    assert (scratch.state_dict()[stem][:, 1] != 0).any()


def test_unknown_architecture() -> None:
    with pytest.raises(ValueError, match="known are"):
        build_sweeps("unet")
