"""Single nerves cut out of originals, shams and written-in pathology, prepared once for many epochs."""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from nerve_core.data import nerve_versions, pathology
from nerve_core.data.nerve_versions import cases
from nerve_core.data.packed import Packed

MARGIN = 2.8
"""Side of the stored window over the longer side of the nerve: room to shift, turn and enlarge the crop."""

STORED = 256
"""Largest stored side, px."""

AGREE = 0.3
"""Least overlap (intersection over union) at which a drawn contour is taken for the same nerve."""


class Drawer(Protocol):
    """A contour network that outlines nerves as it will in use.

    Attributes:
        key: another for other weights, so that a bank in the cache is not taken for theirs.
    """

    key: str

    def __call__(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """A mask uint8 0/1 (H, W) of all nerves found in each grey uint8 scan (H, W)."""


@dataclass(frozen=True, eq=False)
class NerveSample:
    """A window around one nerve.

    Attributes:
        image: uint8 (S, S).
        nerve: uint8 (S, S), 1 inside the nerve.
        kind: ``affected``, ``sham`` or ``original``.
        severity: 0 unless affected.
        row: index of the packed image.
        drawn: uint8 (S, S), 1 inside the contour that a network drew of this nerve; None where it drew none.
    """

    image: np.ndarray
    nerve: np.ndarray
    kind: str
    severity: float
    row: int
    drawn: np.ndarray | None = None


def build_bank(
    packed: Packed,
    affected: int,
    shams: int,
    seed: int,
    cache: Path | None = None,
    workers: int = 2,
    drawer: Drawer | None = None,
) -> list[NerveSample]:
    """Every nerve as it is, and of every scan so many affected and sham versions.

    The versions are those of :func:`nerve_core.data.nerve_versions.cases`.

    Args:
        packed: healthy or presumably healthy scans with contours.
        affected: versions of each scan with a pathology of severity 0.3 to 1.
        shams: versions of each scan without one.
        seed: of the drawn pathology.
        cache: folder to keep the bank in; None makes it afresh.
        workers: processes.
        drawer: outlines the nerves once more, as a network sees them; it must be picklable.
    """
    file = None
    if cache is not None:
        # A bank holds for one version of the synthesis only.
        sources = [
            Path(__file__),
            Path(nerve_versions.__file__),
            *sorted(Path(pathology.__file__).parent.glob("*.py")),
        ]
        code = [path.read_text() for path in sources]
        what = f"{[row['image'] for row in packed.rows]}{affected}{shams}{seed}{code}{drawer and drawer.key}"
        file = cache / f"nerves-{hashlib.sha256(what.encode()).hexdigest()[:16]}.pkl"
        if file.exists():
            return pickle.loads(file.read_bytes())
    tasks = [
        (packed.images[k], packed.masks[k], packed.rows[k].get("site", ""), k, affected, shams, seed, drawer)
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


def _versions(
    task: tuple[np.ndarray, np.ndarray, str, int, int, int, int, Drawer | None],
) -> list[NerveSample]:
    image, mask, site, k, affected, shams, seed, drawer = task
    found = list(cases(np.asarray(image), mask, k, affected, shams, seed, site))
    images = list({id(case.image): case.image for case in found}.values())  # nerves of one scan share it
    outlines = dict(zip(map(id, images), drawer(images), strict=True)) if drawer else {}
    return [
        _window(
            case.image,
            case.nerve,
            _same_nerve(outlines.get(id(case.image)), case.nerve),
            case.kind,
            case.severity,
            k,
        )
        for case in found
    ]


def _same_nerve(outlines: np.ndarray | None, nerve: np.ndarray) -> np.ndarray | None:
    """The drawn component that is this nerve, uint8 0/1; None where none agrees with it."""
    if outlines is None or not (touched := outlines & nerve).any():
        return None
    count, labels = cv2.connectedComponents(outlines)
    best = 1 + int(np.argmax([np.count_nonzero(touched[labels == j]) for j in range(1, count)]))
    drawn = (labels == best).astype(np.uint8)
    return drawn if (drawn & nerve).sum() >= AGREE * (drawn | nerve).sum() else None


def _window(
    image: np.ndarray, nerve: np.ndarray, drawn: np.ndarray | None, kind: str, severity: float, row: int
) -> NerveSample:
    """The square around a nerve; beyond the image's border the last pixels repeat."""
    x, y, width, height = cv2.boundingRect(nerve)
    half = int(np.ceil(max(24.0, MARGIN * max(width, height)) / 2))
    column, line = x + width // 2, y + height // 2
    window = (slice(line, line + 2 * half), slice(column, column + 2 * half))
    picture = cv2.copyMakeBorder(image, half, half, half, half, cv2.BORDER_REPLICATE)[window]
    masks = [None if mask is None else np.pad(mask, half)[window] for mask in (nerve, drawn)]
    if 2 * half > STORED:
        picture = cv2.resize(picture, (STORED, STORED), interpolation=cv2.INTER_AREA)
        masks = [
            mask
            if mask is None
            else cv2.resize(mask, (STORED, STORED), interpolation=cv2.INTER_NEAREST_EXACT)
            for mask in masks
        ]
    inside, drawn = (None if mask is None else np.ascontiguousarray(mask) for mask in masks)
    return NerveSample(np.ascontiguousarray(picture), inside, kind, severity, row, drawn)
