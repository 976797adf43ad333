"""Every contour network of the registry keeps one contract, whatever library it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from nerve_core.errors import CheckpointError
from nerve_core.inference.backends import OpenVinoNetwork
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint
from nerve_core.models.segmentation import ARCHITECTURES, CHANNELS, HEAD, build, fit_classes
from nerve_core.models.verdict import CROP
from nerve_core.models.verdicts import VERDICTS, build_verdict

ALWAYS = ("dynamic_unet", "resunet_plus_plus")
"""Networks whose kinds of layers no other test converts; converting all of them takes minutes."""


def inputs(side: int, count: int = 1) -> torch.Tensor:
    return torch.randn(count, CHANNELS, side, side, generator=torch.Generator().manual_seed(0))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.soak if name.endswith("_full") else ())
        for name in sorted(ARCHITECTURES)
    ],
)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return build(name, pretrained=False, classes=2).eval()


def test_it_says_what_it_is(name: str) -> None:
    entry = ARCHITECTURES[name]
    assert entry.title
    assert entry.paper[-4:].isdigit()
    assert entry.pretrained == (entry.packaged != "")


def test_logits_have_the_size_of_the_input_and_come_out_the_same_twice(network: nn.Module) -> None:
    for side in (64, 96):
        with torch.inference_mode():
            once, again = network(inputs(side)), network(inputs(side))
        assert once.shape == (1, 2, side, side)
        assert torch.equal(once, again)
        assert once.std() > 0


def test_gradients_reach_every_parameter(network: nn.Module) -> None:
    network.train()
    network(inputs(64, 2)).square().mean().backward()
    assert [key for key, value in network.named_parameters() if value.grad is None] == []
    network.zero_grad()
    network.eval()


def test_the_nerve_is_the_same_with_and_without_vessels(name: str, network: nn.Module) -> None:
    alone = build(name, pretrained=False).eval()
    assert len(alone.get_submodule(HEAD).weight) == 1
    alone.load_state_dict(fit_classes(network.state_dict(), alone))
    with torch.inference_mode():
        assert torch.allclose(alone(inputs(64)), network(inputs(64))[:, :1], atol=1e-5)


def test_no_weights_are_stored_twice(network: nn.Module) -> None:
    tensors = [tensor for tensor in network.state_dict().values() if tensor.ndim]
    assert len({tensor.data_ptr() for tensor in tensors}) == len(tensors)


def difference_when_converted(network: nn.Module) -> float:
    """Largest difference between OpenVINO's answer and PyTorch's, over the largest logit."""
    arrays = inputs(64)
    found = OpenVinoNetwork(network, (torch.zeros_like(arrays),), "cpu")(arrays.numpy())
    with torch.inference_mode():
        wanted = network(arrays)
    return float((torch.from_numpy(found) - wanted).abs().max() / wanted.abs().max())


@pytest.mark.soak
def test_every_network_converts(network: nn.Module) -> None:
    assert difference_when_converted(network) < 2e-3


@pytest.mark.parametrize("chosen", ALWAYS)
def test_rarer_layers_convert(chosen: str) -> None:
    torch.manual_seed(0)
    assert difference_when_converted(build(chosen, pretrained=False).eval()) < 2e-3


@pytest.mark.parametrize(
    ("chosen", "verdict"),
    [
        ("unet", "plain_cnn"),
        ("dynamic_unet", "plain_cnn"),
        ("segformer_b0", "plain_cnn"),
        ("fpn_lite0", "nerve_pooled"),
    ],
)
def test_checkpoints_come_back(chosen: str, verdict: str, tmp_path: Path) -> None:
    model = NerveNet(chosen, classes=2, verdict=verdict).eval()
    save_checkpoint(tmp_path, model, {"architecture": chosen, "verdict_architecture": verdict})
    again, _ = load_checkpoint(tmp_path, every_class=True)
    assert again.state_dict().keys() == model.state_dict().keys()
    for key, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(again.state_dict()[key], tensor.half().float())
    nerve, _ = load_checkpoint(tmp_path)
    with torch.inference_mode():
        assert torch.allclose(nerve.contour(inputs(64)), again.contour(inputs(64))[:, :1], atol=1e-4)
    save_checkpoint(tmp_path, model, {"architecture": "linknet_resnet18", "verdict_architecture": verdict})
    with pytest.raises(CheckpointError, match="do not fit linknet_resnet18"):
        load_checkpoint(tmp_path)


def test_without_packaged_weights_pretrained_changes_nothing() -> None:
    found = []
    for pretrained in (False, True):
        torch.manual_seed(0)
        found.append(build("linknet_resnet18", pretrained).state_dict())
    assert all(torch.equal(tensor, found[1][key]) for key, tensor in found[0].items())


def test_scratch_and_packaged_differ_in_weights_alone() -> None:
    torch.manual_seed(0)
    trained, scratch = build("attention_unet_lite0").state_dict(), build("attention_unet_lite0_scratch")
    scratch.load_state_dict(trained)
    assert not ARCHITECTURES["attention_unet_lite0_scratch"].pretrained


@pytest.mark.parametrize("verdict", sorted(VERDICTS))
def test_verdict_networks_judge_each_crop_on_its_own(verdict: str) -> None:
    torch.manual_seed(0)
    network = build_verdict(verdict, pretrained=False).eval()
    crops, masks = torch.randn(2, 1, CROP, CROP), torch.rand(2, 1, CROP, CROP)
    with torch.inference_mode():
        logits = network(crops, masks)
        assert logits.shape == (2,)
        assert torch.allclose(network(crops[1:], masks[1:]), logits[1:], atol=1e-4)
        assert not torch.allclose(network(crops, 1 - masks), logits)
    network.train()(crops, masks).sum().backward()
    idle = {key for key, value in network.named_parameters() if value.grad is None}
    # Of the pooled network's encoder the last two stages are stored with it and never asked.
    assert all("encoder.blocks.5" in key or "encoder.blocks.6" in key for key in idle)
    assert VERDICTS[verdict].title


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(ValueError, match=r"known are .*segformer_b0"):
        build("alexnet")
    with pytest.raises(ValueError, match=r"known are .*plain_cnn"):
        build_verdict("alexnet")
