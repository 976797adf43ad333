"""Parts of the results, tables as files, the traps, and where a case is found."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nerve_core.inference.prediction import AFFECTED
from nerve_core.ui import metrics_case, metrics_subgroups, metrics_table
from nerve_core.ui.metrics_case import Case, dashed, locate
from nerve_core.ui.metrics_contours import extremes
from nerve_core.ui.metrics_numbers import Cases, at_threshold
from nerve_core.ui.metrics_table import SCANS, Column
from nerve_core.ui.metrics_traps import leak_lines, sham_lines, trained_without
from nerve_core.ui.metrics_verdict_plots import confusion
from nerve_core.ui.theme import VERDICT_COLOURS, rgb

VERDICTS = pd.DataFrame(
    {
        "set": "s",
        "group": [f"s/{number // 3}" for number in range(9)],
        "source_image": [f"{number // 3}.png" for number in range(9)],
        "label": [0.0, 0.0, 1.0] * 3,
        "sham": [0.0, 1.0, 0.0] * 3,
        "severity": [0, 0, 0.3, 0, 0, 0.5, 0, 0, 1.0],
        "kind": ["", "", "swelling", "", "", "swelling+compression", "", "", "compression"],
        "size": [0.01, 0.01, 0.09, 0.02, 0.02, 0.02, 0.05, 0.05, 0.05],
        "p_affected": [0.1, 0.7, 0.4, 0.2, 0.6, 0.9, 0.1, 0.2, 0.8],
        "site": "",
        "nerve": ["median"] * 6 + [""] * 3,
        "device": "A",
    }
)


def test_parts_of_size_follow_the_scan_before_its_pathology():
    parts = metrics_subgroups.parts(VERDICTS, "size")
    assert [len(part) for part in parts.values()] == [3, 3, 3]
    name, small = next(iter(parts.items()))
    assert name.startswith("small") and set(small["source_image"]) == {"0.png"}


def test_thirds_by_depth_and_brightness():
    frame = VERDICTS.assign(depth=np.arange(9) / 10, brightness=np.arange(9)[::-1] * 10.0).drop(
        columns="source_image"
    )
    depth = metrics_subgroups.parts(frame, "depth")
    assert [len(part) for part in depth.values()] == [3, 3, 3]
    assert next(iter(depth)) == "shallow (below 26.7 % of the picture's depth)"
    dark = next(iter(metrics_subgroups.parts(frame, "brightness").values()))
    assert dark["brightness"].tolist() == [20.0, 10.0, 0.0]
    assert {"depth", "brightness"} <= set(metrics_subgroups.ways(frame))


def test_parts_of_pathology_stand_against_all_the_healthy():
    severity = metrics_subgroups.parts(VERDICTS, "severity")
    assert list(severity) == ["0.3 to 0.5", "0.5 to 0.7", "0.7 to 1"]
    kinds = metrics_subgroups.parts(VERDICTS, "kind")
    assert list(kinds) == ["compression", "swelling"]
    assert [int(part["label"].sum()) for part in kinds.values()] == [2, 2]
    assert all((part["label"] == 0).sum() == 6 for part in (*severity.values(), *kinds.values()))


def test_only_ways_that_differ_are_offered_and_the_unnamed_comes_last():
    assert metrics_subgroups.ways(VERDICTS) == ["set", "nerve", "size", "severity", "kind"]
    assert list(metrics_subgroups.parts(VERDICTS, "nerve")) == ["median", metrics_subgroups.NOT_STATED]


def test_a_table_in_words_and_as_files():
    columns = (Column("site", "Site"), *SCANS, Column("auc", "AUC"))
    lines = [{"site": "a|b", "n": 1200, "groups": 7, "auc": 0.912, "auc_ci95": [0.85, 0.95]}, {"auc": None}]
    text = metrics_table.markdown(columns, lines)
    assert "| a\\|b | 1 200 | 7 | 0.91 (0.85–0.95) |" in text and "| – | – | – | – |" in text
    (first, _) = csv.DictReader(io.StringIO(metrics_table.as_file("csv", columns, lines)))
    assert first["auc"] == "0.912" and first["auc_ci95_low"] == "0.85" and first["n"] == "1200"
    latex = metrics_table.as_file("latex", columns, lines)
    assert latex.startswith("\\begin{tabular}{lllll}") and latex.endswith("\\end{tabular}\n")
    assert metrics_table.markdown(columns, []) is None


def test_the_split_by_image_is_compared_on_sets_that_both_have():
    frame = pd.DataFrame(
        {
            "method": ["unet"] * 4 + ["fcn"],
            "set": ["a", "a", "a", "b", "a"],
            "split": ["test", "test", "image", "image", "test"],
            "group": ["1", "2", "1", "3", "1"],
            "dice": [0.4, 0.6, 0.8, 0.1, 0.9],
        }
    )
    (line,) = leak_lines(frame)
    assert (line["method"], line["n"], line["groups"]) == ("Unet", 2, 2)
    assert (line["by_group"], line["by_image"]) == (0.5, 0.8) and line["gain"] == pytest.approx(0.3)


def test_without_controls_the_figures_are_better():
    (line,) = sham_lines(VERDICTS.assign(method="weights:research", split="test"))
    assert line["accuracy_without"] == 1.0 and line["accuracy"] == pytest.approx(6 / 8)
    assert (line["originals"], line["shams"]) == (1.0, pytest.approx(1 / 3)) and line["n"] == 8
    assert line["auc_without"] == 1.0 and line["groups"] == 3


def test_two_trainings_are_compared_in_a_sentence():
    lines = [{"name": "trap:shams", "shams": 0.9}, {"name": "trap:no-shams", "shams": 0.4}]
    assert "90 % of the test" in trained_without(lines) and "40 %: without them it learns" in trained_without(
        lines
    )
    assert "did no harm" in trained_without([lines[0], {"name": "trap:no-shams", "shams": 0.95}])
    assert trained_without(lines[:1]) == ""


def test_worst_and_best_do_not_overlap():
    rows = pd.DataFrame({"set": "s", "image": list("abcde"), "dice": [0.5, 0.1, 0.9, 0.3, 0.7]})
    worst, best = extremes(rows, "dice", 8)
    assert worst == [1, 3, 0] and best == [2, 4]
    assert extremes(rows, "dice", 1) == ([1], [2])


def test_the_confusion_says_right_and_wrong_without_colour():
    p = np.array([0.9, 0.6, 0.3, np.nan, 0.8, 0.2, 0.1, np.nan])
    cases = Cases(p, np.array([1] * 4 + [0] * 4), np.array(list("abcdefgh")), np.zeros(8, bool))
    html = confusion(at_threshold(cases, 0.5))
    assert html.count("✓ right") == 2 and html.count("✗ wrong") == 4
    red, green, blue = rgb(VERDICT_COLOURS[AFFECTED])
    assert f"rgba({red},{green},{blue}," in html and "<b>2</b><br>50 % · ✓ right" in html


def test_a_case_is_found_by_its_set_and_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "usgra"
    for name in ("11/a.png", "1/a.png"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_bytes(b"")
    (home / "manifest.csv").write_text("image,group,label\n11/a.png,1,\n1/a.png,1,\ngone.png,1,\n")
    monkeypatch.setattr(metrics_case, "found_sets", lambda: {"usgra": home})
    found = locate(Case("m", "usgra", "1/a.png", "", "", 0.5))
    assert found is not None and Path(found["image"]) == (home / "1/a.png").resolve()
    assert locate(Case("m", "usgra", "gone.png", "", "", 0.5)) is None
    assert locate(Case("m", "kaggle", "1/a.png", "", "", 0.5)) is None
    assert metrics_case.sets_here(["usgra", "kaggle"]) == ["usgra"]


def test_dashes_leave_gaps():
    mask = np.zeros((100, 100), bool)
    mask[20:80, 20:80] = True
    picture = np.full((400, 400, 3), 90, np.uint8)
    dashed(picture, mask)
    white = (picture == 255).all(axis=2)
    assert 100 < white.sum() < 4 * 240 * 4 and (picture[80, 82:318] == 90).all(axis=1).any()
