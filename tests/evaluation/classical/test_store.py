"""Methods kept in a folder come back the same; whatever is wrong with the folder is said."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nerve_core.errors import CheckpointError, DataError
from nerve_core.evaluation.classical import store
from nerve_core.evaluation.classical.registry import make_contour
from nerve_core.evaluation.classical.store import (
    figures_of,
    load_contour,
    load_prior,
    load_verdict,
    save_contour,
    save_prior,
    save_verdict,
    stored_methods,
)
from nerve_core.evaluation.classical.thresholds import GlobalThreshold
from nerve_core.evaluation.classical.verdict import VERDICT_METHODS, fit_verdict
from nerve_core.imaging.scan import Scan
from tests.evaluation.classical.conftest import SoftNetwork, drawn
from tests.evaluation.classical.test_verdict import deep_stub, planted

TUNED = GlobalThreshold(sigma=1.5, level=0.45, opening=0.02)


@pytest.fixture
def folder(tmp_path, prior):
    save_prior(tmp_path, prior)
    save_contour(tmp_path, make_contour("threshold", prior, TUNED), {"auto": {"dice": 0.5}})
    return tmp_path


@pytest.mark.parametrize("name", ["threshold", "chan_vese", "svm", "forest", "knn", "crf"])
def test_a_contour_method_answers_as_before(name, tmp_path, prior, models):
    made = make_contour(name, prior, models=models.get(name), network=SoftNetwork())
    save_prior(tmp_path, prior)
    save_contour(tmp_path, made)
    loaded = load_contour(tmp_path, name, network=SoftNetwork())
    assert loaded.params == made.params and loaded.click_params == made.click_params
    scan = Scan(drawn(201)[0])
    for click in (None, (100.0, 75.0)):
        before, after = made.predict(scan, click), loaded.predict(scan, click)
        assert np.array_equal(before.mask, after.mask)
        assert np.allclose(before.probability, after.probability, atol=1e-3)


@pytest.mark.parametrize("name", ["size", "forest_texture", "knn_texture", "svm_texture", "logistic_deep"])
def test_a_verdict_method_answers_as_before(name, tmp_path):
    train, val = planted(2, "train", 80), planted(3, "val", 80)
    needed = deep_stub if VERDICT_METHODS[name].features == "deep" else None
    verdict = fit_verdict(name, train, val, needed)[0]
    save_verdict(tmp_path, verdict, {"auc": 0.9})
    loaded = load_verdict(tmp_path, name, deep_stub)
    features = getattr(val, VERDICT_METHODS[name].features)
    assert np.array_equal(loaded.chances(features), verdict.chances(features))
    assert loaded.params == verdict.params and figures_of(tmp_path, name) == {"auc": 0.9}


def test_what_is_in_a_folder(folder):
    assert stored_methods(folder) == {"contours": ["threshold"], "verdicts": []}
    assert load_contour(folder, "threshold").params == TUNED
    assert figures_of(folder, "threshold") == {"auto": {"dice": 0.5}} and figures_of(folder, "otsu") is None
    assert not list(folder.rglob("*.part"))


def test_what_is_missing(folder, tmp_path):
    with pytest.raises(CheckpointError, match="'otsu' is not in"):
        load_contour(folder, "otsu")
    with pytest.raises(CheckpointError, match="'size' is not in"):
        load_verdict(folder, "size")
    with pytest.raises(DataError, match="choose one of"):
        load_contour(folder, "unet")
    (folder / "prior.json").unlink()
    with pytest.raises(CheckpointError, match="prior of the classical methods is not in"):
        load_contour(folder, "threshold")


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored["params"].pop("sigma"),
        lambda stored: stored["params"].update(sigma="wide"),
        lambda stored: stored["params"].update(extra=1),
        lambda stored: stored.update(name="otsu"),
        lambda stored: stored.pop("click_params"),
    ],
)
def test_damaged_settings(folder, change):
    path = folder / "contours" / "threshold.json"
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))
    with pytest.raises(CheckpointError, match=r"threshold\.json .* damaged; fit it again"):
        load_contour(folder, "threshold")


def test_torn_and_foreign_files(folder, prior):
    path = folder / "contours" / "threshold.json"
    whole = path.read_text()
    path.write_text(whole[:40])
    with pytest.raises(CheckpointError, match="damaged"):
        load_contour(folder, "threshold")
    path.write_text(whole.replace('"format": 1', '"format": 2'))
    with pytest.raises(CheckpointError, match="another version"):
        load_contour(folder, "threshold")
    path.write_text(whole)
    for change in ({"location": [[1]]}, {"typical": None}, {"ranker": {}}):
        (folder / "prior.json").write_text(json.dumps({"format": 1, **prior.to_dict(), **change}))
        with pytest.raises(CheckpointError, match="prior of the classical methods is damaged"):
            load_prior(folder)


def test_damaged_models_are_not_loaded(tmp_path, prior, models):
    save_prior(tmp_path, prior)
    save_contour(tmp_path, make_contour("knn", prior, models=models["knn"]))
    path = tmp_path / "contours" / "knn.skops"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged"):
        load_contour(tmp_path, "knn")
    path.unlink()
    with pytest.raises(CheckpointError, match=r"knn\.skops is missing"):
        load_contour(tmp_path, "knn")


def test_a_file_with_code_is_refused(tmp_path, prior, models):
    """A model of a type that nobody vouches for, under a digest that fits it."""
    import hashlib

    import skops.io

    save_prior(tmp_path, prior)
    save_contour(tmp_path, make_contour("knn", prior, models=models["knn"]))
    data = skops.io.dumps({"auto": Stranger(), "click": Stranger()})
    (tmp_path / "contours" / "knn.skops").write_bytes(data)
    path = tmp_path / "contours" / "knn.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": hashlib.sha256(data).hexdigest()}))
    with pytest.raises(CheckpointError, match="not trusted"):
        load_contour(tmp_path, "knn")


class Stranger:
    """Nothing that skops knows."""


def test_an_interrupted_save_leaves_the_old_one(folder, prior, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(store.os, "fsync", fail)
    with pytest.raises(OSError):
        save_contour(folder, make_contour("threshold", prior))
    assert load_contour(folder, "threshold").params == TUNED


def test_deep_features_of_other_weights_are_refused(tmp_path):
    train, val = planted(2, "train", 80), planted(3, "val", 80)
    save_verdict(tmp_path, fit_verdict("logistic_deep", train, val, deep_stub)[0])

    def other(pixels, mask):
        return deep_stub(pixels, mask)

    other.fingerprint = "other"
    with pytest.raises(CheckpointError, match="other weights"):
        load_verdict(tmp_path, "logistic_deep", other)
    with pytest.raises(DataError, match="needs the weights"):
        load_verdict(tmp_path, "logistic_deep")
