"""A reader's word: only what may be concluded, and its form on disk."""

import json

import numpy as np
import pytest

from nerve_core.inference.prediction import AFFECTED
from nerve_core.inference.review import LONGEST, READINGS, Reading, ReadingError


def test_it_survives_json() -> None:
    reading = Reading(False, AFFECTED, "Swollen.", "A. Reader", (np.float32([[1.234, 2], [3, 4]]),), True)
    kept = json.loads(json.dumps(reading.to_dict()))
    assert kept["contours"] == [[[1.23, 2.0], [3.0, 4.0]]] and kept["agrees"] is False
    assert kept["written"].endswith("+00:00") and kept["reading"] in READINGS


def test_other_conclusions_and_endless_comments_are_refused() -> None:
    with pytest.raises(ReadingError, match="not 'no nerve found'"):
        Reading(None, "no nerve found")
    with pytest.raises(ReadingError, match="longer"):
        Reading(None, AFFECTED, "a" * (LONGEST + 1))
