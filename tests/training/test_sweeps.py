"""From sweeps on disk to a checkpoint over frames; a run that was cut short goes on where it stopped."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nerve_core.data.augment import Augment
from nerve_core.data.packed import Packed, pack
from nerve_core.data.phantom import simulate_sweep
from nerve_core.data.phantom_dicom import save_dicom, save_masks
from nerve_core.errors import DataError
from nerve_core.models.checkpoint import load_sweep_network
from nerve_core.training import run
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.sweeps import SweepSamples, SweepTruth, overlap, sweeps_of, to_stack, train_sweeps

SIDE = 64
SMALL = TrainConfig(
    name="small",
    architecture="unet3d",
    size=SIDE,
    final_size=SIDE,
    workers=0,
    augment=Augment.minimal(),
    contour=Stage(epochs=1, samples=4, batch=2),
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweeps")
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "mask", "label", "group", "site", "licence", "simulated"])
        for seed in range(8):
            frames = simulate_sweep(seed, frames=3, step_mm=0.8, site="wrist", size=(96, 96))
            save_dicom(folder / f"{seed}.dcm", frames)
            save_masks(folder / f"{seed}.tif", [frame.mask for frame in frames])
            table.writerow([f"{seed}.dcm", f"{seed}.tif", "unaffected", f"p{seed}", "wrist", "CC0-1.0", "1"])
    return folder / "manifest.csv"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(run, "CACHE", tmp_path / "cache")
    return tmp_path


def row(image: str, frame: str = "") -> dict[str, str]:
    return {"image": image, "mask": "m", "set": "s", "group": image, "frame": frame}


def made(*rows: dict[str, str]) -> Packed:
    """Frames whose nerve moves down by four rows each."""
    images, masks = [], []
    for k, _ in enumerate(rows):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[4 * k + 8 : 4 * k + 20, 20:40] = 1
        masks.append(mask)
        images.append(np.random.default_rng(k).integers(0, 200, mask.shape).astype(np.uint8))
    return Packed(list(rows), images, masks)


def test_frames_are_put_in_order_and_single_scans_left_out() -> None:
    packed = made(row("a", "10"), row("b"), row("a", "9"), row("c", "0"), row("a", "2"))
    assert sweeps_of(packed) == [[4, 2, 0]]


def test_frames_are_moved_and_repainted_alike() -> None:
    packed = made(*(row("a", str(k)) for k in range(4)))
    same = Packed(packed.rows, packed.images[:1] * 4, packed.masks[:1] * 4)
    how = replace(Augment(), elastic=1.0, photometric=1.0)
    inputs, target = to_stack(same, [0, 1, 2, 3], SIDE, np.random.default_rng(5), how, False)
    assert inputs.shape == (2, 4, SIDE, SIDE)
    assert target.shape == (1, 4, SIDE, SIDE)
    for k in (1, 2, 3):
        assert torch.equal(inputs[:, k], inputs[:, 0])
        assert torch.equal(target[:, k], target[:, 0])


def test_without_changes_targets_are_the_masks_and_one_frame_is_clicked() -> None:
    packed = made(*(row("a", str(k)) for k in range(4)))
    inputs, target = to_stack(packed, [0, 1, 2, 3], SIDE, np.random.default_rng(0), None, True)
    assert torch.equal(target[0], torch.from_numpy(np.stack(packed.masks).astype(np.float32)))
    clicked = inputs[1].flatten(1).amax(1) > 0
    assert clicked.tolist() == [False, False, True, False]
    place = np.unravel_index(int(inputs[1, 2].argmax()), (SIDE, SIDE))
    assert packed.masks[2][place] == 1
    assert (to_stack(packed, [0, 1], SIDE, np.random.default_rng(0), None, False)[0][1] == 0).all()


def test_samples_are_neighbours_and_drawn_anew_every_epoch() -> None:
    packed = made(*(row("a", str(k)) for k in range(6)))
    samples = SweepSamples(packed, SIDE, 20, 3, Augment.none(), seed=1)
    starts = set()
    for k in range(20):
        tops = [int(frame.any(1).nonzero()[0]) for frame in samples[k][1][0]]
        assert np.abs(np.diff(tops)).tolist() == [4, 4]
        assert len(set(np.sign(np.diff(tops)))) == 1
        starts.add((tops[0], tops[-1]))
    assert len(starts) > 4
    first = samples[0][0]
    assert torch.equal(first, samples[0][0])
    samples.epoch = 1
    assert any(not torch.equal(samples[k][0], first) for k in range(3))
    short = SweepSamples(packed.select([True, True, *[False] * 4]), SIDE, 1, 4, Augment.none())
    assert short[0][0].shape[1] == 4


def test_dice_is_of_whole_sweeps() -> None:
    target = torch.zeros(3, 1, 2, 4, 4)
    target[:2, :, 0, :2] = 1
    logits = target * 2 - 1
    logits[1, :, 1, :2] = 1  # as much again where there is nothing
    assert overlap(logits, target).tolist() == pytest.approx([1, 2 / 3, 1])


def test_a_run_cut_short_resumes_and_leaves_a_checkpoint(home: Path, manifest: Path) -> None:
    out = home / "weights"
    train_sweeps([manifest], SMALL, out, frames=2)
    with pytest.raises(DataError, match="resume it"):
        train_sweeps([manifest], SMALL, out, frames=2)
    longer = replace(SMALL, contour=replace(SMALL.contour, epochs=2))
    config = train_sweeps([manifest], longer, out, frames=2, resume=True)
    assert torch.load(home / "runs/small/sweeps/last.ckpt", weights_only=False)["global_step"] == 4
    assert sum(config["sweeps"].values()) == 8
    assert config["test"]["n"] == config["sweeps"]["test"] > 0
    assert 0 <= config["test"]["dice"] <= 1
    model, same = load_sweep_network(out)
    assert same == config
    inputs, target = SweepTruth(pack(run.training_rows([manifest], "any", ())), SIDE, click=True)[0]
    with torch.inference_mode():
        assert model(inputs[None]).shape == target[None].shape


def test_what_cannot_be_trained_is_named(home: Path, manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no network over sweeps"):
        train_sweeps([manifest], replace(SMALL, architecture="unet"), tmp_path)
    with pytest.raises(DataError, match="at least 2 frames"):
        train_sweeps([manifest], SMALL, tmp_path, frames=1)
    lines = manifest.read_text().splitlines()[:2]
    few = manifest.parent / "few.csv"
    few.write_text("\n".join(lines))
    with pytest.raises(DataError, match="Too few sweeps"):
        train_sweeps([few], SMALL, tmp_path)
