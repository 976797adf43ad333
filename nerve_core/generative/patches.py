"""Unpaired patches of phantoms and real scans, drawn afresh every epoch."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from nerve_core.data.packed import Packed


def scaled(image: np.ndarray, side: int, least: int = 0, mask: bool = False) -> np.ndarray:
    """Bring the long side to ``side`` px, or further up until the short one has ``least``; uint8 (H, W)."""
    height, width = image.shape
    scale = max(side / max(height, width), least / min(height, width))
    size = (max(least, round(width * scale)), max(least, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=cv2.INTER_NEAREST_EXACT if mask else how)


def to_signed(image: np.ndarray) -> torch.Tensor:
    """uint8 (H, W) as float32 (1, H, W) in [-1, 1]."""
    return torch.from_numpy(image[None].astype(np.float32) / np.float32(127.5) - 1)


def to_grey(tensor: torch.Tensor) -> np.ndarray:
    """A (1, H, W) tensor in [-1, 1], as uint8 (H, W); values beyond are cut off."""
    grey = (tensor[0].float().cpu().numpy() + 1) * 127.5
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def crop(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A random square of ``size`` px, mirrored half of the time."""
    top, left = (int(rng.integers(full - size + 1)) for full in image.shape)
    found = image[top : top + size, left : left + size]
    return np.ascontiguousarray(found[:, ::-1] if rng.random() < 0.5 else found)


def shares(packed: Packed) -> np.ndarray:
    """Probability of each picture; a set counts by the square root of its size, so that none is drowned."""
    names = [row.get("set", "") for row in packed.rows]
    sizes = Counter(names)
    weights = np.array([sizes[name] ** -0.5 for name in names])
    return weights / weights.sum()


class UnpairedPatches(Dataset):
    """A patch of a phantom and one of a real scan, which have nothing to do with each other.

    Args:
        phantoms, reals: what to draw from; each real set counts by the square root of its size.
        side, patch: see ``GenerateConfig``.
        count: samples an epoch.
    """

    def __init__(
        self, phantoms: Packed, reals: Packed, side: int, patch: int, count: int, seed: int = 0
    ) -> None:
        self.patch, self.count, self.seed, self.epoch = patch, count, seed, 0
        self.sources = {
            name: [scaled(image, side, patch) for image in packed.images]
            for name, packed in (("phantom", phantoms), ("real", reals))
        }
        self.weights = {"phantom": shares(phantoms), "real": shares(reals)}

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        drawn = {}
        for name, images in self.sources.items():
            image = images[rng.choice(len(images), p=self.weights[name])]
            drawn[name] = to_signed(crop(image, self.patch, rng))
        return drawn
