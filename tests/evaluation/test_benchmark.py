"""The benchmark fills a store, goes on where it was cut short, and names what it cannot do."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from nerve_core.errors import CheckpointError, DataError
from nerve_core.evaluation import benchmark
from nerve_core.evaluation.benchmark import run_benchmark, sets_in, split_rows
from nerve_core.evaluation.methods import Setup, check_methods, known_methods, tasks_of
from nerve_core.evaluation.results import ResultsStore
from nerve_core.evaluation.shifts import SHIFTS, STRENGTHS
from nerve_core.inference.prediction import NO_NERVE, Prediction
from tests.evaluation.fakes import disc, write_manifest


class FindsNothing:
    def predict(self, scan, click=None, preprocess=None, gate=True) -> Prediction:
        blank = np.zeros(scan.pixels.shape, np.uint8)
        return Prediction(blank.astype(np.float32), blank, (), NO_NERVE, None, "nothing 1")


@pytest.fixture
def data(tmp_path):
    """One set of twelve groups, and one without contours."""
    rows = [
        {"image": f"{k:02d}.png", "group": str(k), "site": "wrist", "label": "unaffected"} for k in range(12)
    ]
    masks = {row["image"]: disc((64, 80), 30 + k, 30, 9) for k, row in enumerate(rows)}
    write_manifest(tmp_path / "data" / "wrists", rows, masks)
    bare = tmp_path / "data" / "bare"
    bare.mkdir()
    shutil.copy(tmp_path / "data" / "wrists" / "00.png", bare)
    (bare / "manifest.csv").write_text("image,mask,label,group\n00.png,,,0\n")
    return tmp_path / "data"


@pytest.fixture
def prepared(monkeypatch):
    """Methods that find nothing; counts how often one was made ready."""
    made = []

    @contextmanager
    def ready(name, rows, setup, seed, run, classical=None):
        made.append((name, run, sorted({row["set"] for row in rows})))
        if name == "otsu":
            raise CheckpointError("otsu is not in 'x'; fit it again.")
        yield FindsNothing()

    monkeypatch.setattr(benchmark, "ready", ready)
    return made


def silent(_: str) -> None:
    pass


def test_it_measures_once_and_goes_on(data, tmp_path, prepared):
    store = ResultsStore(tmp_path / "results.sqlite")
    sets = sets_in(data)
    run_benchmark(store, sets, ["unet"], setup=Setup(), tasks=["contours"], report=silent)
    assert len(prepared) == 1
    frame = store.frame()
    tested = [row for row in split_rows([sets["wrists"]], "group") if row["split"] == "test"]
    assert sorted(frame["image"]) == sorted(row["image"].rsplit("/", 1)[1] for row in tested)
    assert set(frame["set"]) == {"wrists"} and set(frame["dice"]) == {0.0}
    run_benchmark(store, sets, ["unet"], setup=Setup(), tasks=["contours"], report=silent)
    assert len(prepared) == 1
    run_benchmark(store, sets, ["unet"], setup=Setup(steps=8), tasks=["contours"], report=silent)
    assert len(prepared) == 2  # a longer training is another thing


def test_verdict_robustness_folds_and_left_out_sets(data, tmp_path, prepared):
    store = ResultsStore(tmp_path / "results.sqlite")
    run_benchmark(
        store,
        sets_in(data),
        ["unet"],
        setup=Setup(),
        tasks=["verdict", "robustness"],
        splits=["group", "image", "1/3", "2/3", "3/3"],
        report=silent,
    )
    verdict = store.frame("verdict")
    assert {(label, sham) for label, sham in zip(verdict["label"], verdict["sham"], strict=True)} == {
        (0, 0), (0, 1), (1, 0),
    }  # fmt: skip
    robust = store.frame("robustness")
    assert set(robust["split"]) == {f"{name} {strength:g}" for name in SHIFTS for strength in STRENGTHS}
    folds = store.frame()
    folds = folds[folds["split"].str.endswith("/3")]
    assert sorted(folds["image"]) == [f"{k:02d}.png" for k in range(12)]  # each once
    assert len({name for _, name, _ in prepared}) == 5  # a training each, under a name of its own


def test_every_scan_of_sets_that_nothing_learned_from(data, tmp_path, prepared):
    store = ResultsStore(tmp_path / "results.sqlite")
    run_benchmark(
        store, sets_in(data), ["canny", "verdict:size"], setup=Setup(), splits=["all"], report=silent
    )
    outlines, judged = store.frame(), store.frame("verdict")
    assert sorted(outlines["image"]) == [f"{k:02d}.png" for k in range(12)]
    assert set(outlines["split"]) == set(judged["split"]) == {"all"} and len(judged) == 36
    with pytest.raises(DataError, match="unet is trained on the scans themselves"):
        run_benchmark(store, sets_in(data), ["canny", "unet"], setup=Setup(), splits=["all"])


def test_a_method_that_fails_does_not_stop_the_others(data, tmp_path, prepared):
    store = ResultsStore(tmp_path / "results.sqlite")
    failed = run_benchmark(
        store, sets_in(data), ["otsu", "canny"], setup=Setup(), tasks=["contours"], report=silent
    )
    assert len(failed) == 1 and failed[0].startswith("otsu: ")
    assert set(store.frame()["method"]) == {"canny"}


def test_what_says_nothing_is_not_measured():
    every = ["contours", "verdict", "robustness"]
    assert tasks_of("canny", every) == ["contours", "robustness"]
    assert tasks_of("verdict:size", every) == ["verdict"]
    assert tasks_of("weights:research", every) == tasks_of("unet", every) == every


def test_unknown_names_are_named(data, tmp_path):
    with pytest.raises(DataError, match="There is no method 'magic'"):
        check_methods(["unet", "magic"])
    with pytest.raises(DataError, match="There is no set 'knees'"):
        run_benchmark(
            ResultsStore(tmp_path / "r"), sets_in(data), ["unet"], setup=Setup(), left_out=["knees"]
        )
    for how in ("by patient", "0/5", "6/5", "1/2", "/"):
        with pytest.raises(DataError, match="There is no split"):
            split_rows([data / "wrists" / "manifest.csv"], how)


def test_every_method_has_a_title():
    known = known_methods()
    assert {"weights:research", "attention_unet_lite0", "otsu", "verdict:size"} <= set(known)
    assert all(known.values())


def test_a_setup_is_that_many_steps():
    config = Setup(size=96, steps=10, batch=4).config("unet", 3, "x")
    stage = config.contour
    assert stage.epochs * (stage.samples // stage.batch) == 10
    assert (config.size, config.final_size, config.seed, config.architecture) == (96, 96, 3, "unet")
