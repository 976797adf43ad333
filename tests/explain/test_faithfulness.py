"""Measures of truth with known answers, and the localised changes they are taken on."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from nerve_core.errors import DataError
from nerve_core.explain import localised
from nerve_core.explain.faithfulness import MOST, density, in_crop, points_at, undoing
from nerve_core.explain.judge import look_at
from nerve_core.explain.localised import PARTS, write_part
from nerve_core.models.verdict import CROP
from tests.explain.conftest import nerve, scan

NERVE = cv2.circle(np.zeros((100, 100), np.uint8), (50, 50), 30, 1, -1) > 0
PART = NERVE & (np.arange(100) < 35)[:, None]


def test_density_is_normalised_by_area() -> None:
    assert density(np.ones((100, 100)), PART, NERVE) == pytest.approx(1.0)
    assert density(1.0 + 3 * PART, PART, NERVE) == pytest.approx(4.0)
    assert density(1.0 * PART, PART, NERVE) == MOST
    assert density(1.0 * (NERVE & ~PART), PART, NERVE) == 0.0
    assert density(np.zeros((100, 100)), PART, NERVE) == 1.0
    assert density(np.ones((100, 100)), NERVE, NERVE) is None


@pytest.mark.parametrize(("row", "hit"), [(30, True), (36, True), (39, False), (70, False)])
def test_the_peak_may_lie_a_twentieth_of_the_diameter_away(row: int, hit: bool) -> None:
    heat = np.zeros((100, 100))
    heat[row, 50] = 1  # the altered rows end at 34; a twentieth of 60 px is 3 px
    assert points_at(heat, PART, NERVE) == hit
    assert not points_at(np.zeros((100, 100)), PART, NERVE)


def test_giving_back_what_was_altered_undoes_the_change() -> None:
    look = look_at(scan(), nerve())
    part = np.zeros((CROP, CROP), bool)
    part[50:70, 60:80] = True
    darker = look.crops.clone()
    darker[0, 0][part] -= 3
    after = replace(look, crops=darker)

    def logits(crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        return -crops[:, 0][:, part].mean(1)  # reads the altered pixels alone

    right = undoing(part.astype(np.float32), after, look, logits)
    wrong = undoing(1 - part.astype(np.float32), after, look, logits)
    assert min(right) > 0.7 and max(wrong) < 0.1  # 5 % of the nerve do not hold all of it
    assert undoing(part.astype(np.float32), look, look, logits) == (0.0, 0.0)


@pytest.mark.parametrize("kind", PARTS)
def test_a_localised_change_is_where_it_is_said_to_be(kind: str) -> None:
    made = write_part(scan(), nerve(), kind, 0.9, np.random.default_rng(1))
    gap = cv2.blur(np.abs(made.image.astype(float) - made.original), (5, 5))
    assert gap[made.altered].mean() > 4 * gap[~made.altered].mean()
    assert 12 <= made.altered.sum() < 0.8 * made.mask.sum()
    assert np.array_equal(made.original, scan())
    again = write_part(scan(), nerve(), kind, 0.9, np.random.default_rng(1))
    assert np.array_equal(made.image, again.image)
    look = look_at(made.image, made.mask)
    assert (
        in_crop(made.altered, look) & cv2.dilate(look.nerve.astype(np.uint8), np.ones((31, 31))) > 0
    ).any()


def test_what_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="Unknown localised change"):
        write_part(scan(), nerve(), "spell", 0.5, rng)
    with pytest.raises(DataError, match="Severity"):
        write_part(scan(), nerve(), "rim", 1.5, rng)
    monkeypatch.setattr(localised, "VISIBLE", 300.0)
    with pytest.raises(DataError, match="cannot be seen"):
        write_part(scan(), nerve(), "fascicle", 0.9, rng)
