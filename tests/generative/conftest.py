"""Two small sets on disk: phantoms, and phantoms that stand in for real scans."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from nerve_core.data.phantom import simulate
from nerve_core.data.phantom_set import write_phantom_set


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_phantom_set(tmp_path_factory.mktemp("sets") / "phantoms", 6, seed=900, size=(96, 96))


@pytest.fixture(scope="session")
def reals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Darker phantoms without the column ``simulated``; every third is for research only."""
    folder = tmp_path_factory.mktemp("sets") / "clinic"
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "mask", "mask_vessel", "label", "group", "site", "licence"])
        for seed in range(30):
            phantom = simulate(seed, site="groin", size=(96, 96))
            dark = (phantom.image * 0.5).astype(np.uint8)
            named = {"": dark, "-mask": phantom.mask, "-vessel": phantom.vessel_mask}
            for suffix, picture in named.items():
                cv2.imwrite(str(folder / f"{seed}{suffix}.png"), picture)
            licence = "research only" if seed % 3 == 0 else "MIT"
            table.writerow(
                [
                    f"{seed}.png",
                    f"{seed}-mask.png",
                    f"{seed}-vessel.png",
                    "unaffected",
                    f"p{seed}",
                    "groin",
                    licence,
                ]
            )
    return folder / "manifest.csv"
