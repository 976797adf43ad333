"""Single nerves to learn the verdict from: those of ``build_bank``, but with the whole scan around them.

The bank keeps a window of each nerve at a size of its own, in which the nerve's size is lost; the observer of
size and the shape features need it. The same random numbers give the same pathology and the same shams.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from nerve_core.data.nerve_versions import cases
from nerve_core.data.packed import Packed
from nerve_core.errors import DataError
from nerve_core.evaluation.classical.deep import DeepFeatures
from nerve_core.evaluation.classical.features import nerve_features, size_feature
from nerve_core.evaluation.progress import Progress


@dataclass(frozen=True, eq=False)
class NerveTable:
    """Features of many nerves.

    Attributes:
        texture, deep, size: float32 (N, F) of each kind of features.
        kind: (N,) of ``affected``, ``sham`` and ``original``.
        severity: float64 (N,), 0 unless affected.
        group: (N,) of set and group.
    """

    texture: np.ndarray
    deep: np.ndarray
    size: np.ndarray
    kind: np.ndarray
    severity: np.ndarray
    group: np.ndarray

    @property
    def label(self) -> np.ndarray:
        """1 for affected, int (N,)."""
        return (self.kind == "affected").astype(int)

    def save(self, path: Path) -> None:
        """Write a compressed file of plain arrays, whole or not at all."""
        partial = path.with_name(f".{path.name}.part")
        with partial.open("wb") as file:
            np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> NerveTable:
        """The table from :meth:`save`.

        Raises:
            DataError: when the file is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                table = cls(**{field.name: stored[field.name] for field in fields(cls)})
            if len({len(getattr(table, field.name)) for field in fields(cls)}) != 1:
                raise ValueError
        except Exception:  # a damaged archive fails in many ways
            raise DataError(f"{path.name} is damaged; delete it, and it is made again.") from None
        return table


def nerve_table(
    packed: Packed,
    side: str,
    deep: DeepFeatures,
    affected: int = 2,
    shams: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> NerveTable:
    """Features of the nerves of one side of the split.

    Contours of training nerves are shaken, as for the network: in use a method draws them.

    Args:
        packed: scans whose rows have their ``split``.
        side: ``train`` or ``val``; DataError when any scan is of another side.
        deep: gives the deep features.
        affected, shams: versions of each scan.
        seed: of the drawn pathology.
        progress: told after each scan.
    """
    if side not in ("train", "val") or any(row.get("split") != side for row in packed.rows):
        raise DataError(
            f"Verdict methods learn from train and val alone; not all of these scans are of {side!r}."
        )
    from nerve_core.training.verdicts import shake

    found: dict[str, list] = {field.name: [] for field in fields(NerveTable)}
    for number, (row, image, mask) in enumerate(zip(packed.rows, packed.images, packed.masks, strict=True)):
        image, mask = np.ascontiguousarray(image), np.ascontiguousarray(mask)
        if not mask.any():
            continue
        rng = np.random.default_rng([seed, number, 99])
        for case in cases(image, mask, number, affected, shams, seed, row.get("site", "")):
            drawn = case.nerve
            if not drawn.any():
                continue
            if side == "train" and rng.random() < 0.5:
                drawn = shake(drawn, rng)
            found["texture"].append(nerve_features(case.image, drawn, image.size))
            found["deep"].append(deep(case.image, drawn))
            found["size"].append(size_feature(drawn, image.size))
            found["kind"].append(case.kind)
            found["severity"].append(case.severity)
            found["group"].append(f"{row.get('set', '')}/{row['group']}")
        if progress is not None:
            progress(number + 1, len(packed))
    if not found["kind"]:
        raise DataError(f"No scan of the side {side!r} shows a nerve; give scans with contours.")
    return NerveTable(**{name: np.array(values) for name, values in found.items()})
