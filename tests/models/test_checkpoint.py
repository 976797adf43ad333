"""Checkpoints come back as they were saved; damage is named."""

import json
from pathlib import Path

import pytest
import torch

from nerve_core.errors import CheckpointError
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint

CONFIG = {"architecture": "attention_unet_lite0", "name": "t", "version": "1"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NerveNet]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    model = NerveNet("attention_unet_lite0").eval()
    save_checkpoint(folder, model, CONFIG)
    return folder, model


def test_round_trip_to_half_precision(saved: tuple[Path, NerveNet]) -> None:
    folder, model = saved
    again, config = load_checkpoint(folder)
    assert config == CONFIG
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(again.state_dict()[name], tensor.half().float())
    assert not again.training


def test_vessels_stay_out_of_the_way_of_predictions(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = NerveNet("attention_unet_lite0", classes=2).eval()
    save_checkpoint(tmp_path, model, CONFIG)
    inputs = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        nerve = load_checkpoint(tmp_path)[0].contour(inputs)
        both = load_checkpoint(tmp_path, every_class=True)[0].contour(inputs)
    assert nerve.shape == (1, 1, 64, 64)
    assert both.shape == (1, 2, 64, 64)
    assert torch.allclose(both[:, :1], nerve, atol=1e-5)


def test_small_enough_to_ship(saved: tuple[Path, NerveNet]) -> None:
    assert (saved[0] / "model.safetensors").stat().st_size < 30e6


def damaged(saved: tuple[Path, NerveNet], to: Path, **changes: bytes) -> Path:
    for name in ("model.safetensors", "config.json"):
        content = changes.get(name.split(".")[0], (saved[0] / name).read_bytes())
        if content is not None:
            (to / name).write_bytes(content)
    return to


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": None}, "model.safetensors is missing"),
        ({"config": None}, "config.json is missing"),
        ({"model": b"1234"}, "damaged"),
        ({"config": b"{"}, "damaged"),
        ({"config": b"[]"}, "damaged"),
        ({"config": json.dumps({**CONFIG, "architecture": "x"}).encode()}, "architecture 'x', which is"),
        (
            {"config": json.dumps({**CONFIG, "verdict_architecture": "y"}).encode()},
            "architecture 'y', which is",
        ),
        ({"config": json.dumps({**CONFIG, "architecture": "unet"}).encode()}, "do not fit unet"),
    ],
)
def test_damage_is_named(saved: tuple[Path, NerveNet], tmp_path: Path, changes: dict, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        load_checkpoint(damaged(saved, tmp_path, **changes))


def test_truncated_weights(saved: tuple[Path, NerveNet], tmp_path: Path) -> None:
    whole = (saved[0] / "model.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(damaged(saved, tmp_path, model=whole[: len(whole) // 2]))
