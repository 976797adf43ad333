"""Training samples, each drawn afresh: contours with clicks, and crops of single nerves with a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import torch
from torch.utils.data import Dataset

from nerve_core.data.augment import Augment, normalise, repaint, resample, restyle
from nerve_core.data.balance import Draw
from nerve_core.data.packed import Packed
from nerve_core.data.pathology import affect, sham
from nerve_core.imaging.click import click_map, random_click, thickest_point

VESSEL = 2
"""Class of a vessel in a mask that goes through the resampling together with the nerve's, which is 1."""


class ContourSamples(Dataset):
    """Augmented images with contours for training.

    A sample is the input, float32 (2, size, size), and the target, float32 (2, size, size): nerve and
    vessel, 0 or 1; where nobody marked the vessels, theirs is -1 throughout.

    Args:
        packed: images and masks.
        size: side of the network's input, px.
        count: samples an epoch.
        augment: strength of the augmentation.
        click_share: share of samples with a click, at most 0.5.
        pathology_share: share of samples with simulated pathology or a sham written in, so that a
            diseased nerve is still found.
        seed: of every random choice.
        emphasis, balance, affected_weight: which rows are drawn how often, see
            :class:`nerve_core.data.balance.Draw`.
        styles: further scans whose look ``augment.style_mix`` takes, beside those of the other sets.
    """

    def __init__(
        self,
        packed: Packed,
        size: int,
        count: int,
        augment: Augment,
        click_share: float = 0.4,
        pathology_share: float = 0.25,
        seed: int = 0,
        emphasis: Mapping[str, float] = MappingProxyType({}),
        balance: str = "root",
        affected_weight: float = 1.0,
        styles: Sequence[np.ndarray] = (),
    ) -> None:
        self.packed, self.size, self.count, self.augment = packed, size, count, augment
        self.click_share, self.pathology_share, self.seed = click_share, pathology_share, seed
        self.draw = Draw(packed.rows, balance, emphasis, affected_weight, seed)
        self.styles = self._styles(styles) if augment.style_mix else {}
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        k = self.draw(self.epoch, index, rng)
        image, mask = self.packed.images[k], self.packed.masks[k]
        if rng.random() < self.pathology_share:
            image, mask = write_change(
                affect if rng.random() < 0.75 else sham, image, mask, self.packed.rows[k], rng
            )
        clicked = rng.random() < self.click_share
        how = replace(self.augment, zoom=self.augment.click_zoom) if clicked else self.augment
        vessel = self.packed.vessels[k]
        label = mask if vessel is None else np.where(mask > 0, 1, VESSEL * vessel).astype(np.uint8)
        image, label, valid = resample(image, label, self.size, rng, how)
        image = restyle(image, valid, self.styles.get(self.packed.rows[k].get("set", ""), ()), rng, how)
        image = repaint(image, rng, self.augment)
        nerve = (label == 1).astype(np.uint8)
        click = random_click(nerve, rng) if clicked else None
        vessels = np.full(nerve.shape, -1) if vessel is None else label == VESSEL
        target = np.stack([nerve, vessels]).astype(np.float32)
        return to_input(image, valid, click), torch.from_numpy(target)

    def _styles(self, more: Sequence[np.ndarray]) -> dict[str, list[np.ndarray]]:
        """For each set, the scans of all others and the further ones."""
        sets = [row.get("set", "") for row in self.packed.rows]
        return {
            name: [
                *(image for image, own in zip(self.packed.images, sets, strict=True) if own != name),
                *more,
            ]
            for name in set(sets)
        }


class ContourTruth(Dataset):
    """Images as predictions see them, with (``click=True``) or without a click on the thickest point."""

    def __init__(self, packed: Packed, size: int, click: bool) -> None:
        self.packed, self.size, self.click = packed, size, click

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        rng = np.random.default_rng(0)
        image, mask, valid = resample(
            self.packed.images[index], self.packed.masks[index], self.size, rng, None
        )
        click = thickest_point(mask) if self.click and mask.any() else None
        return to_input(image, valid, click), torch.from_numpy(mask[None].astype(np.float32)), index


def to_input(image: np.ndarray, valid: np.ndarray, click: tuple[float, float] | None) -> torch.Tensor:
    """float32 (2, size, size): the normalised image and the click map, which is empty without a click."""
    bump = np.zeros(image.shape, np.float32) if click is None else click_map(image.shape[0], *click)
    return torch.from_numpy(np.stack([normalise(image, valid), bump]))


def write_change(
    change: Callable, image: np.ndarray, mask: np.ndarray, row: dict[str, str], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A pathology or a sham written into one nerve: uint8 image and 0/1 mask."""
    altered = change(image, mask * np.uint8(255), rng, site=row.get("site", ""))
    return altered.image, (altered.mask > 127).astype(np.uint8)
