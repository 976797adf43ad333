"""The commands ``evaluate`` and ``bench`` with a predictor of known answers in place of the weights."""

import csv
import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from nerve_core.cli import main
from nerve_core.inference.prediction import AFFECTED, Nerve, Prediction
from tests.evaluation.fakes import FakePredictor, disc, write_manifest

SHAPE = (96, 128)
CONTRACT = ["n", "groups", "dice_mean", "dice_ci95", "iou_mean", "hd95_px", "nsd", "detected"]
CONTRACT += ["accuracy", "precision", "recall", "specificity", "f1", "auc", "brier", "calibration_slope"]
CONTRACT += ["n_labelled"]


@pytest.fixture
def weights(monkeypatch):
    """Put a predictor in place of the shipped weights; call with the predictor."""

    def use(predictor) -> None:
        module = ModuleType("nerve_core.inference.predictor")
        module.get_predictor = lambda name=None: predictor
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return use


@pytest.fixture
def labelled_set(tmp_path):
    """Ten scans of five people, found exactly, the verdict wrong on the last one."""
    masks = {f"s{i}.png": disc(SHAPE, 40 + 3 * i, 48, 9 + i) for i in range(10)}
    rows = [
        {"image": name, "mask": "", "label": ["unaffected", "affected"][i % 2], "group": f"p{i // 2}"}
        for i, name in enumerate(masks)
    ]
    answers = {name: (masks[name], 0.9 if i % 2 else 0.2 + 0.02 * i) for i, name in enumerate(masks)}
    answers["s9.png"] = (masks["s9.png"], 0.05)
    return write_manifest(tmp_path / "set", rows, masks), FakePredictor(answers)


def test_evaluate_prints_the_contract_as_json_and_nothing_else(labelled_set, weights, capsys, tmp_path):
    manifest, predictor = labelled_set
    weights(predictor)
    table = tmp_path / "images.csv"
    status = main(["evaluate", "--manifest", str(manifest), "--json", "--per-image", str(table)])
    figures = json.loads(capsys.readouterr().out)
    assert status == 0
    assert set(CONTRACT) <= set(figures)
    assert figures["n"] == figures["n_labelled"] == 10 and figures["groups"] == 5
    assert figures["dice_mean"] == 1 and figures["accuracy"] == 0.9 and figures["recall"] == 0.8
    assert all(gate is False for _, _, gate in predictor.calls)
    with table.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 10 and {line["dice"] for line in lines} == {"1.000000"}
    assert [line["image"] for line in lines] == [f"s{i}.png" for i in range(10)]
    assert lines[0]["mask"] == "mask_s0.png" and list(lines[0])[:6] == [
        "image",
        "group",
        "dice",
        "p_affected",
        "verdict",
        "label",
    ]


def test_evaluate_prints_text(labelled_set, weights, capsys):
    manifest, predictor = labelled_set
    weights(predictor)
    assert main(["evaluate", "--manifest", str(manifest), "--click", "centre", "--limit", "4"]) == 0
    text = capsys.readouterr().out
    for word in ("fake 1", "4 scans", "at most 4", "Dice", "With one click", "Research use only"):
        assert word in text


def test_a_plain_folder_and_two_manifests_at_once(labelled_set, weights, capsys, tmp_path):
    manifest, predictor = labelled_set
    for name, label in (("a.png", "affected"), ("u.png", "unaffected")):
        folder = tmp_path / "plain" / label
        folder.mkdir(parents=True)
        (folder / name).write_bytes((manifest.parent / "s0.png").read_bytes())
        predictor.answers[name] = (disc(SHAPE, 60, 48, 9), 0.95)
    weights(predictor)
    table = tmp_path / "images.csv"
    words = [
        "evaluate",
        "--json",
        "--per-image",
        str(table),
        "--manifest",
        str(tmp_path / "plain"),
        str(manifest),
    ]
    assert main(words) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["n"], figures["n_contours"], figures["n_without_mask"]) == (12, 10, 2)
    with table.open(newline="") as file:
        images = [line["image"] for line in csv.DictReader(file)]
    assert images[:3] == ["affected/a.png", "unaffected/u.png", "s0.png"]


def test_the_split_of_the_project_is_used(labelled_set, weights, capsys):
    from nerve_core.data.manifest import read_manifest
    from nerve_core.data.splits import assign

    manifest, predictor = labelled_set
    weights(predictor)
    sides = assign(read_manifest(manifest))
    assert main(["evaluate", "--manifest", str(manifest), "--json", "--split", "train"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == sides.count("train") < 10


def test_a_missing_manifest_is_one_sentence_and_status_1(weights, capsys, tmp_path):
    weights(FakePredictor({}))
    assert main(["evaluate", "--manifest", str(tmp_path / "none.csv"), "--json"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1


def test_a_damaged_scan_is_named_and_gives_status_1(labelled_set, weights, capsys):
    manifest, predictor = labelled_set
    weights(predictor)
    (manifest.parent / "s3.png").write_bytes(b"not an image at all")
    assert main(["evaluate", "--manifest", str(manifest), "--json"]) == 1
    printed = capsys.readouterr()
    figures = json.loads(printed.out)
    assert figures["n"] == 9 and len(figures["errors"]) == 1
    assert figures["errors"][0]["image"] == "s3.png" and "s3.png" in printed.err


@pytest.mark.parametrize(
    "words", [["evaluate"], ["evaluate", "--manifest", "a", "--limit", "0"], ["bench", "--runs", "5"]]
)
def test_usage_errors(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2 and "usage" in capsys.readouterr().err


class Timed:
    """A predictor that states the time of its network."""

    name, version, device = "fake", "1", "cpu"
    preprocess = SimpleNamespace(size=256)

    def __init__(self, backend: str) -> None:
        self.backend = backend

    def predict(self, scan, click=None, *, gate=True):
        assert scan.pixels.shape == (512, 512)
        empty = np.zeros(scan.pixels.shape, np.uint8)
        timings = {"network": {"openvino": 8.0, "torch": 50.0}[self.backend], "verdict": 1.0}
        nerve = Nerve(np.zeros((3, 2), np.float32), (1.0, 1.0), 9.0, None, 1.0, 0.9)
        return Prediction(
            empty.astype(np.float32), empty, (nerve,), AFFECTED, 0.9, "fake 1", timings_ms=timings
        )


def test_bench_prints_the_contract(monkeypatch, capsys):
    loaded = []

    class Loader:
        @staticmethod
        def load(name=None, device=None, backend=None):
            loaded.append(backend)
            return Timed(backend or "openvino")

    module = ModuleType("nerve_core.inference.predictor")
    module.Predictor = Loader
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert main(["bench", "--json", "--threads", "1"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert loaded == [None, "torch"]
    assert (figures["size"], figures["threads"], figures["device"], figures["backend"]) == (
        256,
        1,
        "cpu",
        "openvino",
    )
    assert (figures["network_ms"], figures["eager_network_ms"]) == (9, 51)
    assert figures["path_ms"] > 0 and figures["eager_path_ms"] > 0 and figures["runs"] == 30
    assert figures["nerves"] == 1
    assert main(["bench"]) == 0
    assert "plain fp32 PyTorch" in capsys.readouterr().out
