"""A set of phantoms on disk, for training: every site in turn, half of them with pathology."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data.phantom import simulate
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.errors import DataError

COLUMNS = ("image", "mask", "label", "group", "nerve", "site", "device", "simulated", "licence")


def write_phantom_set(out: Path, count: int, seed: int = 0, size: tuple[int, int] = (384, 384)) -> Path:
    """Write ``count`` phantoms as PNG with masks; the same arguments give the same files.

    Args:
        out: folder to make; refused when it holds anything.
        count: phantoms, at least 1; each is a group of its own.
        seed: of the first phantom; the samples that ship use seeds from 0, so keep away from those.
        size: (height, width) px.

    Returns:
        Path of ``out/manifest.csv``, with ``simulated`` 1 in every row.

    Raises:
        DataError: the folder holds something, or count is below 1.
    """
    if count < 1:
        raise DataError(f"At least 1 phantom is needed, got {count}.")
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out} is not empty; choose another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with (partial / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for k in range(count):
                table.writerow(_write(partial, list(SITES)[k % len(SITES)], k, seed, size))
        partial.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return out / "manifest.csv"


def _write(folder: Path, site: str, k: int, seed: int, size: tuple[int, int]) -> tuple[str, ...]:
    rng = np.random.default_rng([seed, k])
    affected = bool(rng.random() < 0.5)
    phantom = simulate(seed + k, site=site, affected=affected, severity=rng.uniform(0.3, 1), size=size)
    image, mask = f"{k:05d}.png", f"{k:05d}-mask.png"
    cv2.imwrite(str(folder / image), phantom.image)
    cv2.imwrite(str(folder / mask), phantom.mask)
    group = f"phantom-{seed + k}"
    return image, mask, phantom.label, group, phantom.nerve, site, phantom.device, "1", "CC0-1.0"
