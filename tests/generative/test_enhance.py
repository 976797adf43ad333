"""Poor scans are poor as was asked for; enhancement keeps sizes and places, and can be learned."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nerve_core.cli import main
from nerve_core.data.manifest import read_manifest
from nerve_core.data.packed import Packed, pack
from nerve_core.data.phantom import simulate
from nerve_core.errors import DataError
from nerve_core.generative import run as runs
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.degrade import FAULTS, degrade
from nerve_core.generative.enhance import UNTOUCHED, Enhance, EnhanceSamples, enhance, similarity
from nerve_core.generative.translator import Translator

TINY = GenerateConfig(
    name="tiny", method="enhance", side=96, patch=64, width=8, blocks=1, critic=4, epochs=1, samples=4,
    batch=2, learning_rate=2e-3, threads=1,
)  # fmt: skip
WORST = (1.0, 1.0)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return simulate(3, site="groin", size=(96, 128)).image


def poor(picture: np.ndarray, fault: str, seed: int = 0) -> np.ndarray:
    return degrade(picture, np.random.default_rng(seed), [fault], WORST)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_spoils_the_scan_by_its_seed_and_moves_nothing(picture: np.ndarray, fault: str) -> None:
    spoilt = poor(picture, fault)
    assert spoilt.shape == picture.shape and spoilt.dtype == np.uint8
    assert (spoilt == poor(picture, fault)).all()
    assert cv2.PSNR(picture, spoilt) < 30
    shift, _ = cv2.phaseCorrelate(picture.astype(np.float64), spoilt.astype(np.float64))
    assert np.hypot(*shift) < 0.5


def test_each_fault_is_what_its_name_says(picture: np.ndarray) -> None:
    assert poor(picture, "low gain").mean() < 0.7 * picture.mean()
    assert poor(picture, "poor contrast").std() < 0.5 * picture.std()
    assert (poor(picture, "narrow range") == 0).mean() > (picture == 0).mean() + 0.2
    edges, grain = (
        np.abs(cv2.Laplacian(poor(picture, name), cv2.CV_64F)).mean() for name in ("blur", "speckle")
    )
    assert edges < 0.5 * np.abs(cv2.Laplacian(picture, cv2.CV_64F)).mean() < grain


def test_faults_are_drawn_where_none_is_named(picture: np.ndarray) -> None:
    drawn = [degrade(picture, np.random.default_rng(seed)) for seed in range(6)]
    assert len({one.tobytes() for one in drawn}) == 6


@pytest.mark.parametrize("shape", [(96, 128), (61, 47), (300, 203)])
def test_only_the_change_is_resampled(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(40, 200, shape).astype(np.uint8)

    class Brighter(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[2] % 4 == x.shape[3] % 4 == 0 and max(x.shape) <= 128
            return x + 20 / 127.5

    assert (enhance(Brighter(), image, 128) == image + 20).all()
    assert (enhance(torch.nn.Identity(), image, 128) == image).all()


def samples(count: int) -> EnhanceSamples:
    images = [simulate(seed, site="groin", size=(96, 96)).image for seed in range(3)]
    packed = Packed([{"image": str(k), "group": str(k), "set": "s"} for k in range(3)], images, images)
    return EnhanceSamples(packed, TINY, count)


def test_a_pair_shows_one_place_and_some_are_left_as_they_are() -> None:
    drawn = samples(64)
    pairs = [drawn[k] for k in range(64)]
    alike = [torch.equal(pair["poor"], pair["good"]) for pair in pairs]
    assert 0 < sum(alike) < 64 * 3 * UNTOUCHED
    seen = [pair for pair in pairs if min(part.std() for part in pair.values()) > 0.02]
    correlation = [np.corrcoef(pair["poor"].ravel(), pair["good"].ravel())[0, 1] for pair in seen]
    assert len(seen) > 32 and np.median(correlation) > 0.6
    assert all(torch.equal(samples(64)[5][name], pairs[5][name]) for name in ("poor", "good"))


def test_likeness_is_one_for_the_same_and_falls_with_noise() -> None:
    torch.manual_seed(0)
    picture = samples(1)[0]["good"][None]
    noisy = picture + 0.3 * torch.randn_like(picture)
    assert similarity(picture, picture).item() == pytest.approx(1, abs=1e-5)
    assert similarity(noisy, picture) < 0.95
    flat = torch.zeros_like(picture, requires_grad=True)
    similarity(flat, picture).backward()
    assert flat.grad.isfinite().all()


def test_the_network_learns_to_undo_low_gain() -> None:
    """A few steps of its own losses on dark pictures bring them nearer to what they were."""
    torch.manual_seed(0)
    module = Enhance(TINY)
    drawn = samples(4)
    good = torch.stack([drawn[k]["good"] for k in range(4)])
    batch = {"poor": (good - 0.3).clamp(min=-1), "good": good}
    optimiser = torch.optim.Adam(module.generator.parameters(), 3e-3)
    for _ in range(40):
        losses, judged = module.draw(batch)
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()
    ((name, real, fake),) = judged
    assert name == "pair" and real.shape == fake.shape == (4, 2, 64, 64)
    before, after = ((part - good).abs().mean() for part in (batch["poor"], module.generator(batch["poor"])))
    assert after < 0.5 * before


def test_it_is_trained_and_drawn_by_the_command(
    phantoms: Path,
    reals: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(runs, "CACHE", None)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(replace(TINY, method="one-sided").to_dict()))
    given = ["--manifest", str(reals), "--method", "enhance", "--licence", "open", "--config", str(config)]
    folder = tmp_path / "generator"
    assert main(["generate", "train", *given, "--out", str(folder)]) == 0
    grid = cv2.imread(str(tmp_path / "runs/tiny/grids/epoch-000.png"))
    assert grid.shape[1] == 3 * TINY.patch, "poor, enhanced, good"
    about = json.loads((folder / "config.json").read_text())
    assert about["config"]["method"] == "enhance" and [one["set"] for one in about["sets"]] == ["clinic"]
    assert (folder / "model.safetensors").stat().st_size < 3e6

    capsys.readouterr()
    made = ["--generator", str(folder), "--manifest", str(phantoms), "--out", str(tmp_path / "made")]
    assert main(["generate", "sample", *made]) == 0
    rows = read_manifest(Path(capsys.readouterr().out.strip()))
    assert len(rows) == 6 and {row["method"] for row in rows} == {"enhance"}
    assert all(row["generated"] == "1" for row in rows)
    for row, image, mask in zip(rows, pack(rows).images, pack(read_manifest(phantoms)).masks, strict=True):
        drawn = cv2.imread(row["mask"], cv2.IMREAD_GRAYSCALE)
        assert image.shape == mask.shape and ((drawn > 0) == (mask > 0)).all(), "contours stay"


def test_patches_too_small_for_three_scales_are_refused() -> None:
    with pytest.raises(DataError, match="48 or more"):
        replace(TINY, patch=32)


def test_what_ships_would_be_small() -> None:
    weights = sum(tensor.numel() for tensor in Translator(24, 4).state_dict().values())
    assert 2 * weights < 3e6
