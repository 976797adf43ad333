"""The verdict is calibrated on validation groups alone, through the predictor's own contours."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nerve_core.data.phantom import simulate
from nerve_core.evaluation.calibration import Judged, calibrate, cross_fitted
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import NerveNet, save_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "untrained"
    torch.manual_seed(0)
    config = {
        "name": "untrained",
        "version": "0",
        "architecture": "attention_unet_lite0",
        "preprocess": Preprocess(size=64).to_dict(),
        "split": {"val": [f"p{k}" for k in range(30)], "test": ["p30"]},
    }
    save_checkpoint(folder, NerveNet("attention_unet_lite0"), config)
    return folder


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    phantom = simulate(1, size=(96, 96))
    cv2.imwrite(str(tmp_path / "i.png"), phantom.image)
    cv2.imwrite(str(tmp_path / "m.png"), phantom.mask)
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "mask", "group", "simulated"])
        table.writerows(["i.png", "m.png", f"p{k}", int(k == 29)] for k in range(32))
    return tmp_path / "manifest.csv"


def test_slope_and_bias_recover_a_known_relation(
    checkpoint: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = np.ones((96, 96), np.uint8)
    rng = np.random.default_rng(0)
    seen: list[int] = []

    def logit(self: Predictor, pixels: np.ndarray, mask: np.ndarray) -> float:
        seen.append(1)
        sick = len(seen) % 2 == 1  # affected and healthy versions take turns
        return 5.0 + (1.0 if sick else -1.0) + rng.normal(0, 1)

    monkeypatch.setattr(Predictor, "find", lambda self, scan: [everywhere])
    monkeypatch.setattr(Predictor, "logit", logit)
    fitted = calibrate(checkpoint, [manifest])
    assert len(seen) == fitted["n"] == 58  # 29 real scans of the validation groups, twice each
    assert fitted["slope"] == pytest.approx(2.0, rel=0.6)
    assert -fitted["bias"] / fitted["slope"] == pytest.approx(5.0, abs=0.4)
    assert fitted["groups"] == 29 and 0 < fitted["cross_fitted"]["error"] < 0.5
    assert json.loads((checkpoint / "config.json").read_text())["calibration"] == fitted
    monkeypatch.setattr(Predictor, "logit", lambda self, pixels, mask: 5.0)
    calibrated = Predictor(checkpoint, "cpu", "torch").p_affected(everywhere, everywhere)
    assert calibrated == pytest.approx(0.5, abs=0.2)


def test_without_found_nerves_nothing_is_fitted(
    checkpoint: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Predictor, "find", lambda self, scan: [])
    assert calibrate(checkpoint, [manifest]) == {"slope": 1.0, "bias": 0.0, "n": 0, "groups": 0}


def many(noise: float, per_group: int = 4, groups: int = 200) -> Judged:
    """Logits three times too extreme, with an offset of each group."""
    rng = np.random.default_rng(1)
    names = np.repeat(np.arange(groups), per_group)
    logits = rng.normal(0, 2, len(names)) + rng.normal(0, noise, groups)[names]
    labels = (rng.random(len(names)) < 1 / (1 + np.exp(-logits))).astype(int)
    return Judged(3 * logits, labels, [str(name) for name in names])


def test_held_out_groups_are_calibrated() -> None:
    found = cross_fitted(many(0))
    assert found["slope"] == pytest.approx(1, abs=0.15) and found["intercept"] == pytest.approx(0, abs=0.15)
    assert found["error"] < 0.05 and 0 < found["brier"] < 0.2


def test_no_group_is_judged_by_a_fit_that_saw_it() -> None:
    """A logit that only names the group predicts nothing once that group is held out."""
    groups = [str(k) for k in range(20) for _ in range(4)]
    labels = np.array([k % 2 for k in range(20) for _ in range(4)])
    named = np.array([float(k) for k in range(20) for _ in range(4)])
    assert cross_fitted(Judged(named, labels, groups))["brier"] > 0.24
    assert cross_fitted(Judged(named[:4], labels[:4], groups[:4])) is None
