"""Drawn scans with one dark ellipse each, and a prior learned from those on the training side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.classifiers import PixelModels
from nerve_core.evaluation.classical.learn import fit_pixel_models, fit_prior
from nerve_core.evaluation.classical.registry import CONTOUR_METHODS
from nerve_core.imaging.scan import Scan

SHAPE = (150, 200)


def drawn(
    seed: int, shape: tuple[int, int] = SHAPE, at: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A speckled picture with a dark ellipse near its middle, or at a share (x, y) of its sides.

    Returns:
        The picture, uint8 (H, W), and the ellipse, 0/255.
    """
    rng = np.random.default_rng(seed)
    height, width = shape
    mask = np.zeros(shape, np.uint8)
    x, y = (float(rng.uniform(0.4, 0.6)) * side for side in (width, height))
    if at is not None:
        x, y = at[0] * width, at[1] * height
    radius = rng.uniform(0.1, 0.13) * height
    axes = (round(1.3 * radius), round(radius))
    cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 255, cv2.FILLED)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 1.0)
    speckle = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 1.2)
    grey = 150 - 90 * soft + 18 * speckle / speckle.std()
    return np.clip(grey, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Ten training rows, four for validation and two for the test that nothing may read."""
    folder = tmp_path_factory.mktemp("drawn")
    found = []
    for number in range(16):
        picture, mask = drawn(number)
        row = {"set": "drawn", "group": f"g{number}", "site": "", "label": ""}
        for column, content in (("image", picture), ("mask", mask)):
            path = folder / f"{column}-{number}.png"
            cv2.imwrite(str(path), content)
            row[column] = str(path)
        row["split"] = "train" if number < 10 else "val" if number < 14 else "test"
        found.append(row)
    return found


@pytest.fixture(scope="session")
def prior(rows: list[dict[str, str]]) -> Prior:
    return fit_prior(rows, read=plain)


@pytest.fixture(scope="session")
def models(rows: list[dict[str, str]], prior: Prior) -> dict[str, PixelModels]:
    learning = [name for name, entry in CONTOUR_METHODS.items() if entry.learns]
    return {name: fit_pixel_models(name, rows, prior, read=plain) for name in learning}


def plain(path: str) -> Scan:
    """The picture as it is, without looking for an ultrasound region."""
    return Scan(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), name=Path(path).name)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of untrained weights."""
    import torch

    from nerve_core.imaging.preprocess import Preprocess
    from nerve_core.models.checkpoint import NerveNet, save_checkpoint

    folder = tmp_path_factory.mktemp("weights") / "untrained"
    torch.manual_seed(0)
    config = {"name": "untrained", "version": "0", "architecture": "attention_unet_lite0"}
    save_checkpoint(
        folder, NerveNet("attention_unet_lite0"), {**config, "preprocess": Preprocess(size=64).to_dict()}
    )
    return folder


class SoftNetwork:
    """A network that sees the dark ellipse, blurred and with a false spot in a corner."""

    name, version = "soft", "1"

    def predict(self, scan: Scan, click=None, preprocess=None, gate: bool = True):
        from nerve_core.inference.prediction import NO_NERVE, Prediction

        dark = cv2.GaussianBlur((110.0 - scan.pixels.astype(np.float32)) / 12, (0, 0), 4)
        probability = (1 / (1 + np.exp(-dark))).astype(np.float32)
        probability[:4, :4] = 0.9
        blank = np.zeros(scan.pixels.shape, np.uint8)
        return Prediction(probability, blank, (), NO_NERVE, None, "soft 1")
