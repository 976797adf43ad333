"""Single nerves cut out of originals, shams and written-in pathology, prepared once for many epochs."""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nerve_core.data import pathology
from nerve_core.data.packed import Packed
from nerve_core.data.pathology import affect, sham

MARGIN = 2.8
"""Side of the stored window over the longer side of the nerve: room to shift, turn and enlarge the crop."""

STORED = 256
"""Largest stored side, px."""

SMALLEST = 0.1
"""Nerves below this share of the scan's largest are not used as originals."""


@dataclass(frozen=True, eq=False)
class NerveSample:
    """A window around one nerve.

    Attributes:
        image: uint8 (S, S).
        nerve: uint8 (S, S), 1 inside the nerve.
        kind: ``affected``, ``sham`` or ``original``.
        severity: 0 unless affected.
        row: index of the packed image.
    """

    image: np.ndarray
    nerve: np.ndarray
    kind: str
    severity: float
    row: int


def build_bank(
    packed: Packed, affected: int, shams: int, seed: int, cache: Path | None = None, workers: int = 2
) -> list[NerveSample]:
    """Every nerve as it is, and of every scan so many affected and sham versions.

    Args:
        packed: healthy or presumably healthy scans with contours.
        affected: versions of each scan with a pathology of severity 0.3 to 1.
        shams: versions of each scan without one.
        seed: of the drawn pathology.
        cache: folder to keep the bank in; None makes it afresh.
        workers: processes.
    """
    file = None
    if cache is not None:
        # A bank holds for one version of the synthesis only.
        code = [path.read_text() for path in sorted(Path(pathology.__file__).parent.glob("*.py"))]
        what = f"{[row['image'] for row in packed.rows]}{affected}{shams}{seed}{code}"
        file = cache / f"nerves-{hashlib.sha256(what.encode()).hexdigest()[:16]}.pkl"
        if file.exists():
            return pickle.loads(file.read_bytes())
    tasks = [
        (packed.images[k], packed.masks[k], packed.rows[k].get("site", ""), k, affected, shams, seed)
        for k in range(len(packed))
    ]
    if workers > 1:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            parts = list(pool.map(_versions, tasks, chunksize=16))
    else:
        parts = [_versions(task) for task in tasks]
    bank = [sample for part in parts for sample in part]
    if file is not None:
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part")
        partial.write_bytes(pickle.dumps(bank))
        partial.replace(file)
    return bank


def _versions(task: tuple[np.ndarray, np.ndarray, str, int, int, int, int]) -> list[NerveSample]:
    image, mask, site, k, affected, shams, seed = task
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[:, cv2.CC_STAT_AREA]
    found = [
        _window(image, (labels == j).astype(np.uint8), "original", 0.0, k)
        for j in range(1, count)
        if areas[j] >= SMALLEST * areas[1:].max()
    ]
    for version in range(affected + shams):
        change = affect if version < affected else sham
        rng = np.random.default_rng([seed, k, version])
        altered = change(image, mask * np.uint8(255), rng, site=site)
        kind = "affected" if version < affected else "sham"
        nerve = (altered.changed > 127).astype(np.uint8)
        found.append(_window(altered.image, nerve, kind, altered.severity, k))
    return found


def _window(image: np.ndarray, nerve: np.ndarray, kind: str, severity: float, row: int) -> NerveSample:
    """The square around a nerve; beyond the image's border the last pixels repeat."""
    x, y, width, height = cv2.boundingRect(nerve)
    half = int(np.ceil(max(24.0, MARGIN * max(width, height)) / 2))
    column, line = x + width // 2, y + height // 2
    padded = cv2.copyMakeBorder(image, half, half, half, half, cv2.BORDER_REPLICATE)
    inside = cv2.copyMakeBorder(nerve, half, half, half, half, cv2.BORDER_CONSTANT, value=0)
    window = (slice(line, line + 2 * half), slice(column, column + 2 * half))
    picture, inside = padded[window], inside[window]
    if 2 * half > STORED:
        picture = cv2.resize(picture, (STORED, STORED), interpolation=cv2.INTER_AREA)
        inside = cv2.resize(inside, (STORED, STORED), interpolation=cv2.INTER_NEAREST_EXACT)
    return NerveSample(np.ascontiguousarray(picture), np.ascontiguousarray(inside), kind, severity, row)
