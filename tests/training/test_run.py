"""From a manifest to a checkpoint that predicts; a run that was cut short goes on where it stopped."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nerve_core.data.augment import Augment
from nerve_core.data.packed import Packed, pack, read_mask
from nerve_core.data.phantom import simulate
from nerve_core.errors import CheckpointError, DataError
from nerve_core.imaging.read import read_scan
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import NerveNet, save_checkpoint
from nerve_core.training import run as module
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.run import bare, copied_groups, train, training_rows, without_paths

SMALL = TrainConfig(
    name="small",
    size=64,
    final_size=64,
    workers=0,
    contour=Stage(epochs=2, samples=8, batch=4),
    verdict=Stage(epochs=1, samples=8, batch=4),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    return tmp_path


def epochs(folder: Path) -> list[int]:
    with next(folder.glob("**/metrics.csv")).open() as file:
        return [int(row["epoch"]) for row in csv.DictReader(file) if row.get("val/dice")]


def test_a_run_cut_short_resumes_and_ships_a_checkpoint(home: Path, manifest: Path) -> None:
    out = home / "weights"
    cut = replace(SMALL, contour=replace(SMALL.contour, epochs=1))
    assert not train([manifest], cut, "any", "contour", False, out, "1.0")
    assert not out.exists()
    assert train([manifest], SMALL, "any", "all", True, out, "1.0")
    stored = torch.load(home / "runs/small/contour/last.ckpt", weights_only=False)
    assert stored["epoch"] == 1
    assert stored["global_step"] == 4
    config = json.loads((out / "config.json").read_text())
    assert config["sites"] == ["wrist"]
    assert config["epochs"]["contour"] in (1, 2)
    assert config["epochs"]["verdict"] == 1
    assert config["split"]["test"]
    assert sum(config["sets"][0][side] for side in ("train", "val", "test")) == 12
    predictor = Predictor(out, "cpu", "torch")
    assert predictor.predict(read_scan(manifest.parent / "0.png"), gate=False).model == "small 1.0"


def test_a_run_may_start_from_a_checkpoint(home: Path, manifest: Path) -> None:
    folder = home / "base"
    torch.manual_seed(3)
    model = NerveNet("attention_unet_lite0")
    sets = [{"set": "closed", "licence": "research only"}]
    save_checkpoint(folder, model, {"architecture": "attention_unet_lite0", "sets": sets})
    fresh = NerveNet("attention_unet_lite0")
    module.begin(fresh.contour, str(folder), "contour")
    for name, tensor in model.contour.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(fresh.contour.state_dict()[name], tensor.half().float())
    with pytest.raises(DataError, match="not open"):
        train([manifest], replace(SMALL, start=str(folder)), "open", "contour", False, home / "w", "1.0")
    with pytest.raises(CheckpointError, match="not complete"):
        train([manifest], replace(SMALL, start=str(home)), "any", "contour", False, home / "w", "1.0")


def test_a_finished_run_is_not_overwritten(home: Path, manifest: Path) -> None:
    last = home / "runs/small/contour/last.ckpt"
    last.parent.mkdir(parents=True)
    last.touch()
    with pytest.raises(DataError, match="--resume"):
        train([manifest], SMALL, "any", "contour", False, home / "weights", "1.0")


def test_only_open_licences(manifest: Path) -> None:
    rows = training_rows([manifest], "open", ())
    assert len(rows) == 6
    assert {row["licence"] for row in rows} == {"CC0-1.0"}
    every = {row["group"]: row["split"] for row in training_rows([manifest], "any", ())}
    assert all(row["split"] == every[row["group"]] for row in rows)


def test_nothing_left_to_train_on(manifest: Path) -> None:
    with pytest.raises(DataError, match="--licence any"):
        training_rows([manifest], "open", (manifest.parent.name,))


def test_packing_reads_every_row_and_its_copy_on_disk_is_the_same(tmp_path: Path, manifest: Path) -> None:
    rows = training_rows([manifest], "any", ())
    fresh, stored, again = pack(rows), pack(rows, tmp_path), pack(rows, tmp_path)
    assert len(fresh) == 12
    for one, two, three in zip(fresh.images, stored.images, again.images, strict=True):
        assert (one == two).all()
        assert (two == three).all()
    assert all(mask.max() == 1 for mask in again.masks)


def test_a_mask_of_another_size_is_named(manifest: Path) -> None:
    with pytest.raises(DataError, match="The mask 0-mask"):
        read_mask(manifest.parent / "0-mask.png", (10, 10))


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "not valid"), ('{"sise": 3}', "sise"), ('{"click_share": 0.9}', "click_share")],
)
def test_bad_configs_are_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        TrainConfig.from_file(path)


def test_shipped_configs_are_valid() -> None:
    folder = Path(module.__file__).parent / "configs"
    assert {TrainConfig.from_file(path).name for path in folder.glob("*.json")} == {"research", "open"}


def rows_of(folder: Path, name: str, count: int, **columns: str) -> Path:
    """A manifest of further scans of the fixture's kind, in a folder of its own."""
    target = folder / name
    target.mkdir()
    lines = ["image,mask,label,group,licence," + ",".join(columns)]
    for seed in range(count):
        phantom = simulate(100 + seed, site="wrist", size=(96, 96))
        cv2.imwrite(str(target / f"{seed}.png"), phantom.image)
        single = (cv2.connectedComponents(phantom.mask)[1] == 1) * np.uint8(255)
        cv2.imwrite(str(target / f"{seed}-mask.png"), single)
        label = ("affected", "unaffected")[seed % 2]
        values = ",".join(columns.values())
        lines.append(f"{seed}.png,{seed}-mask.png,{label},{name}{seed},CC0-1.0,{values}")
    (target / "manifest.csv").write_text("\n".join(lines))
    return target / "manifest.csv"


