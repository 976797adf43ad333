"""An adversarial term for contours: a critic tells true masks from predicted ones and thereby teaches shape.

A pixelwise loss forgives a ragged or torn outline as long as few pixels are wrong; the critic, which judges
patches of scan and contour together, does not (Luc 2016, arXiv 1611.08408; SegAN, Xue 2018).
"""

from __future__ import annotations

from typing import Any

import lightning as L
import torch
from monai.losses import PatchAdversarialLoss

from nerve_core.generative.adversarial import critic_for

WIDTH = 16
"""Channels of the critic's first layer."""
SEEN = 3
"""Scan, click and contour."""
LEARNING_RATE = 2e-4
SURE = 0.9
"""A true mask is shown with at least this chance on its own side, see :func:`as_chances`."""


class ContourCritic(L.Callback):
    """A patch discriminator (PatchGAN, least squares) of scan, click and contour, with its optimiser.

    It stands beside the network rather than in it: it is in no average of weights and in no checkpoint that
    ships, and the network's optimiser does not know it. A run that is resumed goes on with it, since
    Lightning stores the state of callbacks.
    """

    def __init__(self) -> None:
        self.critic = critic_for(WIDTH, SEEN)
        self.optimiser = torch.optim.Adam(self.critic.parameters(), LEARNING_RATE, (0.5, 0.99))
        self.compare = PatchAdversarialLoss(criterion="least_squares", no_activation_leastsq=True)

    def term(self, inputs: torch.Tensor, chances: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Teach the critic on one batch, then say how far it is from taking the contours for true ones.

        Args:
            inputs: (N, 2, S, S), scan and click as the contour network sees them.
            chances: (N, 1, S, S), probability of the nerve; the term's gradient flows through it.
            target: (N, 1, S, S), 0 or 1.

        Returns:
            A scalar, 0 when every patch of every contour passes for true.
        """
        drawn = torch.cat([inputs, chances], 1)
        true = torch.cat([inputs, as_chances(target, chances.detach())], 1)
        self.critic.requires_grad_(True)
        told = self._judge(true, True, True) + self._judge(drawn.detach(), False, True)
        self.optimiser.zero_grad()
        (told / 2).backward()
        self.optimiser.step()
        self.critic.requires_grad_(False)
        return self._judge(drawn, True, False)

    def _judge(self, seen: torch.Tensor, as_true: bool, learning: bool) -> torch.Tensor:
        return self.compare(self.critic(seen)[-1].float(), as_true, for_discriminator=learning)

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.critic.to(pl_module.device)
        # Loading puts the moments where the weights are; those of a resumed run were read before the move.
        self.optimiser.load_state_dict(self.optimiser.state_dict())

    def state_dict(self) -> dict[str, Any]:
        return {"critic": self.critic.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.critic.load_state_dict(state_dict["critic"])
        self.optimiser.load_state_dict(state_dict["optimiser"])


def as_chances(target: torch.Tensor, chances: torch.Tensor) -> torch.Tensor:
    """True masks as a network that is right might draw them: Luc's *scaling*.

    Shown as 0 and 1, true masks would be known by their hard values alone. Where the network is on the right
    side its own chance is taken, but at least ``SURE`` of it.
    """
    return torch.where(target > 0.5, chances.clamp(min=SURE), chances.clamp(max=1 - SURE)).to(chances.dtype)
