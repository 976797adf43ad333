"""Pre-training learns without contours, goes on where it was cut, and hands its encoder to the contours."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nerve_core.errors import DataError
from nerve_core.models.segmentation import build
from nerve_core.training import run as module
from nerve_core.training.config import METHODS, Stage, TrainConfig
from nerve_core.training.pretrain import PretrainModule, load_encoder
from nerve_core.training.run import encoder_of, train

SMALL = TrainConfig(
    name="small",
    size=64,
    final_size=64,
    workers=0,
    pretrain=Stage(epochs=1, samples=8, batch=4),
    contour=Stage(epochs=1, samples=4, batch=4),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    return tmp_path


@pytest.mark.parametrize("method", METHODS)
def test_every_method_reaches_the_whole_encoder(method: str) -> None:
    torch.manual_seed(0)
    pretraining = PretrainModule(replace(SMALL, pretrain_method=method, pretrained=False))
    views = tuple(torch.randn(4, 2, 64, 64) for _ in range(2))
    loss = pretraining.loss(views)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(weight.grad is not None for weight in pretraining.model.encoder.parameters())


@pytest.mark.parametrize("method", ["contrastive", "barlow"])
def test_equal_views_cost_less_than_strangers(method: str) -> None:
    torch.manual_seed(0)
    pretraining = PretrainModule(replace(SMALL, pretrain_method=method, pretrained=False))
    one, other = torch.randn(8, 2, 64, 64), torch.randn(8, 2, 64, 64)
    with torch.no_grad():
        assert pretraining.loss((one, one)) < pretraining.loss((one, other))


def test_contours_start_from_the_runs_own_encoder(home: Path, manifest: Path) -> None:
    out = home / "weights"
    with pytest.raises(DataError, match="No pre-training is configured"):
        train([manifest], replace(SMALL, pretrain=Stage(0, 8, 4)), "any", "pretrain", False, out, "1")
    assert not train([manifest], SMALL, "any", "pretrain", False, out, "1")
    more = replace(SMALL, pretrain=replace(SMALL.pretrain, epochs=2))
    assert not train([manifest], more, "any", "pretrain", True, out, "1")
    run = home / "runs" / "small"
    stored = torch.load(run / "pretrain" / "last.ckpt", weights_only=False)
    assert stored["global_step"] == 4
    assert encoder_of(SMALL, run) == run / "pretrain" / "best.ckpt"
    assert encoder_of(replace(SMALL, start="x", pretrain=Stage(0, 8, 4)), run) is None
    assert encoder_of(replace(SMALL, start_encoder="y"), run) == Path("y")

    learned = torch.load(run / "pretrain" / "best.ckpt", weights_only=False)["state_dict"]
    fresh = build(SMALL.architecture)
    load_encoder(fresh, run)
    for name, tensor in fresh.encoder.state_dict().items():
        assert torch.equal(tensor, learned[f"model.encoder.{name}"])
    with pytest.raises(DataError, match="does not fit"):
        load_encoder(build("attention_unet_lite2", False), run)
    with pytest.raises(DataError, match="no pre-trained encoder"):
        load_encoder(fresh, home / "nowhere")
    (home / "bad.ckpt").write_bytes(b"nothing")
    with pytest.raises(DataError, match="damaged"):
        load_encoder(fresh, home / "bad.ckpt")
