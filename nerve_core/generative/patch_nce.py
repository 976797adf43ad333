"""PatchNCE (Park 2020, arXiv 2007.15651): a place in the translation must resemble its own place before."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F


class PatchNCE(nn.Module):
    """Contrastive loss between two lists of feature maps of the same places.

    For each of some random places the feature after is compared with the features before of all of them; its
    own place must be the most alike. Cross-entropy in nats: 0 when places are told apart perfectly,
    log(``places``) when not at all.

    Args:
        channels: channels of each feature map.
        size: length of the compared vectors.
        places: places drawn in each picture.
        temperature: of the softmax.
    """

    def __init__(
        self, channels: Sequence[int], size: int = 64, places: int = 96, temperature: float = 0.07
    ) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(count, size), nn.ReLU(), nn.Linear(size, size)) for count in channels
        )
        self.places, self.temperature = places, temperature

    def forward(self, before: Sequence[torch.Tensor], after: Sequence[torch.Tensor]) -> torch.Tensor:
        """Mean loss over the maps; each (N, C, H, W), gradients flow through ``after`` and the heads."""
        losses = []
        for head, old, new in zip(self.heads, before, after, strict=True):
            where = torch.randperm(old.shape[2] * old.shape[3], device=old.device)[: self.places]
            key = self._vectors(head, old.detach(), where).detach()
            query = self._vectors(head, new, where)
            alike = query @ key.transpose(1, 2) / self.temperature
            own = torch.arange(len(where), device=old.device).expand(len(old), -1)
            losses.append(F.cross_entropy(alike.flatten(0, 1), own.flatten()))
        return torch.stack(losses).mean()

    def _vectors(self, head: nn.Module, maps: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        """Unit vectors (N, places, size), float32."""
        picked = maps.flatten(2)[:, :, where].transpose(1, 2)
        return F.normalize(head(picked).float(), dim=2)
