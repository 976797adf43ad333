"""Fitting and measuring how sure the model is, on rows with known answers; the page written from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import scope, trust, trust_table
from nerve_core.explain.expected_dice import FIGURES


def rows(seed: int, side: str, count: int = 60) -> list[dict[str, Any]]:
    """Three versions of each scan: the area is 10 % off, the figures tell the Dice, p tells the label."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        figures = rng.normal(size=len(FIGURES))
        base = {"side": side, "set": "a" if k % 2 else "b", "group": str(k), "found": True}
        dice = float(np.clip(0.6 + 0.15 * figures[0], 0, 1))
        for label, shammed in ((0, 0), (0, 1), (1, 0)):
            chance = 1 / (1 + np.exp(-(3 * (2 * label - 1) + rng.normal(0, 1.5))))
            row = {"label": label, "sham": shammed, "severity": 0.7 * label, "p": float(chance), "dice": dice}
            if not label and not shammed:
                size = int(1000 * np.exp(rng.normal(0, 0.1)))
                row |= {"figures": figures.tolist(), "area": 1000, "true_area": size, "area_spread": 0.1}
            made.append(base | row)
    return made


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return trust.measure(rows(1, "test"), trust.fit(rows(0, "val")))


def test_promises_are_measured_on_other_rows(figures: dict[str, Any]) -> None:
    for each in figures["conformal"]:
        assert each["coverage"]["value"] == pytest.approx(each["promised"], abs=0.06)
    in_force = next(each for each in figures["conformal"] if each["promised"] == figures["level"])
    assert in_force["abstained"]["value"] < 0.25
    assert figures["area"]["coverage"]["value"] == pytest.approx(0.9, abs=0.1)


def test_expected_dice_ranks_contours(figures: dict[str, Any]) -> None:
    found = figures["expected_dice"]["all"]
    assert found["spearman"] > 0.9 and found["dice_kept"] > found["dice_all"]
    assert set(figures["expected_dice"]) == {"a", "b", "all"}


def test_a_nerve_that_was_not_found_is_counted_not_judged() -> None:
    missed = [{**row, "p": None} if k == 0 else row for k, row in enumerate(rows(1, "test"))]
    found = trust.measure(missed, trust.fit(rows(0, "val")))
    assert found["nerves_not_found"] == 1 and found["conformal"][0]["coverage"]["n"] == 179


def test_varied_copies_keep_their_kind() -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 140)).astype(np.uint8)
    one, again = (scope.vary(image, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, again) and one.dtype == np.uint8
    assert 60 <= one.shape[0] <= 100 and not np.array_equal(one, scope.vary(image, np.random.default_rng(4)))


def test_the_page_holds_every_figure(figures: dict[str, Any]) -> None:
    shown = {"value": 0.97, "ci95": [0.95, 0.99], "n": 97, "groups": 13}
    gate = {
        "fitted": {"scans": {"a": 9}, "pictures": {"photo": 961}},
        "scans": {"a": shown}, "muscle": shown, "muscle_as_unknown": shown,
        "muscle_recordings": {"refused": 13, "of": 13}, "not_ultrasound": {"all": shown, "xray": shown},
    }  # fmt: skip
    text = trust_table.page({"research": {"version": "1", "scope": gate, **figures}})
    for part in ("961", "13 of 13", "X-ray", "(in force)", "0.97 (0.95–0.99)", "Interval of the area"):
        assert part in text
