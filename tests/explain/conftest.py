"""Untrained weights and a scan with a nerve: what is explained in these tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nerve_core.explain.judge import Judge
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.models.checkpoint import NerveNet, save_checkpoint

SHAPE = (150, 190)


def weights(folder: Path, verdict: str) -> Path:
    torch.manual_seed(0)
    model = NerveNet("attention_unet_lite0", verdict=verdict)
    config = {
        "name": "untrained",
        "version": "0",
        "architecture": "attention_unet_lite0",
        "verdict_architecture": verdict,
        "preprocess": Preprocess(size=96).to_dict(),
    }
    save_checkpoint(folder, model, config)
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights(tmp_path_factory.mktemp("weights"), "nerve_pooled_pair")


@pytest.fixture(scope="session")
def judge(folder: Path) -> Judge:
    return Judge(folder)


def scan(seed: int = 0) -> np.ndarray:
    """Speckle, uint8 (150, 190), with a brighter nerve."""
    noise = np.random.default_rng(seed).normal(80, 30, SHAPE)
    noise[nerve(seed) > 0] += 60
    return cv2.GaussianBlur(noise.clip(5, 250).astype(np.uint8), (0, 0), 1.0)


def nerve(seed: int = 0) -> np.ndarray:
    """An ellipse, uint8 0/1 (150, 190)."""
    return cv2.ellipse(np.zeros(SHAPE, np.uint8), (90 + 2 * seed, 70), (34, 20), 10, 0, 360, 1, -1)
