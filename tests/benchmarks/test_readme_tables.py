"""The README's figures are those of the checkpoints' metrics.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import readme_tables
from benchmarks.readme_tables import BEGIN, END, load, rewritten
from nerve_core.errors import DataError

METRICS = {
    "version": "1.2",
    "contours": {
        "femoral": {
            "n": 40,
            "groups": 27,
            "dice_mean": 0.7512,
            "dice_ci95": [0.7, 0.8],
            "click": {"dice_mean": 0.7777, "dice_ci95": [0.75, 0.81]},
        },
        "usgra": {"n": 19, "groups": 17, "dice_mean": 0.689, "dice_ci95": None, "click": None},
    },
    "leave_one_set_out": {"femoral": {"dice_mean": 0.6, "dice_ci95": [0.5, 0.7]}},
    "verdict": {
        "all": {
            "headline": {
                "auc": {"value": 0.944, "ci95": [0.92, 0.96]},
                "size_observer_auc": 0.8,
                "sensitivity": {"value": 0.9, "ci95": None},
                "specificity_originals": {"value": None, "ci95": None},
            }
        },
        "usgra": {"overall": {}},
    },
    "bench": {"path_ms": 31.6, "network_ms": 9.4, "eager_path_ms": 80.2, "device": "cpu", "threads": 2},
}


def checkpoint(folder: Path, name: str, metrics: dict) -> None:
    (folder / name).mkdir()
    (folder / name / "metrics.json").write_text(json.dumps(metrics))


def test_tables_hold_the_figures_and_dashes_for_what_was_not_measured(tmp_path: Path) -> None:
    checkpoint(tmp_path, "open", {"contours": {}})
    checkpoint(tmp_path, "research", METRICS)
    text = rewritten(f"before\n{BEGIN}\nstale\n{END}\nafter\n", load(tmp_path))
    assert text.startswith(f"before\n{BEGIN}\n") and text.endswith(f"{END}\nafter\n") and "stale" not in text
    assert text.index("`research` 1.2") < text.index("`open`")
    assert "| femoral | 40 (27) | 0.75 (0.70–0.80) | 0.78 (0.75–0.81) | 0.60 (0.50–0.70) | – |" in text
    assert "| usgra | 19 (17) | 0.69 | – | – | – |" in text
    assert "| all | 0.94 (0.92–0.96) | 0.80 | 0.90 | – | – |" in text
    assert "32 ms on cpu with 2 threads" in text


def test_rewriting_twice_changes_nothing(tmp_path: Path) -> None:
    checkpoint(tmp_path, "research", METRICS)
    once = rewritten(f"{BEGIN}{END}", load(tmp_path))
    assert rewritten(once, load(tmp_path)) == once


@pytest.mark.parametrize("readme", ["nothing", BEGIN, f"{BEGIN}{END}{BEGIN}{END}"])
def test_missing_or_doubled_markers_are_refused(readme: str) -> None:
    with pytest.raises(DataError, match="once each"):
        rewritten(readme, [{"name": "research"}])


def test_nothing_measured_leaves_the_readme_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text(f"{BEGIN}figures{END}")
    monkeypatch.setattr(readme_tables, "ROOT", tmp_path)
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(tmp_path))
    assert readme_tables.main() == 1
    assert "benchmarks.regenerate" in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text() == f"{BEGIN}figures{END}"
