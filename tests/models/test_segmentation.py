"""Every architecture of the registry keeps one contract."""

import pytest
import torch

from nerve_core.models.pretrained import load_lite0, load_packaged
from nerve_core.models.segmentation import ARCHITECTURES, CHANNELS, build, fit_classes


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def network(request: pytest.FixtureRequest) -> torch.nn.Module:
    return build(request.param, pretrained=True).eval()


@pytest.mark.parametrize("side", [64, 96, 128])
def test_logits_have_the_size_of_the_input(network: torch.nn.Module, side: int) -> None:
    with torch.inference_mode():
        assert network(torch.zeros(2, CHANNELS, side, side)).shape == (2, 1, side, side)


def test_an_untrained_click_changes_nothing(network: torch.nn.Module) -> None:
    image = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        without = network(torch.cat([image, torch.zeros_like(image)], 1))
        with_click = network(torch.cat([image, torch.ones_like(image)], 1))
    assert torch.equal(without, with_click)


def test_gradients_reach_every_weight(network: torch.nn.Module) -> None:
    network.train()
    network(torch.randn(2, CHANNELS, 64, 64)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.zero_grad()
    network.eval()


def test_pretrained_weights_differ_from_random_ones() -> None:
    torch.manual_seed(0)
    plain, trained = (build("attention_unet_lite0", pretrained=p) for p in (False, True))
    stem = "encoder.model.conv_stem.weight"
    assert not torch.equal(plain.state_dict()[stem], trained.state_dict()[stem])
    assert (trained.state_dict()[stem][:, 1] == 0).all()


def test_more_classes_leave_the_nerve_as_it_was() -> None:
    torch.manual_seed(0)
    one, two = build("attention_unet_lite0", False).eval(), build("attention_unet_lite0", False, 2).eval()
    two.load_state_dict(fit_classes(one.state_dict(), two))
    inputs = torch.randn(1, CHANNELS, 64, 64)
    with torch.inference_mode():
        wanted, found = one(inputs), two(inputs)
    assert found.shape == (1, 2, 64, 64)
    assert torch.allclose(found[:, :1], wanted, atol=1e-5)
    with pytest.raises(ValueError, match="classes"):
        build("attention_unet_lite0", False, 3)


def test_other_encoders_are_refused() -> None:
    with pytest.raises(ValueError, match="tensor"):
        load_lite0(torch.nn.Conv2d(3, 4, 5))
    with pytest.raises(ValueError, match="packaged"):
        load_packaged(torch.nn.Conv2d(3, 4, 5), "resnet18")


def test_unknown_architecture() -> None:
    with pytest.raises(ValueError, match="known are"):
        build("alexnet")
