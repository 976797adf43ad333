"""The benchmark of enhancement knows a good treatment from a bad one; its tables show what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import enhancement_table
from benchmarks.enhancement import held_back, likeness, measure
from benchmarks.enhancement_table import TABLES
from nerve_core.data.packed import Packed
from nerve_core.errors import DataError
from nerve_core.generative.degrade import FAULTS
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, Prediction

SHAPE = (96, 128)


class BrightPredictor:
    """Takes what is brighter than 150 for nerve."""

    def predict(self, scan: Scan, click=None, *, gate: bool = True) -> Prediction:
        mask = (scan.pixels > 150).astype(np.uint8) * 255
        return Prediction(mask / np.float32(255), mask, (), NO_NERVE, None, "bright 1")


def packed() -> Packed:
    """Bright discs on speckle, two scans a group."""
    rows, images, masks = [], [], []
    for k in range(6):
        mask = np.zeros(SHAPE, np.uint8)
        mask[30:60, 40 + 3 * k : 70 + 3 * k] = 1
        noise = np.random.default_rng(k).normal(80, 12, SHAPE)
        images.append(np.clip(noise + 90 * mask, 0, 255).astype(np.uint8))
        masks.append(mask)
        rows.append({"image": f"{k}.png", "group": f"g{k // 2}", "set": "s"})
    return Packed(rows, images, masks)


@pytest.fixture(scope="module")
def figures() -> dict:
    return measure({"s": packed()}, BrightPredictor(), lambda image: image, 128)


def test_a_treatment_that_does_nothing_gains_nothing(figures: dict) -> None:
    sets = figures["sets"]
    assert set(sets) == {"s", "all"} and set(figures["faults"]) == set(FAULTS)
    shown = sets["s"]
    assert shown["original"]["dice"]["value"] > 0.95 > shown["poor"]["dice"]["value"]
    assert (shown["poor"]["n"], shown["poor"]["groups"]) == (6, 3)
    for condition in ("poor_enhanced", "original_enhanced"):
        assert shown[condition]["dice_gain"] == {"value": 0, "ci95": [0, 0]}
    assert shown["poor_enhanced"]["psnr"] == shown["poor"]["psnr"]
    assert shown["original_enhanced"]["ssim"]["value"] == pytest.approx(1)
    assert shown["poor_clahe"]["dice_gain"]["value"] != 0


def test_a_treatment_that_ruins_scans_is_found_out(figures: dict) -> None:
    ruined = measure({"s": packed()}, BrightPredictor(), np.zeros_like, 128)["sets"]["all"]
    assert ruined["original_enhanced"]["dice_gain"]["value"] < -0.9
    assert ruined["poor_enhanced"]["psnr"]["value"] < ruined["poor"]["psnr"]["value"]
    assert ruined["poor"] == figures["sets"]["all"]["poor"], "the same faults each time"


def test_likeness_of_equal_pictures_is_capped() -> None:
    picture = packed().images[0]
    assert likeness(picture, picture) == {"psnr": 60, "ssim": pytest.approx(1)}


def test_scans_that_the_enhancer_learned_from_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "manifest.csv").write_text("image,mask,group\na.png,a.png,1\nb.png,b.png,2\nc.png,,3\n")
    config = {"split": {"test": ["1", "2", "3"]}}
    found = held_back(folder / "manifest.csv", "test", None, config, {("s", "2")})
    assert [row["group"] for row in found] == ["1"]
    assert held_back(folder / "manifest.csv", "val", None, config, set()) == []


def test_the_page_shows_every_set_and_its_other_words_stay(figures: dict) -> None:
    one = {"version": "1.0", "val": figures, "test": figures}
    page = f"before\n{TABLES.begin}\nold\n{TABLES.end}\nafter\n"
    text = TABLES.rewritten(page, {"research": one})
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "`research` 1.0" in text and "| s | 6 (3) |" in text and "| narrow range |" in text
    assert "+0.000 (+0.000 to +0.000)" in text
    assert TABLES.rewritten(text, {"research": one}) == text
    with pytest.raises(DataError, match="once each"):
        TABLES.rewritten("no markers", {"research": one})


def test_the_page_in_the_repository_is_that_of_the_figures() -> None:
    page = enhancement_table.PAGE.read_text(encoding="utf-8")
    assert TABLES.rewritten(page, json.loads(enhancement_table.TARGET.read_text())) == page
