"""A small published benchmark with known figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nerve_core.evaluation.contours import ContourScore
from nerve_core.evaluation.methods import version_of
from nerve_core.evaluation.published import publish
from nerve_core.evaluation.results import ResultsStore, Run
from nerve_core.evaluation.scoring import Answer, Scored

SETS = {"ubpd": 8, "usgra": 10}
"""Scans, each a group of its own, of each set."""
DICE = {"weights:research": 0.8, "unet": 0.7, "otsu": 0.3}
MS = {"weights:research": 40.0, "unet": 60.0, "otsu": 5.0}


def contour(dice: float) -> ContourScore:
    return ContourScore(dice, dice / (2 - dice), 5.0, dice, precision=dice, recall=dice)


def images(
    method: str,
    name: str,
    drop: float = 0.0,
    shifted: bool = False,
    label: int | None = 0,
    **columns: str,
) -> list[Scored]:
    """Scans of a set as a method does on them; the usgra scans are 0.1 easier, and no two are alike."""
    found = []
    for k in range(SETS[name]):
        dice = DICE[method] + (0.1 if name == "usgra" else 0.0) - drop + 0.01 * (k % 3)
        own = f"scans/{k:02d}.png"
        row = {
            "image": f"/data/{name}/{own}",
            "listed image": f"{k:05d}.png" if shifted else own,
            "group": str(k),
            "site": "neck" if k % 2 else "wrist",
            "source_image": f"/data/{name}/{own}" if shifted else "",
            **columns,
        }
        p = 0.9 - 0.05 * (k % 3) if label else 0.1 + 0.05 * (k % 3)
        found.append(
            Scored(
                row,
                label,
                True,
                0.01 + 0.001 * k,
                answer=Answer(contour(dice), None, p, "affected", MS[method] + k),
                click_answer=None
                if shifted
                else Answer(contour(dice + 0.05), contour(dice + 0.08), p, "affected", MS[method]),
            )
        )
    return found


def write(folder: Path, tasks: tuple[str, ...] = ("contours", "verdict", "robustness")) -> None:
    """Publish the results of some tasks, and costs."""
    store = ResultsStore(folder / "results.sqlite")
    for name in SETS:
        for method in DICE:
            setup = "128 px, 200 steps of 16" if method == "unet" else ", ".join(version_of(method))
            if "contours" in tasks:
                store.add(Run(method, name, setup=setup), images(method, name))
            if "verdict" in tasks and method != "otsu":
                scored = images(method, name, label=0, sham="0")
                scored += images(method, name, label=0, sham="1")
                scored += images(method, name, label=1, sham="0", severity="0.8")
                store.add(Run(method, name, task="verdict", setup=setup), scored)
            if "robustness" in tasks:
                limited = f"{setup}, at most 20".removeprefix(", ")
                for strength in (0.5, 1.0):
                    for shift in ("blur", "rotation"):
                        run = Run(method, name, f"{shift} {strength:g}", "robustness", 0, limited)
                        store.add(run, images(method, name, drop=0.2 * strength, shifted=True))
    if "contours" in tasks:
        store.add(
            Run("unet", "ubpd", "without ubpd", setup="128 px, 200 steps of 16"), images("unet", "ubpd")
        )
    store.add_cost("unet", {"parameters": 7_800_000, "macs": 2.5e9, "openvino_ms": 8.0, "memory_mib": 60.0})
    publish(store, folder)
    (folder / "results.sqlite").unlink()


def square(shape: tuple[int, int], top: int, left: int, side: int) -> np.ndarray:
    """uint8 (H, W), 255 in a square."""
    mask = np.zeros(shape, np.uint8)
    mask[top : top + side, left : left + side] = 255
    return mask
