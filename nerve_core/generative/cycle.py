"""Translation there and back (CycleGAN, Zhu 2017): phantom → real → phantom, and the other way round."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from nerve_core.generative.adversarial import Adversarial, Batch, Judged, critic_for
from nerve_core.generative.config import GenerateConfig
from nerve_core.generative.translator import Translator


class Cycle(Adversarial):
    """Two translators; what is translated there and back must be what it was (L1, weight 10 × ``content``).

    Batches as in :class:`~nerve_core.generative.one_sided.OneSided`. The published training also shows the
    critics a pool of earlier translations; here they see those of the step alone.
    """

    def __init__(self, config: GenerateConfig) -> None:
        ways = {name: Translator(config.width, config.blocks) for name in ("real", "phantom")}
        critics = {name: critic_for(config.critic) for name in ways}
        super().__init__(config, nn.ModuleDict(ways), critics)

    def draw(self, batch: Batch) -> tuple[dict[str, torch.Tensor], Judged]:
        drawn, losses = {}, {}
        for name, other in (("real", "phantom"), ("phantom", "real")):
            both = self.generator[name](torch.cat([batch[other], batch[name]]))
            drawn[name], same = both.chunk(2)
            losses[f"fool_{name}"] = self.fool(name, drawn[name])
            losses[f"identity_{name}"] = 10 * self.config.identity * F.l1_loss(same, batch[name])
        for name, other in (("real", "phantom"), ("phantom", "real")):
            back = self.generator[name](drawn[other])
            losses[f"content_{name}"] = 10 * self.config.content * F.l1_loss(back, batch[name])
        return losses, [(name, batch[name], drawn[name]) for name in drawn]

    def show(self, batch: Batch) -> list[torch.Tensor]:
        ways = self.average.module
        there, back = ways["real"](batch["phantom"]), ways["phantom"](batch["real"])
        return [batch["phantom"], there, ways["phantom"](there), batch["real"], back]
