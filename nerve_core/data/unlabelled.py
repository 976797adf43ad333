"""Scans without a contour as samples: pairs of views of one scan, for learning that needs no truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from nerve_core.data.augment import Augment, repaint, resample, restyle
from nerve_core.data.dataset import to_input
from nerve_core.data.manifest import Row
from nerve_core.data.packed import cropped
from nerve_core.errors import DataError, ScanError
from nerve_core.imaging.read import read_scan

STRONG = 0.6
"""Least probability of each change of grey levels in the strong view."""


def read_images(rows: Sequence[Row]) -> list[np.ndarray]:
    """The ultrasound region of each row's scan: uint8 (H, W), its longer side at most ``LONG_SIDE``.

    Raises:
        DataError: a file cannot be used.
    """
    images = []
    for row in rows:
        try:
            scan = read_scan(row["image"])
        except (ScanError, OSError) as fault:
            raise DataError(f"{Path(row['image']).name} cannot be used: {fault}") from None
        images.append(cropped(scan)[0])
    return images


class Unlabelled(Dataset):
    """Images drawn at random, every group (patient or scan group) as often.

    Args:
        images: uint8 (H, W) each.
        rows: of the manifest, one an image.
        size: side of the network's input, px.
        count: samples an epoch.
        augment: strength of the changes.
        seed: of every random choice.
    """

    def __init__(
        self,
        images: Sequence[np.ndarray],
        rows: Sequence[Row],
        size: int,
        count: int,
        augment: Augment,
        seed: int = 0,
    ) -> None:
        self.images, self.size, self.count, self.augment, self.seed = images, size, count, augment, seed
        owners = [(row.get("set", ""), row.get("group", "")) for row in rows]
        common = Counter(owners)
        weights = np.array([1 / common[owner] for owner in owners])
        self.weights = weights / weights.sum()
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def _drawn(self, index: int) -> tuple[np.ndarray, np.random.Generator]:
        rng = np.random.default_rng([self.seed, self.epoch, index, len(self.images)])
        return self.images[int(rng.choice(len(self.images), p=self.weights))], rng

    def _placed(self, image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A random view of the scan's geometry: uint8 image and bool validity."""
        placed, _, valid = resample(image, np.zeros(image.shape, np.uint8), self.size, rng, self.augment)
        return placed, valid


class WeakAndStrong(Unlabelled):
    """The same view twice, as it is and with another machine's grey levels.

    A sample is three tensors: weak and strong input, float32 (2, size, size) without a click, and bool
    (1, size, size), where there is a scan at all.
    """

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        image, rng = self._drawn(index)
        placed, valid = self._placed(image, rng)
        how = replace(self.augment, photometric=max(STRONG, self.augment.photometric))
        changed = repaint(restyle(placed, valid, self.images, rng, how), rng, how)
        return to_input(placed, valid, None), to_input(changed, valid, None), torch.from_numpy(valid[None])


class TwoViews(Unlabelled):
    """Two views that share nothing but the scan: two inputs, float32 (2, size, size), without a click."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, rng = self._drawn(index)
        return self._view(image, rng), self._view(image, rng)

    def _view(self, image: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        placed, valid = self._placed(image, rng)
        return to_input(repaint(placed, rng, self.augment), valid, None)
