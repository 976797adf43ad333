"""The ablation goes on where it stopped and judges only what a run never saw; its page shows the rest."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import ablation
from benchmarks.ablation import HOME, WRIST, done, judged, keep
from benchmarks.ablation_table import page

SETUP = {"size": 128, "steps": 200, "batch": 16, "most": 120}


@pytest.fixture(autouse=True)
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ablation, "TARGET", tmp_path / "ablation.json")
    return tmp_path / "ablation.json"


def score(value: float) -> dict:
    return {"dice_mean": value, "dice_ci95": [value - 0.1, value + 0.1], "click": {"dice_mean": value + 0.2}}


def test_runs_add_up_and_another_setup_starts_again() -> None:
    keep("plain", SETUP, "usgra", {"usgra": score(0.3)})
    keep("plain", SETUP, "kaggle", {"kaggle": score(0.4)})
    assert set(done("plain", SETUP)) == {"usgra", "kaggle"}
    assert done("plain", SETUP | {"steps": 400}) == {} and done("augmented", SETUP) == {}


def manifest(folder: Path, rows: list[dict[str, str]]) -> Path:
    folder.mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "i.png")
    path = folder / "manifest.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, ["image", "mask", "group", "site", "simulated"])
        table.writeheader()
        table.writerows(
            {"image": "i.png", "mask": "i.png", "simulated": "0", "site": ""} | row for row in rows
        )
    return path


def test_a_run_is_judged_on_what_it_never_saw(tmp_path: Path) -> None:
    real = {"usgra": manifest(tmp_path / "usgra", [{"group": "a"}])}
    made = manifest(
        tmp_path / "made",
        [
            {"group": "p", "site": "wrist", "simulated": "1"},
            {"group": "q", "site": "neck", "simulated": "1"},
        ],
    )
    image = str((tmp_path / "usgra" / "i.png").resolve())
    assert [row["group"] for row in judged("usgra", real, made, [])["usgra"]] == ["a"]
    assert [row["group"] for row in judged(WRIST, real, made, [])[WRIST]] == ["p"]
    tested = [{"image": image, "split": "test"}]
    assert [row["group"] for row in judged(HOME, real, made, tested)["usgra"]] == ["a"]


def test_the_page_shows_what_is_stored_and_dashes_for_the_rest() -> None:
    keep("plain", SETUP, "usgra", {"usgra": score(0.3)})
    keep("plain", SETUP, HOME, {"usgra": score(0.6)})
    text = page(ablation.stored()["rows"])
    assert "200 steps of 16 samples" in text
    assert "| real scans, mirrored and shifted | 0.30 (0.20–0.40) | – | – | – |" in text
    assert "| real scans, mirrored and shifted | 0.60 (0.50–0.70) |" in text
    assert "| real scans, mirrored and shifted | 0.80 |" in text  # with a click, no interval stored
