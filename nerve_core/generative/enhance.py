"""Enhancement of poor scans: a small residual network learns what a degraded scan was like before.

It alters the image. What it adds is likely rather than measured, so its effect on the contours is measured
(``python -m benchmarks.enhancement``) before anybody relies on it.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from nerve_core.data.augment import Augment, repaint
from nerve_core.data.packed import Packed
from nerve_core.generative.adversarial import Adversarial, Batch, Judged, critic_for
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.degrade import degrade
from nerve_core.generative.patches import crop, scaled, shares, to_signed
from nerve_core.generative.translator import Translator

UNTOUCHED = 0.125
"""Share of samples that are left as they are, so that a good scan is left alone."""
MACHINE = Augment(photometric=0.15)
"""Shadows, shading by depth and coding faults on top, as in the training of contours, half as often."""
SCALES = (0.3, 0.3, 0.4)
"""Weights of full, half and quarter size in the structural similarity."""
FOOL = 0.05
"""Weight of the discriminator: enough for grain instead of paste, too little to invent tissue."""


class EnhanceSamples(Dataset):
    """A patch of a scan and a poor version of it: ``poor`` and ``good``, float32 (1, S, S) in [-1, 1].

    Args:
        packed: real scans and phantoms; each set counts by the square root of its size.
        config: sizes and seed.
        count: samples an epoch.
    """

    def __init__(self, packed: Packed, config: GenerateConfig, count: int) -> None:
        self.patch, self.seed, self.count, self.epoch = config.patch, config.seed, count, 0
        self.images = [scaled(image, config.side, config.patch) for image in packed.images]
        self.weights = shares(packed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        image = self.images[rng.choice(len(self.images), p=self.weights)]
        untouched, place = rng.random() < UNTOUCHED, int(rng.integers(2**32))
        good = crop(image, self.patch, np.random.default_rng(place))
        if untouched:
            return {"poor": to_signed(good), "good": to_signed(good)}
        # The whole picture is degraded and then cut: blur and contrast depend on its size and mean.
        poor = crop(degrade(image, rng), self.patch, np.random.default_rng(place))
        return {"poor": to_signed(repaint(poor, rng, MACHINE)), "good": to_signed(good)}


class Enhance(Adversarial):
    """Poor → good, pixel by pixel (L1), by structure at three scales (MS-SSIM, Wang 2003), and lightly by a
    patch discriminator that sees the poor scan beside the good or enhanced one (pix2pix, Isola 2017).
    """

    def __init__(self, config: GenerateConfig) -> None:
        network = lively(Translator(config.width, config.blocks))
        super().__init__(config, network, {"pair": critic_for(config.critic, 2)})

    def draw(self, batch: Batch) -> tuple[dict[str, torch.Tensor], Judged]:
        poor, good = batch["poor"], batch["good"]
        drawn = self.generator(poor).float()
        shown, wanted = torch.cat([poor, drawn], 1), torch.cat([poor, good], 1)
        losses = {
            "fool": FOOL * self.fool("pair", shown),
            "pixels": 2 * self.config.content * F.l1_loss(drawn, good),
            "structure": self.config.content * (1 - similarity(drawn, good)),
        }
        return losses, [("pair", wanted, shown)]

    def show(self, batch: Batch) -> list[torch.Tensor]:
        return [batch["poor"], self.average.module(batch["poor"]), batch["good"]]


def lively(network: Translator) -> Translator:
    """Start all layers but the last so that signals keep their strength (He 2015).

    Without normalisation PyTorch's own start lets them fade from layer to layer, and learning from pairs
    begins late.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer is not network.head[-1]:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


def similarity(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Multi-scale structural similarity of (N, 1, S, S) in [-1, 1], a scalar up to 1; S at least 48."""
    # Half precision would lose the local variances, which are small differences of squares.
    with torch.autocast(drawn.device.type, enabled=False):
        return multiscale_structural_similarity_index_measure(
            drawn.float() + 1, wanted.float() + 1, data_range=2.0, betas=SCALES, normalize="simple"
        )


@torch.no_grad()
def enhance(network: nn.Module, image: np.ndarray, side: int) -> np.ndarray:
    """One scan enhanced, uint8 (H, W) in and out; nothing is resampled but the change.

    Args:
        network: a trained ``Translator``.
        side: long side at which the network looks, px (``GenerateConfig.side``).
    """
    seen = scaled(image, side)
    height, width = seen.shape
    grown = cv2.copyMakeBorder(seen, 0, -height % 4, 0, -width % 4, cv2.BORDER_REFLECT_101)
    signed = to_signed(grown)[None]
    change = ((network(signed) - signed)[0, 0, :height, :width] * 127.5).float().numpy()
    if change.shape != image.shape:
        change = cv2.resize(change, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(np.rint(image + change), 0, 255).astype(np.uint8)
