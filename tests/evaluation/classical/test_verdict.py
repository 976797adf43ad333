"""Verdict methods: what they learn from, how they choose and calibrate, what they answer."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nerve_core.data.packed import Packed
from nerve_core.errors import DataError
from nerve_core.evaluation.classical.nerves import NerveTable, nerve_table
from nerve_core.evaluation.classical.verdict import (
    VERDICT_METHODS,
    Verdict,
    crossfitted_brier,
    fit_verdict,
    platt,
)
from nerve_core.imaging.scan import Scan
from tests.evaluation.classical.conftest import drawn

ONES = ("svm", "forest", "knn", "logistic")


def test_every_classifier_comes_with_both_kinds_of_features():
    assert set(VERDICT_METHODS) == {
        "size",
        *(f"{one}_{kind}" for one in ONES for kind in ("texture", "deep")),
    }
    assert all(entry.title and entry.paper and entry.grid for entry in VERDICT_METHODS.values())


def planted(seed: int, side: str, n: int = 120) -> NerveTable:
    """Affected nerves that differ in one feature of each kind, clearly where severe, mildly in size."""
    rng = np.random.default_rng(seed)
    kind = np.array(["affected", "affected", "sham", "original"])[np.arange(n) % 4]
    label = (kind == "affected").astype(float)
    severity = label * rng.uniform(0.3, 1, n)
    tables = {}
    for name, width, gap in (("texture", 12, 5.0), ("deep", 8, 6.0), ("size", 1, 2.0)):
        values = rng.normal(size=(n, width))
        values[:, 0] += gap * severity
        tables[name] = values.astype(np.float32)
    group = np.array([f"{side}-{k // 4}" for k in range(n)])
    return NerveTable(**tables, kind=kind, severity=severity, group=group)


def deep_stub(pixels, mask):
    values = np.zeros(8, np.float32)
    values[0] = pixels[mask > 0].mean() / 50
    return values


deep_stub.fingerprint = "stub"


@pytest.fixture(scope="module")
def tables():
    return planted(0, "train"), planted(1, "val")


@pytest.mark.parametrize("name", ["size", *(f"{one}_texture" for one in ONES), "logistic_deep"])
def test_each_learns_and_is_calibrated(name, tables):
    train, val = tables
    verdict, figures = fit_verdict(name, train, val, deep_stub)
    assert figures.auc > (0.75 if name == "size" else 0.88) and figures.auc >= figures.auc_all
    assert figures.brier < 0.24 and figures.n == 120
    assert set(verdict.params) == set(VERDICT_METHODS[name].grid)
    features = getattr(val, VERDICT_METHODS[name].features)
    p = verdict.chances(features)
    assert ((p >= 0) & (p <= 1)).all() and verdict.slope > 0
    assert abs(p.mean() - val.label.mean()) < 0.1
    again = fit_verdict(name, train, val, deep_stub)[0].chances(features)
    assert np.array_equal(p, again)


def test_settings_are_chosen_by_validation_alone(tables):
    """Training nerves without any difference: whatever is chosen, validation labels decide on it."""
    train, val = tables
    turned = NerveTable(**{**vars(val), "texture": -val.texture})
    for held in (val, turned):
        assert fit_verdict("logistic_texture", train, held)[1].n == len(held.label)
    assert fit_verdict("logistic_texture", train, turned)[1].auc < 0.2


def test_one_group_on_both_sides_is_refused(tables):
    train, val = tables
    shared = NerveTable(**{**vars(val), "group": np.array(["train-0"] * 120)})
    with pytest.raises(DataError, match="both sides"):
        fit_verdict("size", train, shared)
    with pytest.raises(DataError, match="affected and unaffected"):
        fit_verdict("size", train, NerveTable(**{**vars(val), "kind": np.array(["sham"] * 120)}))
    with pytest.raises(DataError, match="choose one of: size"):
        fit_verdict("oracle", train, val)
    with pytest.raises(DataError, match="needs the weights"):
        fit_verdict("svm_deep", train, val)


def test_platt_undoes_a_known_stretch():
    rng = np.random.default_rng(0)
    logit = rng.normal(0, 2, 4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-logit))).astype(int)
    slope, bias = platt(logit / 3 + 1, labels)
    assert slope == pytest.approx(3, abs=0.3) and bias == pytest.approx(-3, abs=0.3)
    groups = np.arange(4000) // 10
    assert crossfitted_brier(logit, labels, groups) < 0.2
    assert np.isnan(crossfitted_brier(logit[:5], labels[:5], np.zeros(5)))


def test_a_larger_nerve_is_more_likely_affected_to_the_observer_of_size(tables):
    verdict: Verdict = fit_verdict("size", *tables)[0]
    scan = Scan(np.full((100, 100), 90, np.uint8))
    p = []
    for radius in (20, 40):
        mask = np.zeros((100, 100), np.uint8)
        cv2.circle(mask, (50, 50), radius, 255, cv2.FILLED)
        p.append(verdict.p_affected(scan, mask))
    assert p[0] < p[1]
    bright = Scan(np.full((100, 100), 200, np.uint8))
    assert verdict.p_affected(bright, mask) == p[1]
    for wrong in (np.zeros((100, 100), np.uint8), np.ones((50, 50), np.uint8)):
        with pytest.raises(DataError, match="empty or has another size"):
            verdict.p_affected(scan, wrong)


@pytest.fixture(scope="module")
def packed() -> Packed:
    rows = [{"set": "drawn", "group": f"g{k}", "image": str(k), "split": "train"} for k in range(2)]
    pictures, masks = zip(*(drawn(k, (220, 260)) for k in range(2)), strict=True)
    return Packed(rows, list(pictures), [(mask > 0).astype(np.uint8) for mask in masks])


def test_the_table_holds_every_nerve_once(packed, tmp_path):
    table = nerve_table(packed, "train", deep_stub, affected=1, shams=1)
    assert len(table.kind) == 6 and table.label.sum() == 2 and set(table.group) == {"drawn/g0", "drawn/g1"}
    assert table.texture.shape[1] > 80 and table.deep.shape == (6, 8) and table.size.shape == (6, 1)
    assert all(np.isfinite(values).all() for values in (table.texture, table.deep, table.size))
    assert ((table.severity > 0) == (table.label == 1)).all()
    path = tmp_path / "table.npz"
    table.save(path)
    again = NerveTable.load(path)
    assert all(np.array_equal(value, getattr(again, key)) for key, value in vars(table).items())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="delete it"):
        NerveTable.load(path)


def test_the_table_takes_no_scan_of_another_side(packed):
    for side in ("val", "test"):
        with pytest.raises(DataError, match="learn from train and val alone"):
            nerve_table(packed, side, deep_stub)
