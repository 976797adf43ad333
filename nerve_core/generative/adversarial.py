"""What every adversarial training shares: two players, their optimisers, the pace and the moving average."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import lightning as L
import torch
from monai.losses import PatchAdversarialLoss
from monai.networks.nets import PatchDiscriminator
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from nerve_core.generative.config import GenerateConfig

Batch = dict[str, torch.Tensor]
Judged = list[tuple[str, torch.Tensor, torch.Tensor]]


class Adversarial(L.LightningModule):
    """Least-squares adversarial training (Mao 2017) of patch discriminators against a generator.

    A subclass names its networks and says in :meth:`draw` what the generator is asked for.

    Args:
        generator: what is trained, averaged and kept.
        critics: discriminators by name.
        helpers: further networks trained with the generator but not kept.
    """

    automatic_optimization = False

    def __init__(
        self,
        config: GenerateConfig,
        generator: nn.Module,
        critics: dict[str, nn.Module],
        helpers: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.generator = generator.to(memory_format=torch.channels_last)
        self.critics = nn.ModuleDict(critics)
        self.helpers = helpers or nn.Identity()
        self.average = AveragedModel(
            self.generator, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=True
        )
        self.adversarial = PatchAdversarialLoss(criterion="least_squares", no_activation_leastsq=True)

    @abstractmethod
    def draw(self, batch: Batch) -> tuple[dict[str, torch.Tensor], Judged]:
        """Losses of the generator by name, and (critic, real, drawn) pictures for the critics."""

    @abstractmethod
    def show(self, batch: Batch) -> list[torch.Tensor]:
        """Columns of the sample grid, (N, 1, H, W) in [-1, 1] each, drawn by the averaged generator."""

    def fool(self, critic: str, drawn: torch.Tensor) -> torch.Tensor:
        """How far the critic is from taking the drawn pictures for real."""
        return self.adversarial(self.critics[critic](drawn)[-1].float(), True, for_discriminator=False)

    def training_step(self, batch: Batch, _: int) -> None:
        batch = {name: laid_out(part) for name, part in batch.items()}
        drawer, judge = self.optimizers()
        self.critics.requires_grad_(False)
        losses, judged = self.draw(batch)
        drawer.zero_grad()
        self.manual_backward(torch.stack(list(losses.values())).sum())
        drawer.step()
        self.average.update_parameters(self.generator)
        self.critics.requires_grad_(True)
        losses["critic"] = self._judge(judged)
        judge.zero_grad()
        self.manual_backward(losses["critic"])
        judge.step()
        for schedule in self.lr_schedulers():
            schedule.step()
        shown = {f"train/{name}": loss.detach() for name, loss in losses.items()}
        self.log_dict(shown, prog_bar=True, on_step=False, on_epoch=True, batch_size=self.config.batch)

    def _judge(self, judged: Judged) -> torch.Tensor:
        total = []
        for name, real, drawn in judged:
            critic = self.critics[name]
            total.append(self.adversarial(critic(real)[-1].float(), True, for_discriminator=True))
            total.append(self.adversarial(critic(drawn.detach())[-1].float(), False, for_discriminator=True))
        return torch.stack(total).mean()

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[Any]]:
        groups = (
            [*self.generator.parameters(), *self.helpers.parameters()],
            list(self.critics.parameters()),
        )
        optimisers = [torch.optim.Adam(group, self.config.learning_rate, (0.5, 0.99)) for group in groups]
        steps = max(2, self.config.samples // self.config.batch * self.config.epochs)
        schedules = [
            torch.optim.lr_scheduler.LambdaLR(each, lambda step: min(1.0, 2 * (1 - step / steps)))
            for each in optimisers
        ]
        return optimisers, schedules


def critic_for(width: int, channels: int = 1) -> nn.Module:
    """PatchGAN discriminator of 70 px reach: judges texture and edges more than the layout.

    Args:
        width: channels of its first layer.
        channels: of what it judges.
    """
    return PatchDiscriminator(
        spatial_dims=2, channels=width, in_channels=channels, num_layers_d=3, norm="INSTANCE"
    ).to(memory_format=torch.channels_last)


def laid_out(tensor: torch.Tensor) -> torch.Tensor:
    """Pictures with their channels last in memory, which is faster; other tensors as they are."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
