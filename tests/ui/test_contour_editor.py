"""What the outline editor accepts from the browser, and the script it is made of."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Nerve, Prediction
from nerve_core.ui import contour_editor
from nerve_core.ui.session_items import Edit

SCAN = Scan(np.full((80, 100), 90, np.uint8))
SQUARE = [[10, 10], [40, 10], [40, 40], [10, 40]]
BEFORE = Edit(3, (np.float32(SQUARE),))


def test_a_step_from_the_browser_is_taken():
    edit = contour_editor.accepted({"revision": 4, "contours": [SQUARE]}, SCAN, Edit())
    assert edit.revision == 4 and not edit.problem
    assert edit.contours[0].dtype == np.float32 and edit.contours[0].tolist() == SQUARE


def test_the_models_own_outlines_are_no_edit():
    assert contour_editor.accepted({"revision": 9, "contours": None}, SCAN, BEFORE).contours is None


@pytest.mark.parametrize(
    "contours",
    [
        [[[0, 0], [30, 30], [30, 0], [0, 30]]],
        [SQUARE, SQUARE],
        [[[10, 10], [400, 10], [40, 40]]],
        [[]],
        [[[1, 2], [3]]],
        [["a", "b", "c"]],
        "nonsense",
        5,
        [None],
        [[[None, 1], [2, 3], [4, 5]]],
    ],
)
def test_what_cannot_be_used_leaves_the_outlines_before_it_and_says_why(contours):
    edit = contour_editor.accepted({"revision": 4, "contours": contours}, SCAN, BEFORE)
    assert edit.revision == 4 and edit.contours is BEFORE.contours
    assert edit.problem.endswith(".")


def test_without_a_number_nothing_is_taken():
    assert contour_editor.accepted({"contours": [SQUARE]}, SCAN, BEFORE) is BEFORE


def test_judgements_come_in_the_order_drawn_with_the_numbers_of_the_page():
    outlines = [np.float32(SQUARE), np.float32(SQUARE) + 45]
    nerves = [Nerve(outlines[k], (0, 0), 900, None, 0.5, p) for k, p in ((1, 0.9), (0, 0.1))]
    blank = np.zeros((80, 100), np.uint8)
    judged = Prediction(blank / np.float32(1), blank, tuple(nerves), "affected", 0.9, "w", edited=True)
    found = contour_editor._judgements(judged, outlines)
    assert [(each["number"], each["said"]) for each in found] == [
        ("2", "Looks unaffected, 10 %"),
        ("1", "Looks affected, 90 %"),
    ]


def test_the_modules_join_into_one_script():
    script = contour_editor.script()
    assert not re.search(r"^import ", script, re.MULTILINE)
    assert re.findall(r"^export .*?\(", script, re.MULTILINE) == ["export default function ("]
    names = re.findall(r"^(?:const|let|class|function) (\w+)", script, re.MULTILINE)
    assert len(names) == len(set(names)), "two modules use one name"
    asked = {
        name
        for line in re.findall(r"^import \{([^}]*)\}", _sources(), re.MULTILINE)
        for name in line.split(",")
    }
    assert {name.strip() for name in asked} <= set(names)


def _sources() -> str:
    return "\n".join(
        (contour_editor._HERE / f"contour_{part}.js").read_text() for part in contour_editor.PARTS
    )
