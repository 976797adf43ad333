"""One-sided translation phantom → real (CUT, Park 2020): half the networks of CycleGAN."""

from __future__ import annotations

import torch

from nerve_core.generative.adversarial import Adversarial, Batch, Judged, critic_for
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.patch_nce import PatchNCE
from nerve_core.generative.translator import Translator


class OneSided(Adversarial):
    """A translator kept to its input by PatchNCE, and to leaving real scans alone.

    Batches hold ``phantom`` and ``real``, float32 (N, 1, S, S) in [-1, 1], which show different things.
    """

    def __init__(self, config: GenerateConfig) -> None:
        translator = Translator(config.width, config.blocks)
        super().__init__(
            config, translator, {"real": critic_for(config.critic)}, PatchNCE(translator.channels)
        )

    def draw(self, batch: Batch) -> tuple[dict[str, torch.Tensor], Judged]:
        phantom, real = batch["phantom"], batch["real"]
        drawn, before = self.generator.with_features(torch.cat([phantom, real]))
        after = self.generator.features(drawn)
        count = len(phantom)
        losses = {"fool": self.fool("real", drawn[:count])}
        for name, part, weight in (
            ("content", slice(count), self.config.content),
            ("identity", slice(count, None), self.config.identity),
        ):
            old, new = ([maps[part] for maps in features] for features in (before, after))
            losses[name] = weight * self.helpers(old, new)
        return losses, [("real", real, drawn[:count])]

    def show(self, batch: Batch) -> list[torch.Tensor]:
        translate = self.average.module
        return [batch["phantom"], translate(batch["phantom"]), batch["real"], translate(batch["real"])]
