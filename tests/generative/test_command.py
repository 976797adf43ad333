"""From manifests to a generator, to a set, to its scores; resumed, refused, and honest about licences."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nerve_core.cli import main
from nerve_core.data.manifest import is_open, is_simulated, read_manifest
from nerve_core.errors import CheckpointError, DataError
from nerve_core.generative import run as runs
from nerve_core.generative import sampling
from nerve_core.generative.checkpoint import load_generator
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.origin import origin_licence
from nerve_core.generative.run import drawable_rows, split_rows, train_generator
from nerve_core.generative.sampling import restyle, write_set

TINY = GenerateConfig(
    name="tiny", side=64, patch=32, width=4, blocks=1, critic=4, epochs=1, samples=4, batch=2, threads=1
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and packed sets go to a folder of the test."""
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(runs, "CACHE", None)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_generator(folder)[0].state_dict()


@pytest.mark.parametrize("method", ["one-sided", "cycle", "paint"])
def test_every_method_trains_and_draws(
    method: str, phantoms: Path, reals: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(replace(TINY, method=method, name=method).to_dict()))
    given = ["--manifest", str(phantoms), str(reals), "--licence", "open", "--config", str(config)]
    folder = tmp_path / "generator"
    assert main(["generate", "train", *given, "--out", str(folder)]) == 0
    home = tmp_path / "runs" / method
    assert cv2.imread(str(home / "grids" / "epoch-000.png")) is not None
    assert (home / "last.ckpt").exists()
    about = json.loads((folder / "config.json").read_text())
    assert about["config"]["method"] == method
    assert [one["set"] for one in about["sets"]] == ["clinic"] and about["sets"][0]["licence"] == "MIT"

    capsys.readouterr()
    sampled = ["--generator", str(folder), "--manifest", str(phantoms), "--out", str(tmp_path / "made")]
    assert main(["generate", "sample", *sampled, "--count", "3"]) == 0
    made = read_manifest(Path(capsys.readouterr().out.strip()))
    assert len(made) == 3
    side = TINY.patch if method == "paint" else TINY.side
    for row, source in zip(made, read_manifest(phantoms), strict=False):
        assert row["generated"] == "1" and is_simulated(row) and is_open(row)
        assert "MIT" in row["licence"] and "CC0" in row["licence"] and "clinic" in row["licence"]
        assert row["source"] == f"phantom phantoms/{Path(source['image']).name}"
        image, mask = (cv2.imread(row[name], cv2.IMREAD_GRAYSCALE) for name in ("image", "mask"))
        assert image.shape == mask.shape and max(image.shape) == side
        assert set(np.unique(mask)) == {0, 255}
        assert method == "paint" or row["label"] == source["label"]


