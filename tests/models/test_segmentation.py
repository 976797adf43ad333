"""Networks that start from packaged weights, and heads of more classes; test_zoo has what holds for all."""

import pytest
import torch

from nerve_core.models.pretrained import load_lite0, load_packaged
from nerve_core.models.segmentation import ARCHITECTURES, CHANNELS, build, fit_classes

PACKAGED = sorted(name for name, entry in ARCHITECTURES.items() if entry.pretrained)


@pytest.fixture(scope="module", params=PACKAGED)
def network(request: pytest.FixtureRequest) -> torch.nn.Module:
    return build(request.param, pretrained=True).eval()


def test_an_untrained_click_changes_nothing(network: torch.nn.Module) -> None:
    image = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        without = network(torch.cat([image, torch.zeros_like(image)], 1))
        with_click = network(torch.cat([image, torch.ones_like(image)], 1))
    assert torch.equal(without, with_click)


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
