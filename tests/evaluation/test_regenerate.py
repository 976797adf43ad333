"""The script that regenerates a checkpoint's figures, with a predictor of known answers."""

import csv
import json
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from benchmarks import regenerate
from nerve_core.errors import DataError
from tests.evaluation.fakes import FakePredictor, disc, write_manifest

SHAPE = (96, 128)


class FindsEverything(FakePredictor):
    """Finds a disc in the middle of whatever it is given; calls it affected by the file's name."""

    def __init__(self) -> None:
        super().__init__({})

    def predict(self, scan, click=None, preprocess=None, gate=True):
        self.answers[scan.name] = (disc(SHAPE, 64, 48, 12), 0.9 if scan.name.startswith("affected") else 0.1)
        return super().predict(scan, click, preprocess, gate)


def fake_pathology(manifest: Path, out: Path, seed: int) -> Path:
    """Original, sham and affected copy of each row, images unchanged."""
    with Path(manifest).open(newline="") as file:
        sources = list(csv.DictReader(file))
    out.mkdir()
    rows = []
    for source in sources:
        assert not Path(source["image"]).is_absolute() and ".." not in source["image"]
        for part in ("original", "sham", "affected"):
            name = f"{part}_{Path(source['image']).name}"
            (out / name).write_bytes((manifest.parent / source["image"]).read_bytes())
            rows.append(
                {
                    "image": name,
                    "mask": str(manifest.parent / source["mask"]),
                    "label": "affected" if part == "affected" else "unaffected",
                    "kind": "swelling" if part == "affected" else "",
                    "severity": "0.8" if part == "affected" else "0",
                    "sham": str(int(part == "sham")),
                    "group": source["group"],
                    "source_image": source["image"],
                }
            )
    with (out / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return out / "manifest.csv"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Two sets with contours and one without."""
    module = ModuleType("nerve_core.data.pathology.export")
    module.write_pathology_set = fake_pathology
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for name in ("neck", "wrist"):
        masks = {f"{name}{i}.png": disc(SHAPE, 64, 48, 12) for i in range(20)}
        rows = [
            {"image": image, "mask": "", "label": "", "group": f"{name}-{i}"} for i, image in enumerate(masks)
        ]
        write_manifest(tmp_path / "data" / name, rows, masks)
    muscle = tmp_path / "data" / "muscle"
    muscle.mkdir()
    rng = np.random.default_rng(0)
    lines = ["image,mask,label,group"]
    for i in range(10):
        cv2.imwrite(str(muscle / f"m{i}.png"), rng.integers(1, 200, SHAPE).astype(np.uint8))
        lines.append(f"m{i}.png,,,r{i}")
    (muscle / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "data"


def test_every_part_is_measured(data):
    metrics = regenerate.measure(regenerate.sets_in(data), FindsEverything(), split="all", limit=10)
    assert metrics["errors"] == [] and metrics["limit"] == 10
    assert set(metrics["contours"]) == {"neck", "wrist"}
    neck = metrics["contours"]["neck"]
    assert (neck["n"], neck["groups"], neck["dice_mean"]) == (10, 10, 1)
    assert neck["click"]["dice_mean"] == neck["click"]["pointed"]["dice_mean"] == 1
    assert metrics["out_of_scope"] == {"muscle": {"n": 10, "nerve_found": 10}}
    assert set(metrics["verdict"]) == {"neck", "wrist", "all"}
    everything = metrics["verdict"]["all"]
    assert everything["headline"]["auc"]["value"] == 1 and everything["headline"]["auc"]["n"] == 60
    assert everything["headline"]["specificity_shams"]["n"] == 20
    assert everything["overall"]["n_labelled"] == 60


def test_verdict_sets_can_be_chosen(data):
    metrics = regenerate.measure(
        regenerate.sets_in(data), FindsEverything(), split="all", limit=4, verdict_sets=["neck"]
    )
    assert set(metrics["verdict"]) == {"neck", "all"}
    assert set(metrics["contours"]) == {"neck", "wrist"}
    with pytest.raises(DataError, match="'elbow'"):
        regenerate.measure(regenerate.sets_in(data), FindsEverything(), verdict_sets=["elbow"])


def test_the_test_side_of_the_split_is_judged_by_default(data):
    metrics = regenerate.measure(regenerate.sets_in(data), FindsEverything(), verdict_sets=[])
    assert 0 < metrics["contours"]["neck"]["n"] < 20
    assert metrics["verdict"] == {}


def test_the_file_is_written_and_keeps_what_others_measured(data, tmp_path, monkeypatch, capsys):
    predictor = FindsEverything()
    module = ModuleType("nerve_core.inference.predictor")
    module.get_predictor = lambda name=None: predictor
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(regenerate, "bench", lambda *args, **named: {"path_ms": 1.0})
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    target = tmp_path / "checkpoints" / "fake" / "metrics.json"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps({"leave_one_set_out": {"neck": {"dice_mean": 0.5}}, "version": "0"}))
    (tmp_path / "checkpoints" / "speckle_leak.json").write_text('{"auc": 0.55}')
    assert regenerate.main(["--data", str(data), "--split", "all", "--limit", "4"]) == 0
    metrics = json.loads(target.read_text())
    assert metrics["leave_one_set_out"] == {"neck": {"dice_mean": 0.5}} and metrics["version"] == "1"
    assert metrics["speckle_leak"] == {"auc": 0.55} and metrics["bench"] == {"path_ms": 1.0}
    assert metrics["regenerate"] == "python -m benchmarks.regenerate --data DIR --split all --limit 4"
    assert str(tmp_path) not in target.read_text()
    assert [path.name for path in target.parent.iterdir()] == ["metrics.json"]


def test_a_folder_without_sets_says_so(tmp_path):
    with pytest.raises(DataError, match=r"manifest\.csv"):
        regenerate.sets_in(tmp_path)
