"""Every contour method finds a dark ellipse in speckle, with a click and without, and always the same one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from nerve_core.errors import DataError
from nerve_core.evaluation.classical.learn import dice
from nerve_core.evaluation.classical.method import UNKNOWN
from nerve_core.evaluation.classical.registry import CONTOUR_METHODS, make_contour
from nerve_core.evaluation.classical.thresholds import GlobalThreshold
from nerve_core.evaluation.evaluate import score_rows
from nerve_core.imaging.click import thickest_point
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, NOT_ASSESSABLE, UNCERTAIN
from tests.evaluation.classical.conftest import SHAPE, SoftNetwork, drawn

FLOOR = {
    "typical": 0.3,
    "snake": 0.65,
    "sobel": 0.65,
    "prewitt": 0.65,
    "canny": 0.65,
    "knn": 0.6,
    "svm": 0.6,
    "forest": 0.6,
}
"""Least Dice without a click; 0.75 of the others."""


def made(name, prior, models, **options):
    return make_contour(name, prior, models=models.get(name), network=SoftNetwork(), **options)


@pytest.mark.parametrize("name", CONTOUR_METHODS)
def test_finds_the_ellipse(name, prior, models):
    contour = made(name, prior, models)
    picture, mask = drawn(101)
    scan = Scan(picture)
    auto = contour.predict(scan)
    assert dice(auto.mask, mask) >= FLOOR.get(name, 0.75)
    clicked = contour.predict(scan, click=thickest_point(mask))
    assert dice(clicked.mask, mask) >= 0.7
    for answer in (auto, clicked):
        assert answer.mask.shape == answer.probability.shape == SHAPE
        assert answer.mask.dtype == np.uint8 and set(np.unique(answer.mask)) <= {0, 255}
        assert answer.probability.dtype == np.float32
        assert answer.probability.min() >= 0 and answer.probability.max() <= 1
        assert answer.nerves and all(0 <= nerve.confidence <= 1 for nerve in answer.nerves)
        assert answer.p_affected == UNKNOWN and answer.verdict == UNCERTAIN
        assert answer.timings_ms["total"] > 0 and answer.model.startswith(name)


@pytest.mark.parametrize("name", CONTOUR_METHODS)
def test_the_same_every_time_and_from_threads(name, prior, models):
    contour = made(name, prior, models)
    scans = [Scan(drawn(seed)[0]) for seed in (102, 103)] * 2
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(contour.predict, scans))
    for first, second in zip(found[:2], found[2:], strict=True):
        assert np.array_equal(first.mask, second.mask)
        assert np.array_equal(first.probability, second.probability)


@pytest.mark.parametrize("name", ["otsu", "growing", "canny", "geodesic"])
def test_a_click_chooses_between_two(name, prior, models):
    """Two ellipses side by side: the click decides which one is meant."""
    (left, left_mask), (right, right_mask) = drawn(104, at=(0.3, 0.5)), drawn(105, at=(0.7, 0.5))
    half = SHAPE[1] // 2
    scan = Scan(np.hstack([left[:, :half], right[:, half:]]))
    contour = made(name, prior, models)
    for mask in (left_mask, right_mask):
        answer = contour.predict(scan, click=thickest_point(mask))
        assert dice(answer.mask, mask) >= 0.7 and len(answer.nerves) == 1


def test_answers_in_the_scans_own_pixels(prior, models):
    """A scan twice as large, inside a black frame: the mask grows with it and stays in the region."""
    picture, mask = drawn(106)
    big = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    frame = np.zeros((400, 520), np.uint8)
    frame[50:350, 60:460] = big
    scan = Scan(frame, region=(50, 60, 350, 460), spacing_mm=(0.1, 0.1))
    true = np.zeros(frame.shape, np.uint8)
    true[50:350, 60:460] = cv2.resize(mask, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    answer = made("otsu", prior, models).predict(scan)
    assert dice(answer.mask, true) >= 0.75
    (nerve,) = answer.nerves
    assert nerve.area_mm2 == pytest.approx(nerve.area_px * 0.01)
    assert not answer.mask[:50].any() and not answer.probability[:, :60].any()


def test_settings_of_preprocessing_are_used(prior, models):
    picture, mask = drawn(107)
    noisy = np.clip(picture + np.random.default_rng(0).normal(0, 60, SHAPE), 0, 255).astype(np.uint8)
    contour = made("threshold", prior, models, params=GlobalThreshold(sigma=0.0, opening=0.0, level=0.35))
    plainly = contour.predict(Scan(noisy), click=thickest_point(mask))
    filtered = contour.predict(Scan(noisy), click=thickest_point(mask), preprocess=Preprocess(median=9))
    assert not np.array_equal(plainly.mask, filtered.mask)


@pytest.mark.parametrize("name", CONTOUR_METHODS)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_scan_does_no_harm(name, level, prior, models):
    contour = made(name, prior, models)
    blank = Scan(np.full((96, 96), level, np.uint8))
    refused = contour.predict(blank)
    assert refused.verdict == NOT_ASSESSABLE and refused.reason and not refused.mask.any()
    for click in (None, (3.0, 90.0)):
        answer = contour.predict(blank, click=click, gate=False)
        assert np.isfinite(answer.probability).all()
        assert (answer.verdict == NO_NERVE) == (not answer.nerves)


def test_evaluation_scores_it_as_it_does_the_network(rows, prior, models):
    scored = score_rows(rows[10:12], made("otsu", prior, models), clicks=True)
    for one in scored:
        assert one.error is None and one.answer.contour.dice > 0.7 and one.click_answer.pointed.dice > 0.7


def test_a_verdict_method_judges_every_nerve(prior, models):
    class Judge:
        name = "judge"

        def p_affected(self, scan, mask):
            assert mask.shape == scan.pixels.shape
            return 0.9

    answer = made("otsu", prior, models, verdict=Judge()).predict(Scan(drawn(108)[0]))
    assert answer.p_affected == 0.9 and answer.verdict == "affected" and answer.model.endswith("+ judge")


def test_errors_say_what_to_do(prior):
    with pytest.raises(DataError, match="choose one of: typical"):
        make_contour("unet", prior)
    with pytest.raises(DataError, match="has not been fitted"):
        make_contour("svm", prior)
    with pytest.raises(DataError, match="give it a Predictor"):
        make_contour("crf", prior)


def test_every_entry_names_its_source_and_has_a_grid():
    for name, entry in CONTOUR_METHODS.items():
        settings = vars(entry.params())
        assert entry.title and entry.paper and set(entry.grid) <= set(settings), name
        for key, values in entry.grid.items():
            assert len(set(values)) == len(values) > 1
            assert all(type(value) is type(settings[key]) for value in values), (name, key)
