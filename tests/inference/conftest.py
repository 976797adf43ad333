"""A real predictor of untrained weights: what it says means nothing, how it says it must hold."""

from pathlib import Path

import pytest
import torch

from nerve_core.imaging.preprocess import Preprocess
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import NerveNet, save_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "untrained"
    torch.manual_seed(0)
    model = NerveNet("attention_unet_lite0", pretrained=True)
    # Raised by a constant, so that an untrained map crosses the threshold somewhere.
    torch.nn.init.constant_(model.contour.segmentation_head[0].bias, 0.5)
    config = {"name": "untrained", "version": "0", "architecture": "attention_unet_lite0"}
    save_checkpoint(folder, model, {**config, "preprocess": Preprocess(size=128).to_dict()})
    return folder


@pytest.fixture(scope="session", params=["torch", "openvino"])
def predictor(checkpoint: Path, request: pytest.FixtureRequest) -> Predictor:
    return Predictor(checkpoint, "cpu", request.param)
