"""Exports are kept when they lose too little to matter, and the rest of the folder stays as it was."""

import json
from pathlib import Path

import pytest

from nerve_core.errors import DataError
from nerve_core.evaluation import export as module
from nerve_core.evaluation.export import Quality, export
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.inference.exports import CHECKS, FOLDER, checks, digest

BASE = Quality(0.7, 0.8, 0.93, 50, 100)


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")

    class Weights:
        """Stands for a predictor; what it would reach is looked up by its backend."""

        preprocess = Preprocess(size=32)

        def __init__(self, folder: Path, device: str, backend: str) -> None:
            self.backend = backend

    def write(network: object, examples: object, stem: Path, inputs: object) -> None:
        stem.with_name(f"{stem.name}-int8.xml").write_text("file")

    rows = [{"mask": "m", "image": "i", "group": "g", "simulated": ""}]
    monkeypatch.setattr(module, "load_checkpoint", lambda folder: (None, {}))
    monkeypatch.setattr(module, "Predictor", Weights)
    monkeypatch.setattr(module, "read_rows", lambda manifests: rows)
    monkeypatch.setattr(module, "chosen", lambda rows, **how: rows)
    monkeypatch.setattr(module, "calibration_inputs", lambda predictor, rows: [])
    monkeypatch.setattr(module, "networks", lambda model, size: ((None, ()), (None, ())))
    monkeypatch.setitem(module.EXPORTS, "openvino-int8", (write,))
    monkeypatch.setattr(module, "EIGHT_BITS", ())
    return folder


def reaching(monkeypatch: pytest.MonkeyPatch, **found: Quality) -> None:
    known = {"openvino": BASE} | {name.replace("_", "-"): each for name, each in found.items()}
    monkeypatch.setattr(module, "quality", lambda predictor, rows, manifests: known[predictor.backend])


def test_the_larger_of_both_dice_losses_counts() -> None:
    assert BASE.loss(Quality(0.699, 0.79, 0.9275, 50, 100)) == {"dice_loss": 0.01, "auc_loss": 0.0025}


@pytest.mark.parametrize(
    ("quality", "passed"),
    [
        (Quality(0.695, 0.795, 0.927, 50, 100), True),
        (Quality(0.7, 0.794, 0.93, 50, 100), False),
        (Quality(0.7, 0.8, 0.9265, 50, 100), False),
    ],
)
def test_only_what_loses_little_enough_is_kept(
    quality: Quality, passed: bool, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaching(monkeypatch, openvino_int8=quality)
    found = export(checkpoint, ["m.csv"], ["openvino-int8"])
    assert found["openvino-int8"]["passed"] is passed
    assert checks(checkpoint)["openvino-int8"]["passed"] is passed
    assert (checkpoint / FOLDER / "contour-int8.xml").exists() is passed
    assert sorted(path.name for path in checkpoint.parent.iterdir()) == ["own"]


def test_checks_of_the_same_weights_stay_and_those_of_others_go(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaching(monkeypatch, openvino_int8=BASE, openvino_half=BASE)
    export(checkpoint, ["m.csv"], ["openvino-int8"])
    export(checkpoint, ["m.csv"], ["openvino-half"])
    assert set(checks(checkpoint)) == {"openvino-int8", "openvino-half"}
    assert (checkpoint / FOLDER / "verdict-int8.xml").exists()
    (checkpoint / "model.safetensors").write_bytes(b"others")
    export(checkpoint, ["m.csv"], ["openvino-half"])
    assert set(checks(checkpoint)) == {"openvino-half"}
    assert not (checkpoint / FOLDER / "verdict-int8.xml").exists()
    assert json.loads((checkpoint / FOLDER / CHECKS).read_text())["weights"] == digest(checkpoint)


def test_a_failure_leaves_what_was_there(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reaching(monkeypatch, openvino_int8=BASE)
    export(checkpoint, ["m.csv"], ["openvino-int8"])
    before = {path.name: path.read_bytes() for path in (checkpoint / FOLDER).iterdir()}

    def full(network: object, examples: object, stem: Path, inputs: object) -> None:
        stem.with_name("half-written").write_text("x")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(module.EXPORTS, "openvino-int8", (full,))
    with pytest.raises(DataError, match=r"No space left on device.*unchanged"):
        export(checkpoint, ["m.csv"], ["openvino-int8"])
    assert {path.name: path.read_bytes() for path in (checkpoint / FOLDER).iterdir()} == before
    assert sorted(path.name for path in checkpoint.parent.iterdir()) == ["own"]


def test_an_unknown_export_is_named(checkpoint: Path) -> None:
    with pytest.raises(DataError, match="no export for 'tpu'"):
        export(checkpoint, ["m.csv"], ["tpu"])
