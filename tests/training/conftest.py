"""A small simulated set on disk, large enough to split and train on."""

import csv
from pathlib import Path

import cv2
import pytest

from nerve_core.data.phantom import simulate


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "mask", "label", "group", "site", "licence"])
        for seed in range(12):
            phantom = simulate(seed, site="wrist", size=(96, 96))
            cv2.imwrite(str(folder / f"{seed}.png"), phantom.image)
            cv2.imwrite(str(folder / f"{seed}-mask.png"), phantom.mask)
            licence = "CC0-1.0" if seed % 2 else "research only"
            table.writerow([f"{seed}.png", f"{seed}-mask.png", "unaffected", f"p{seed}", "wrist", licence])
    return folder / "manifest.csv"