def test_an_interrupted_run_goes_on_where_it_stood(
    phantoms: Path, reals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = replace(TINY, epochs=2)
    train_generator([phantoms, reals], two, "any", False, tmp_path / "whole")
    with pytest.raises(DataError, match="--resume"):
        train_generator([phantoms, reals], two, "any", False, tmp_path / "again")

    stopped = replace(two, name="stopped")
    original = runs.Redraw.on_train_epoch_start

    def killed(self: runs.Redraw, trainer: object, module: object) -> None:
        if trainer.current_epoch == 1:
            raise RuntimeError("killed")
        original(self, trainer, module)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
        patch.setattr(runs.Redraw, "on_train_epoch_start", killed)
        train_generator([phantoms, reals], stopped, "any", False, tmp_path / "resumed")
    assert not (tmp_path / "resumed").exists()
    train_generator([phantoms, reals], stopped, "any", True, tmp_path / "resumed")
    state = torch.load(tmp_path / "runs/stopped/last.ckpt", weights_only=False)
    assert state["epoch"] == 1 and state["global_step"] == 8  # two optimisers, two steps an epoch
    assert weights(tmp_path / "resumed").keys() == weights(tmp_path / "whole").keys()


def test_only_the_training_side_is_learned_from_and_drawn_from(phantoms: Path, reals: Path) -> None:
    rows = split_rows([reals, phantoms], "any")
    held_back = {row["image"] for row in rows if row["split"] != "train" and not is_simulated(row)}
    assert held_back
    assert held_back.isdisjoint(row["image"] for row in drawable_rows([reals, phantoms]))
    found = runs.description(rows, TINY)["sets"]
    assert found[0]["images"] == 30 - len(held_back)
    assert all(is_open(row) for row in split_rows([reals], "open"))


def test_what_is_missing_is_said(phantoms: Path, reals: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no real scans"):
        train_generator([phantoms], TINY, "any", False, tmp_path / "out")
    with pytest.raises(DataError, match="no phantoms"):
        train_generator([reals], TINY, "any", False, tmp_path / "out")
    with pytest.raises(CheckpointError, match="is missing"):
        load_generator(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="damaged"):
        load_generator(tmp_path)
    for wrong in ({"method": "magic"}, {"patch": 50}, {"batch": 0}, {"unknown": 1}):
        path = tmp_path / "wrong.json"
        path.write_text(json.dumps(wrong))
        with pytest.raises(DataError):
            GenerateConfig.from_file(path)


def test_a_licence_is_as_narrow_as_its_narrowest_source() -> None:
    learned = {"sets": [{"set": "a", "licence": "MIT"}, {"set": "b", "licence": "CC-BY-4.0; CC0-1.0"}]}
    free = origin_licence({"licence": "CC0-1.0"}, learned)
    assert is_open({"licence": free}) and "CC-BY-4.0" in free
    closed = {"sets": [*learned["sets"], {"set": "c", "licence": "not stated"}]}
    for row, about in (({"licence": "research only"}, learned), ({}, learned), ({"licence": "MIT"}, closed)):
        assert origin_licence(row, about).startswith("research only")


def test_a_set_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    about = {"config": {"method": "cycle"}, "sets": [{"set": "a", "licence": "MIT"}]}
    picture, row = np.zeros((32, 32), np.uint8), {"image": "x/1.png", "group": "1"}

    def broken():
        yield picture, picture, row
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        write_set(tmp_path / "made", broken(), about)
    assert not list(tmp_path.iterdir())
    write_set(tmp_path / "made", iter([(picture, picture, row)]), about)
    with pytest.raises(DataError, match="not empty"):
        write_set(tmp_path / "made", iter([]), about)


def test_sizes_that_do_not_divide_keep_their_size() -> None:
    picture = np.arange(33 * 47, dtype=np.uint32).reshape(33, 47).astype(np.uint8)
    assert (restyle(torch.nn.Identity(), picture) == picture).all()


def test_the_command_scores(
    reals: Path, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with phantoms.open() as file:
        rows = list(csv.DictReader(file))
    with (phantoms.parent / "generated.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, [*rows[0], "source"])
        table.writeheader()
        table.writerows(row | {"source": f"phantom phantoms/{row['image']}"} for row in rows)
    given = ["--generated", str(phantoms.parent / "generated.csv"), "--phantoms", str(phantoms)]
    out = tmp_path / "scores.json"
    assert main(["generate", "score", "--manifest", str(reals), *given, "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(out.read_text())
    assert "EfficientNet-Lite0" in found["extractor"]
    assert found["edge_correlation"]["least"] == pytest.approx(1)
    assert found["kid"]["real_train"]["mean"] < found["kid"]["generated"]["mean"]
    assert {one["kind"] for one in found["memorisation"]} == {"correlation", "features"}


def test_a_full_disk_leaves_no_half_written_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling.cv2, "imwrite", lambda *_: False)  # what OpenCV answers then
    picture = np.zeros((8, 8), np.uint8)
    with pytest.raises(DataError, match="make room on the disk"):
        sampling.write_set(tmp_path / "made", iter([(picture, picture, {})]), {})
    assert not list(tmp_path.iterdir())
