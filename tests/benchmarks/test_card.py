"""The card says what the weights learned from and shows only figures that were measured."""

import json
from pathlib import Path

from benchmarks.card import card

CONFIG = {
    "name": "research",
    "version": "1.0",
    "architecture": "attention_unet_lite0",
    "input_size": 256,
    "sites": ["groin", "neck"],
    "sets": [
        {"set": "usgra", "train": 8, "val": 1, "test": 1, "groups": 10, "licence": "CC-BY-4.0"},
        {"set": "mine", "train": 3, "val": 1, "test": 1, "groups": 5, "licence": "not stated"},
    ],
}
RATE = {"value": 0.91, "ci95": [0.8, 0.97], "n": 20, "groups": 9}
METRICS = {
    "regenerate": "python -m benchmarks.regenerate --data DIR",
    "speckle_leak": {
        "sigma_1.0_px": {"affected_vs_rest": {"network": {"auc": 0.88}, "texture": {"auc": 0.77}}}
    },
    "contours": {"usgra": {"n": 10, "groups": 9, "dice_mean": 0.71, "dice_ci95": [0.6, 0.8]}},
    "verdict": {
        "all": {
            "headline": {"auc": RATE, "sensitivity": RATE},
            "by_severity": [{"from": 0.5, "to": 0.7, "sensitivity": RATE}],
            "by_kind": {"fascicle_loss": {"sensitivity": RATE}},
        }
    },
}


def write(folder: Path, **files: object) -> Path:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_a_card_without_figures_says_so(tmp_path: Path) -> None:
    text = card(write(tmp_path, config=CONFIG))
    assert "Not measured yet." in text
    assert "Research use only" in text
    assert "never tested on diagnosed patients" in text
    assert "| usgra | healthy volunteers" in text
    assert "8 / 1 / 1" in text
    assert "not stated" in text


def test_figures_are_those_of_the_file(tmp_path: Path) -> None:
    text = card(write(tmp_path, config=CONFIG, metrics=METRICS))
    assert "0.71 (0.60–0.80)" in text
    assert "| 0.5 to 0.7 | 20 | 0.91 (0.80–0.97) |" in text
    assert "| fascicle loss | 20 |" in text
    assert "groin, neck" in text
    assert "AUC 0.88 and texture features with 0.77" in text
