"""The storage benchmark reads the same pixels every way, and says what it read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.storage import measure
from nerve_core.data.manifest import Row


def test_every_way_is_timed_on_the_same_scans(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for k in range(3):
        place = {"image": str(tmp_path / f"{k}.png"), "mask": str(tmp_path / f"{k}-m.png")}
        cv2.imwrite(place["image"], rng.integers(10, 250, (64, 80), np.uint8))
        cv2.imwrite(place["mask"], np.eye(64, 80, dtype=np.uint8) * 255)
        rows.append(place)
    (tmp_path / "packed").mkdir()
    found = measure(rows, tmp_path / "packed", 2)
    assert (found["scans"], found["sides_px"], found["rounds"]) == (3, ["80x64"], 2)
    assert set(found["images_per_second"]) == {"reader", "plain decoding", "npz", "shards"}
    assert set(found["shards_over"]) == {"reader", "plain decoding", "npz"}
    assert all(rate > 0 for rate in (*found["images_per_second"].values(), *found["shards_over"].values()))
