"""Other engines: what they answer, which of them may be used, and what is said of those that may not."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nerve_core.errors import CheckpointError, DataError
from nerve_core.inference import exports
from nerve_core.inference.backends import BACKENDS, EXACT, best_backend, supported
from nerve_core.inference.export import EXPORTS, write_onnx, write_openvino_int8
from nerve_core.inference.exports import CHECKS, FOLDER, check_backend, checks, choose, digest, networks
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import load_checkpoint


class Small(nn.Module):
    """Two answers, as the contour network gives."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(2, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = torch.relu(self.first(inputs))
        return self.second(features), features.mean((2, 3))


EXAMPLES = (torch.zeros(1, 2, 32, 32),)


def inputs(count: int = 8) -> list[tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((1, 2, 32, 32)).astype(np.float32),) for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "within"), [("openvino-half", 0.05), ("openvino-int8", 0.1), ("onnx", 1e-4)]
)
def test_every_engine_gives_both_answers_of_the_network(name: str, within: float, tmp_path: Path) -> None:
    model, stem = Small().eval(), tmp_path / "contour"
    for write in EXPORTS[name]:
        write(model, EXAMPLES, stem, inputs())
    engine = BACKENDS[name](model, EXAMPLES, "cpu", stem)
    exact = BACKENDS["torch"](model, EXAMPLES, "cpu", stem)
    for arrays in inputs(3):
        for answer, wanted in zip(engine(*arrays), exact(*arrays), strict=True):
            assert answer.shape == wanted.shape and answer.dtype == np.float32
            assert np.abs(answer - wanted).max() <= within * np.abs(wanted).max()


def test_the_verdict_network_sees_crop_and_mask_in_onnx(checkpoint: Path, tmp_path: Path) -> None:
    model, _ = load_checkpoint(checkpoint)
    _, (verdict, examples) = networks(model, 128)
    write_onnx(verdict, examples, tmp_path / "verdict", [])
    rng = np.random.default_rng(1)
    crops, masks = (rng.random(example.shape).astype(np.float32) for example in examples)
    wanted = BACKENDS["torch"](verdict, examples, "cpu")(crops, masks)
    answer = BACKENDS["onnx"](verdict, examples, "cpu", tmp_path / "verdict")(crops, masks)
    assert answer == pytest.approx(wanted, abs=1e-4)
    assert BACKENDS["torch"](verdict, examples, "cpu")(crops, 1 - masks) != pytest.approx(wanted, abs=1e-4)


def test_eight_bits_need_scans_to_choose_their_ranges_by(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--manifest"):
        write_openvino_int8(Small(), EXAMPLES, tmp_path / "contour", [])
    assert not list(tmp_path.iterdir())


def test_an_engine_without_its_file_says_how_to_get_it(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="python -m nerve_core export"):
        Predictor(checkpoint, "cpu", "openvino-int8")


def test_unknown_missing_and_unfitting_engines_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match="Unknown backend 'x'; choose one of torch"):
        check_backend("x", "cpu")
    with pytest.raises(CheckpointError, match="NERVE_DEVICE=cpu"):
        check_backend("openvino-half", "cuda")
    monkeypatch.setattr(exports, "find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match="pip install onnxruntime"):
        check_backend("onnx-int8", "cpu")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / FOLDER).mkdir()
    return tmp_path


def checked(folder: Path, weights: str, **passed: bool) -> None:
    found = {name.replace("_", "-"): {"passed": fine} for name, fine in passed.items()}
    (folder / FOLDER / CHECKS).write_text(json.dumps({"weights": weights, "backends": found}))


def test_only_what_passed_its_check_with_these_weights_is_chosen(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ["openvino-int8", "openvino-half", "openvino", "torch"]
    monkeypatch.setattr(exports, "supported", lambda device: order)
    assert choose(weights, "cpu") == "openvino"
    checked(weights, digest(weights), openvino_int8=False, openvino_half=True)
    assert choose(weights, "cpu") == "openvino-half"
    checked(weights, digest(weights), openvino_int8=True, openvino_half=True)
    assert choose(weights, "cpu") == "openvino-int8"
    checked(weights, "other weights", openvino_int8=True)
    assert checks(weights) == {} and choose(weights, "cpu") == "openvino"


def test_a_damaged_check_is_said_and_not_taken_for_a_pass(weights: Path) -> None:
    (weights / FOLDER / CHECKS).write_text('{"weights": ')
    with pytest.raises(CheckpointError, match="damaged; export them again"):
        choose(weights, "cpu")


def test_every_supported_backend_exists_and_an_exact_one_is_always_among_them() -> None:
    for device in ("cpu", "cuda", "mps"):
        assert set(supported(device)) <= set(BACKENDS)
        assert best_backend(device) in EXACT
