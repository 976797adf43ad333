"""Training of the painter: real scans, half of them with pathology written in, and their contours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import Dataset

from nerve_core.data.augment import Augment, resample
from nerve_core.data.packed import Packed
from nerve_core.data.pathology import affect
from nerve_core.generative.adversarial import Adversarial, Batch, Judged, critic_for
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.contour_maps import contour_maps
from nerve_core.generative.painter import LATENT, Painter
from nerve_core.generative.patches import scaled, shares, to_signed

NEARLY_WHOLE = Augment(rotate=4, zoom=(0.95, 1.2), stretch=1.1, shift=0.05, elastic=0)
"""Whole frames, moved a little, so that no training scan is seen twice in the same place."""


class PaintSamples(Dataset):
    """``image`` (1, S, S) in [-1, 1] and ``maps`` as ``contour_maps`` makes them, float32.

    Nobody marked affected nerves in the public sets; the simulated pathology of ``data.pathology`` stands in:
    each scan is held as it is and with one pathology written in.

    Args:
        packed: real scans.
        names: sets in the order of their maps.
        config: sizes, samples an epoch and seed.
        moved: random geometry; False gives every scan once, as it is.
    """

    def __init__(self, packed: Packed, names: Sequence[str], config: GenerateConfig, moved: bool) -> None:
        self.names, self.side, self.seed = list(names), config.patch, config.seed
        self.how = NEARLY_WHOLE if moved else None
        self.count = config.samples if moved else len(packed)
        self.epoch = 0
        self.sets = [row["set"] for row in packed.rows]
        self.weights = shares(packed)
        finer = 2 * config.patch
        self.vessels = [
            None if vessel is None else scaled(vessel, finer, mask=True) for vessel in packed.vessels
        ]
        self.healthy = [
            (scaled(image, finer), scaled(mask, finer, mask=True))
            for image, mask in zip(packed.images, packed.masks, strict=True)
        ]
        self.sick = [
            _sick(*healthy, row.get("site", ""), np.random.default_rng([config.seed, index]))
            for index, (healthy, row) in enumerate(zip(self.healthy, packed.rows, strict=True))
        ]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        which = int(rng.choice(len(self.sets), p=self.weights)) if self.how else index
        affected = bool(rng.random() < 0.5)
        image, mask = (self.sick if affected else self.healthy)[which]
        vessel = self.vessels[which]
        # Both kinds of mask go through one resampling: nerve 1, vessel 2, both 3.
        coded = mask if vessel is None else mask + 2 * vessel
        image, coded, inside = resample(image, coded, self.side, rng, self.how)
        maps = contour_maps(
            inside,
            coded & 1,
            affected,
            None if vessel is None else coded >> 1,
            self.names.index(self.sets[which]),
            len(self.names),
        )
        return {
            "image": to_signed(np.where(inside, image, 0).astype(np.uint8)),
            "maps": torch.from_numpy(maps),
        }


def _sick(
    image: np.ndarray, mask: np.ndarray, site: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The scan with a pathology written into a nerve, where there is one."""
    if not mask.any():
        return image, mask
    altered = affect(image, mask * np.uint8(255), rng, site=site)
    return altered.image, (altered.mask > 127).astype(np.uint8)


class Paint(Adversarial):
    """The painter against a critic that sees scan and maps together.

    Half of each batch is painted with the code of the real scan and must then resemble it in the critic's
    features (as in pix2pixHD) and, softly, in its pixels; half with a random code. The codes are kept near a
    standard normal distribution (weight 0.05), so that random ones mean something.
    """

    def __init__(self, config: GenerateConfig, sets: int) -> None:
        painter = Painter(config.patch, config.width, sets)
        critic = critic_for(config.critic, painter.encoder.in_channels)
        super().__init__(config, painter, {"scan": critic})

    def draw(self, batch: Batch) -> tuple[dict[str, torch.Tensor], Judged]:
        image, maps = batch["image"], batch["maps"]
        mean, spread = self.generator.code(image, maps)
        known = mean + torch.randn_like(mean) * (spread / 2).exp()
        noise = torch.randn_like(image).repeat(2, 1, 1, 1)
        drawn = self.generator(maps.repeat(2, 1, 1, 1), torch.cat([known, torch.randn_like(known)]), noise)
        seen = self.critics["scan"](torch.cat([drawn, maps.repeat(2, 1, 1, 1)], 1))
        with torch.no_grad():
            wanted = self.critics["scan"](torch.cat([image, maps], 1))
        count = len(image)
        features = [
            F.l1_loss(new[:count].float(), old.float())
            for new, old in zip(seen[:-1], wanted[:-1], strict=True)
        ]
        losses = {
            "fool": self.adversarial(seen[-1].float(), True, for_discriminator=False),
            "content": self.config.content * (torch.stack(features).mean() + F.l1_loss(drawn[:count], image)),
            "code": 0.05 * (mean.square() + spread.exp() - 1 - spread).mean() / 2,
        }
        real, painted = torch.cat([image, maps], 1), torch.cat([drawn, maps.repeat(2, 1, 1, 1)], 1)
        return losses, [("scan", real, painted)]

    def show(self, batch: Batch) -> list[torch.Tensor]:
        paint, maps = self.average.module, batch["maps"]
        rng = torch.Generator().manual_seed(self.config.seed)
        told = (maps[:, 1:2] + maps[:, 2:3] + 0.5 * maps[:, 3:4]).clamp(0, 1) * 2 - 1
        columns = [batch["image"], told]
        for _ in range(3):
            code = torch.randn((len(maps), LATENT), generator=rng).to(maps)
            noise = torch.randn(batch["image"].shape, generator=rng).to(maps)
            columns.append(paint(maps, code, noise))
        return columns
