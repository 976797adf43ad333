"""Adaptation moves the normalisation's statistics, keeps the weights unless told to learn, and says so."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nerve_core.cli import main
from nerve_core.errors import DataError
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.read import read_scan
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import NerveNet, load_checkpoint, save_checkpoint
from nerve_core.training.adapt import AdaptConfig, adapt, adapt_norms


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "base"
    torch.manual_seed(0)
    config = {
        "name": "base",
        "version": "1.0",
        "architecture": "attention_unet_lite0",
        "preprocess": Preprocess(size=64).to_dict(),
        "sets": [{"set": "open", "licence": "CC0-1.0"}],
        "calibration": {"slope": 2.0, "bias": 0.5, "n": 99},
    }
    save_checkpoint(folder, NerveNet("attention_unet_lite0", pretrained=True, classes=2), config)
    return folder


def test_statistics_are_those_of_the_new_inputs() -> None:
    inputs = [torch.full((1, 4, 4), float(value)) for value in (1, 3)]
    for mix, mean in ((1.0, 2.0), (0.0, 0.0), (0.25, 0.5)):
        layer = nn.BatchNorm2d(1)
        adapt_norms(layer, inputs, mix, batch=2)
        assert layer.running_mean.item() == pytest.approx(mean)
        wanted = 1 + mix * (np.var([1] * 16 + [3] * 16, ddof=1) - 1)
        assert layer.running_var.item() == pytest.approx(wanted, rel=1e-5)
        assert layer.weight.item() == 1


def test_statistics_alone_leave_every_weight(start: Path, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "clinic"
    config = adapt([manifest], start, out, AdaptConfig(epochs=0))
    before, after = (load_checkpoint(folder, every_class=True)[0].state_dict() for folder in (start, out))
    moved = [name for name, tensor in after.items() if not torch.equal(tensor, before[name])]
    assert moved
    assert all("running_" in name and name.startswith("contour.") for name in moved)
    assert config == json.loads((out / "config.json").read_text())
    assert config["name"] == "clinic"
    assert config["adapted"]["from"] == "base 1.0"
    assert config["adapted"]["scans"] == 12
    assert config["calibration"] == {"slope": 2.0, "bias": 0.5, "n": 99, "valid": False}
    assert "do not hold" in (out / "card.md").read_text()
    assert "research only" in config["unlabelled"][0]["licence"]
    found = Predictor(out, "cpu", "torch").predict(read_scan(manifest.parent / "0.png"), gate=False)
    assert found.model == "clinic 1.0"
    with pytest.raises(DataError, match="another --out"):
        adapt([manifest], start, out, AdaptConfig())


def test_learning_from_its_own_contours_moves_the_weights(
    start: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, kept = tmp_path / "taught", tmp_path / "kept"
    how = AdaptConfig(epochs=1, samples=8, batch=4, mix=0.0, confidence=0.5, learning_rate=1e-2, ema=0.1)
    adapt([manifest], start, out, how)
    words = ["adapt", "--manifest", str(manifest), "--start", str(start), "--out", str(kept)]
    assert main([*words, "--epochs", "0", "--mix", "0"]) == 0
    assert "do not hold" in capsys.readouterr().out
    before, after, same = (load_checkpoint(f, every_class=True)[0].state_dict() for f in (start, out, kept))
    stem = "contour.encoder.model.conv_stem.weight"
    assert not torch.equal(before[stem], after[stem])
    for name, tensor in before.items():
        assert torch.equal(tensor, same[name])
        if name.startswith("verdict.") or "running_" in name:
            assert torch.equal(tensor, after[name])


def test_too_few_scans_and_settings_out_of_range(start: Path, manifest: Path, tmp_path: Path) -> None:
    lines = manifest.read_text().splitlines()[:4]
    few = manifest.parent / "few.csv"
    few.write_text("\n".join(lines))
    with pytest.raises(DataError, match="3 scans are too few"):
        adapt([few], start, tmp_path / "x", AdaptConfig())
    for wrong in ({"mix": 2}, {"confidence": 0.1}, {"epochs": -1}, {"style_mix": -0.1}):
        with pytest.raises(DataError, match=next(iter(wrong))):
            AdaptConfig(**wrong)
