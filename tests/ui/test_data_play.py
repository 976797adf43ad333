"""The simulators' parts that can be judged without a page: strengths, samples, differences, ruler, quiz."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from nerve_core.data.augment import Augment
from nerve_core.data.phantom import simulate
from nerve_core.errors import DataError
from nerve_core.imaging.read import open_scan
from nerve_core.ui import data_compare, data_compare_plots, data_phantom, data_quiz, data_sets
from nerve_core.ui.data_augment_controls import control_of, meaning, shipped
from nerve_core.ui.data_difference import BRIGHTER, DARKER, difference
from nerve_core.ui.data_grid import data_url
from nerve_core.ui.data_ruler import with_ruler
from nerve_core.ui.data_sets import ScanSet
from nerve_core.ui.theme import rgb

IMAGE = np.random.default_rng(0).integers(30, 220, (120, 160), np.uint8)
MASK = np.zeros((120, 160), np.uint8)
MASK[50:70, 60:100] = 255
REAL = {"image": "a", "group": "1", "source": "somewhere"}
MADE = {"image": "b", "group": "2", "source": "simulated by nerve_core"}


@pytest.mark.parametrize("name", [field.name for field in fields(Augment)])
def test_every_strength_is_explained_and_has_a_range_around_its_default(name: str):
    control = control_of(name)
    values = np.ravel(getattr(Augment(), name)) * control.scale
    assert meaning(name).endswith(".") and control.low <= values.min() and values.max() <= control.high


def test_a_strength_without_words_of_its_own_gets_a_control(monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_augment_controls.WORDS", {})
    assert control_of("elastic").title == "Elastic (% of samples)" and control_of("elastic").high == 100
    assert control_of("rotate").high == 180 and control_of("zoom").high == 2.8


def test_shipped_strengths_are_those_of_the_weights(monkeypatch, tmp_path):
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(tmp_path))
    with pytest.raises(DataError, match="mine"):
        shipped("mine")
    config = '{"training": {"augment": {"rotate": 33.0, "zoom": [0.5, 2.0], "gone": 1}}}'
    (tmp_path / "mine" / "config.json").write_text(config)
    found = shipped("mine")
    assert (found.rotate, found.zoom) == (33.0, (0.5, 2.0))
    # What the weights do not name was done as it is by default.
    assert found == replace(Augment(), rotate=33.0, zoom=(0.5, 2.0))
    (tmp_path / "mine" / "config.json").write_text('{"training": {"augment": {"rotate": "far"}}}')
    with pytest.raises(DataError, match="mine"):
        shipped("mine")


def test_a_difference_is_orange_where_brighter_and_blue_where_darker():
    before = np.full((40, 40), 100, np.uint8)
    after = before.copy()
    after[:10], after[30:] = 164, 36
    picture = difference(before, after, 40)
    assert tuple(picture[2, 5]) == rgb(BRIGHTER) and tuple(picture[37, 5]) == rgb(DARKER)
    assert not picture[15:25].any()


def test_the_ruler_has_a_tick_every_five_millimetres():
    black = np.zeros((400, 300, 3), np.uint8)
    drawn = with_ruler(black, (200, 150), (0.1, 0.1))  # 20 mm deep, 20 px of the picture a mm
    ticks = [row for row in (100, 200, 300) if drawn[row, 1].min() > 200]
    assert ticks == [100, 200, 300] and not drawn[150].any() and not black.any()


def test_a_phantom_is_marked_and_taken_away_with_its_scale(tmp_path):
    phantom = simulate(0, site="groin", size=(96, 96))
    plain = data_phantom.marked(phantom, [])
    for mark in ("nerves", "vessels", "mm scale"):
        assert not np.array_equal(data_phantom.marked(phantom, [mark]), plain)
    scan = open_scan(data_phantom.dicom(phantom), name="phantom.dcm").scan(0)
    assert np.array_equal(scan.pixels, phantom.image)
    assert scan.spacing_at(48, 48) == pytest.approx(phantom.spacing_mm, rel=1e-4)


def test_pictures_become_addresses():
    assert data_url(IMAGE).startswith("data:image/jpeg;base64,/9j/")


def test_a_generated_scan_is_neither_real_nor_a_phantom():
    drawn = {
        "image": "c",
        "group": "3",
        "generated": "1",
        "simulated": "1",
        "source": "translated phantoms/1",
    }
    assert data_sets.made(drawn) and not data_sets.simulated(drawn)
    assert ScanSet("g", [drawn]).generated and not ScanSet("g", [drawn]).simulated


def test_the_score_has_its_interval():
    # Wilson (1927) for 8 of 10: 0.490 to 0.943.
    assert data_quiz.interval(8, 10) == pytest.approx((0.490, 0.943), abs=1e-3)
    told = data_quiz.Quiz(right=19, wrong=1)
    assert "19 of 20 right" in data_quiz.score(told) and "better than by chance" in data_quiz.score(told)
    assert "not told from guessing" in data_quiz.score(data_quiz.Quiz(right=5, wrong=5))
    assert "take the one for the other" in data_quiz.score(data_quiz.Quiz(right=1, wrong=19))


def test_an_answer_counts_once():
    quiz = data_quiz.Quiz(question=data_quiz.Question((IMAGE, IMAGE), 1))
    quiz.answer(0)
    quiz.answer(1)
    assert (quiz.right, quiz.wrong) == (0, 1)
    quiz.go_on()
    quiz.answer(1)  # nothing is asked yet
    assert (quiz.n, quiz.number) == (1, 1)


def test_the_shape_of_a_scan_gives_nothing_away():
    assert data_quiz.square(IMAGE).shape == data_quiz.square(IMAGE.T[:50]).shape == (480, 480)


def test_the_real_set_comes_first():
    real, made = ScanSet("r", [REAL]), ScanSet("m", [MADE])
    assert data_compare.ordered(made, real) == data_compare.ordered(real, made) == (real, made)
    assert data_compare.question(real, made) == "Which scan is real?"
    assert "“r”" in data_compare.question(real, ScanSet("x", [REAL]))
    assert data_sets.made(REAL | {"generated": "1"}) and not data_sets.made(REAL)


@pytest.mark.parametrize(("n", "start"), [(1, 0), (8, 3), (100, 5), (189, 23)])
def test_a_part_of_a_set_stays_inside(n: int, start: int):
    found = data_compare.part(n, start)
    assert found and len(found) == len(set(found)) <= data_compare.WALL and max(found) < n


def test_bars_of_two_sets_lead_to_their_scans():
    quantity = data_compare_plots.QUANTITIES["Size"]
    tables = [
        pd.DataFrame({"area_percent": values, "index": range(4)})
        for values in ([1.0, 2, 3, 4], [3.0, 4, 5, None])
    ]
    figure = data_compare_plots.overlaid(tables, ("a", "<b>"), quantity)
    assert [trace.name for trace in figure.data] == ["a (n = 4)", "&lt;b&gt; (n = 3)"]
    assert all(sum(trace.y) == pytest.approx(100) for trace in figure.data)
    points = [{"customdata": list(data)} for trace in figure.data for data in trace.customdata]
    first, second = data_compare_plots.chosen_in(tables, quantity, points)
    assert set(first) == {0, 1, 2, 3} and set(second) == {0, 1, 2}
    found = data_compare_plots.summary(tables, ("a", "b"), ["Size"])
    assert found["Distance"][0] == 0.5
