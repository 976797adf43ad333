"""The learned gate: what it says of pictures whose kind is known, and how the predictor heeds it."""

from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nerve_core.config import ROOT
from nerve_core.data.samples import list_samples
from nerve_core.errors import CheckpointError, DataError
from nerve_core.evaluation.scope_fit import fit_scope
from nerve_core.imaging.read import read_scan
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, NOT_ASSESSABLE
from nerve_core.inference.predictor import Predictor
from nerve_core.inference.scope import (
    FILE,
    FOREIGN,
    MUSCLE,
    SENTENCES,
    UNFAMILIAR,
    Observed,
    Scope,
    observable,
)
from nerve_core.models.checkpoint import load_checkpoint


def cloud(centre: list[float], count: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1.0, (count, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> Scope:
    scans = np.concatenate([cloud([0, 0, 0, 0]), cloud([4, 0, 0, 0], seed=1)])
    sets = np.repeat(["a", "b"], 60)
    held = np.concatenate([cloud([0, 0, 0, 0], seed=2), cloud([4, 0, 0, 0], seed=3)])
    foreign, muscle = cloud([0, 20, 0, 0], seed=4), cloud([0, 0, 20, 0], seed=5)
    return fit_scope(scans, sets, held, sets, foreign, muscle)


def test_each_kind_is_named(fitted: Scope) -> None:
    assert fitted.kind_of(np.array([0, 0, 0, 0], np.float32)) is None
    assert fitted.kind_of(np.array([4, 0, 0, 0], np.float32)) is None
    assert fitted.kind_of(np.array([0, 20, 0, 0], np.float32)) == FOREIGN
    assert fitted.kind_of(np.array([0, 0, 20, 0], np.float32)) == MUSCLE
    assert fitted.kind_of(np.array([0, 0, 0, -20], np.float32)) == UNFAMILIAR


def test_pointing_overrules_all_but_foreign_pictures(fitted: Scope) -> None:
    assert fitted.kind_of(np.array([0, 20, 0, 0], np.float32), pointed=True) == FOREIGN
    for other in ([0, 0, 20, 0], [0, 0, 0, -20]):
        assert fitted.kind_of(np.array(other, np.float32), pointed=True) is None


def test_validation_scans_pass_in_every_set(fitted: Scope) -> None:
    for seed, centre in ((2, [0, 0, 0, 0]), (3, [4, 0, 0, 0])):
        scores = fitted.scores(cloud(centre, seed=seed))
        assert (scores[FOREIGN] > 0).mean() <= 0.02 and (scores[UNFAMILIAR] > 0).mean() <= 0.06


def test_nothing_to_fit_to_is_said() -> None:
    full, empty = cloud([0, 0, 0, 0]), np.zeros((0, 4), np.float32)
    names = np.repeat(["a"], 60)
    with pytest.raises(DataError, match="muscle"):
        fit_scope(full, names, full, names, full, empty)


def test_stored_and_read_back_for_the_same_weights_alone(fitted: Scope, tmp_path: Path) -> None:
    fitted.save(tmp_path, "research 1")
    again = Scope.load(tmp_path, {"name": "research", "version": "1"})
    assert all(
        np.array_equal(getattr(again, each.name), getattr(fitted, each.name)) for each in fields(Scope)
    )
    assert Scope.load(tmp_path, {"name": "research", "version": "2"}) is None
    assert Scope.load(tmp_path / "none", {"name": "research", "version": "1"}) is None
    (tmp_path / FILE).write_bytes(b"broken")
    with pytest.raises(CheckpointError, match=r"scope\.safetensors"):
        Scope.load(tmp_path, {"name": "research", "version": "1"})


def test_features_leave_the_logits_as_they_are(checkpoint: Path) -> None:
    network = load_checkpoint(checkpoint)[0].contour
    inputs = torch.randn(1, 2, 64, 64)
    logits, features = Observed(network)(inputs)
    assert torch.equal(logits, network(inputs))
    assert features.shape == (1, 40 + 112 + 320)
    assert not observable(torch.nn.Conv2d(2, 1, 1))


def open_to_all(width: int) -> Scope:
    """A gate that lets everything pass."""
    zeros, one = np.zeros(width, np.float32), np.ones(1, np.float32)
    return Scope(
        zeros, zeros + 1, zeros, -one, zeros, -one, zeros[None], np.zeros((1, width), np.float32), one
    )


@pytest.mark.parametrize(
    ("closed", "verdict", "clicked"),
    [
        ("foreign_bias", NOT_ASSESSABLE, NOT_ASSESSABLE),
        ("muscle_bias", NO_NERVE, None),
        ("reach", NO_NERVE, None),
    ],
)
def test_the_predictor_heeds_the_gate(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch, closed: str, verdict: str, clicked: str | None
) -> None:
    noise = np.random.default_rng(0).rayleigh(60, (120, 120)).clip(0, 255).astype(np.uint8)
    scan = Scan(noise)
    gate = open_to_all(len(predictor.features(scan)))
    monkeypatch.setattr(predictor, "scope", gate)
    plain = predictor.predict(scan)
    assert plain.beyond is None and plain.nerves
    shut = np.array([-1 if closed == "reach" else 1], np.float32)
    monkeypatch.setattr(predictor, "scope", replace(gate, **{closed: shut}))
    held = predictor.predict(scan)
    assert held.verdict == verdict and held.reason == held.beyond and held.beyond in SENTENCES.values()
    assert held.p_affected is None and not held.nerves and not held.mask.any()
    free = predictor.predict(scan, gate=False)
    assert free.beyond == held.beyond and free.reason is None
    assert np.array_equal(free.mask, plain.mask)
    pointed = predictor.predict(scan, click=(60.0, 60.0))
    assert pointed.verdict == clicked if clicked else (pointed.nerves and pointed.beyond is None)


def document() -> np.ndarray:
    page = np.full((700, 560), 245, np.uint8)
    for line in range(20):
        cv2.putText(page, "The quick brown fox jumps", (30, 50 + 32 * line), 0, 0.8, 20, 2)
    return page


def photograph() -> np.ndarray:
    """Light falling off behind a few plain shapes, with a little grain."""
    rng = np.random.default_rng(1)
    view = np.add.outer(np.linspace(40, 160, 400), np.linspace(0, 70, 600))
    for _ in range(14):
        corner = tuple(int(value) for value in rng.integers(0, 400, 2))
        cv2.rectangle(view, corner, (corner[0] + 120, corner[1] + 90), float(rng.integers(0, 255)), -1)
    return np.clip(view + rng.normal(0, 3, view.shape), 0, 255).astype(np.uint8)


def noise() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (300, 400)).astype(np.uint8)


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor(ROOT / "checkpoints" / "research", "cpu", "openvino")


def test_shipped_weights_refuse_pictures_and_pass_every_sample(shipped: Predictor) -> None:
    assert shipped.scope is not None
    for make in (document, photograph, noise):
        assert shipped.predict(Scan(make())).verdict in (NOT_ASSESSABLE, NO_NERVE), make.__name__
    for sample in list_samples():
        found = shipped.predict(read_scan(sample.path))
        assert found.beyond is None and found.reason is None, sample.path.name
