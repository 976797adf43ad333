"""A predictor with known answers and manifests drawn for it."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, Nerve, Prediction, verdict_of


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    """uint8 (H, W), 255 within ``radius`` px of (x, y)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.where((columns - x) ** 2 + (rows - y) ** 2 <= radius**2, 255, 0).astype(np.uint8)


class FakePredictor:
    """Answers with the mask and probability it was given for a scan of that name."""

    name, version = "fake", "1"

    def __init__(self, answers: dict[str, tuple[np.ndarray, float | None]]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, tuple[float, float] | None, bool]] = []

    def predict(self, scan: Scan, click=None, preprocess=None, gate: bool = True) -> Prediction:
        self.calls.append((scan.name, click, gate))
        mask, p = self.answers[scan.name]
        nerves = ()
        if p is not None:
            nerves = (Nerve(np.zeros((3, 2), np.float32), (0.0, 0.0), float((mask > 0).sum()), None, 1.0, p),)
        return Prediction(
            probability=(mask > 0).astype(np.float32),
            mask=mask,
            nerves=nerves,
            verdict=NO_NERVE if p is None else verdict_of(p),
            p_affected=p,
            model="fake 1",
        )


def write_manifest(folder: Path, rows: list[dict], masks: dict[str, np.ndarray], seed: int = 0) -> Path:
    """A manifest with speckled grey images, one a row, and the given masks by image name."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed)
    for row in rows:
        mask = masks[row["image"]]
        cv2.imwrite(str(folder / row["image"]), noise.integers(1, 200, mask.shape).astype(np.uint8))
        row["mask"] = f"mask_{row['image']}"
        cv2.imwrite(str(folder / row["mask"]), mask)
    path = folder / "manifest.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path