def test_scans_without_contours_teach_too(home: Path, manifest: Path) -> None:
    free, drawn = rows_of(home, "free", 6), rows_of(home, "drawn", 6, generated="1")
    config = replace(
        SMALL,
        name="semi",
        consistency=0.5,
        consistency_ramp=0.0,
        unlabelled=(str(free),),
        balance="set",
        generated_share=0.5,
        affected_share=0.4,
        verdict_loss="weighted",
        loss="dice+focal",
        augment=Augment(style_mix=0.5),
        contour=Stage(epochs=1, samples=8, batch=4),
    )
    out = home / "weights"
    assert train([manifest, drawn], config, "any", "all", False, out, "1.0")
    with next((home / "runs/semi/contour").glob("**/metrics.csv")).open() as file:
        logged = [row["train/consistency"] for row in csv.DictReader(file) if row["train/consistency"]]
    assert logged
    config = json.loads((out / "config.json").read_text())
    assert config["unlabelled"] == [
        {"set": "free", "train": 6, "val": 0, "test": 0, "groups": 6, "licence": "CC0-1.0"}
    ]
    assert config["training"]["unlabelled"] == ["free"]
    assert str(home) not in json.dumps(config)
    drawn_from = {one["set"]: one for one in config["sets"]}
    assert (drawn_from["drawn"]["train"], drawn_from["drawn"]["test"]) == (6, 0)
    assert config["sites"] == ["wrist"]


def test_consistency_and_generated_nerves_need_scans(home: Path, manifest: Path) -> None:
    with pytest.raises(DataError, match="name manifests under unlabelled"):
        train([manifest], replace(SMALL, consistency=1.0), "any", "contour", False, home / "w", "1.0")
    with pytest.raises(DataError, match="generated_share needs"):
        train([manifest], replace(SMALL, generated_share=0.2), "any", "verdict", False, home / "w", "1.0")


def test_what_is_held_back_stays_so_without_its_contour_too(manifest: Path) -> None:
    rows = training_rows([manifest], "any", ())
    held = next(row for row in rows if row["split"] == "test")
    fresh = {"image": "new.png", "mask": "m.png", "set": held["set"], "group": "new"}
    sibling = fresh | {"image": "other.png", "group": held["group"]}
    assert bare([held, sibling, fresh], rows) == [fresh | {"mask": "", "mask_vessel": "", "split": "train"}]


def test_paths_of_this_machine_stay_out_of_the_checkpoint() -> None:
    config = TrainConfig(start="/a/b/research", unlabelled=("/a/free/manifest.csv", "/a/more.csv"))
    assert without_paths(config) == {
        "start": "research",
        "start_encoder": "",
        "unlabelled": ["free", "more"],
    }


def test_groups_whose_copy_is_trained_on_join_the_training() -> None:
    rng = np.random.default_rng(0)
    images = [cv2.resize(rng.integers(0, 255, (8, 8), dtype=np.uint8), (96, 96)) for _ in range(4)]
    images.append(cv2.GaussianBlur(images[0], (0, 0), 0.6))  # a copy of the first, of the group g2
    images.append(cv2.GaussianBlur(images[2], (0, 0), 0.6))  # a copy of one of g2, which joined just before
    groups = ["g0", "g1", "g2", "g3", "g2", "g5"]
    sides = ["train", "val", "test", "test", "test", "val"]
    rows = [{"set": "s", "group": g, "split": side} for g, side in zip(groups, sides, strict=True)]
    assert copied_groups(Packed(rows, images, images)) == {("s", "g2"), ("s", "g5")}
