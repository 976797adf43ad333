"""The clinical reading names the place where the heat was put."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nerve_core.explain.reading import read

MASK = cv2.ellipse(np.zeros((120, 200), np.uint8), (100, 60), (60, 24), 0, 0, 360, 1, -1)


def spot(x: int, y: int, radius: int = 3) -> np.ndarray:
    return cv2.circle(np.zeros(MASK.shape, np.float32), (x, y), radius, 1.0, -1)


@pytest.mark.parametrize(
    ("heat", "words"),
    [
        (spot(100, 37), "superficial edge of the nerve"),
        (spot(100, 83), "deep edge of the nerve"),
        (spot(42, 60), "left edge of the nerve"),
        (spot(158, 60), "right edge of the nerve"),
        (spot(100, 60), "inside the nerve"),
        (spot(70, 60), "inside the nerve, in its left part"),
        (spot(100, 10), "tissue above the nerve"),
        (spot(100, 112), "tissue below the nerve"),
        (spot(100, 37) + spot(100, 83), "edge of the nerve, on several sides"),
    ],
)
def test_a_spot_is_read_where_it_lies(heat: np.ndarray, words: str) -> None:
    found = read(heat, MASK)
    assert words in found.sentence and found.sentence.startswith("Most of the evidence for affected")
    assert found.inside + found.edge + found.around == pytest.approx(1, abs=1e-5)


def test_spread_evidence_is_not_said_to_be_in_one_place() -> None:
    heat = spot(100, 60) + spot(100, 37) + spot(100, 10)
    assert "spread over nerve and surroundings" in read(heat, MASK).sentence


def test_nothing_is_said_to_be_nothing() -> None:
    assert read(np.zeros(MASK.shape), MASK, "unaffected").sentence == (
        "Nothing in this nerve or around it speaks for unaffected."
    )
