"""The network that paints a scan for a chosen contour (SPADE, Park 2019, on MONAI's blocks)."""

from __future__ import annotations

import torch
from monai.networks.nets.spade_network import SPADEDecoder, SPADEEncoder
from torch import nn

CLASSES = ("inside", "unaffected", "affected", "vessel", "vessel known")
"""Maps that say what is to be seen where; after them comes one constant map for each set to imitate."""

LATENT = 32
"""Length of the code of a scan's appearance: depth, gain, what lies around the nerve."""


class Painter(nn.Module):
    """Contour maps, an appearance code and noise in, a scan out.

    MONAI's ``SPADEDecoder`` brings the code (a Gaussian vector) to full size, told at every scale by the maps
    what is where; its last stage is followed by a small head, since the decoder alone would end in a
    single-channel picture of half the size, enlarged. The noise gives the speckle something to be made of.
    An encoder tells in training which code a real scan has.

    Args:
        side: of the picture, px; a multiple of 16.
        width: channels at half resolution.
        sets: sets of scans that can be imitated.
    """

    def __init__(self, side: int, width: int = 32, sets: int = 1) -> None:
        super().__init__()
        self.side, maps = side, len(CLASSES) + sets
        widths = [4 * width, 4 * width, 2 * width, width]  # the decoder appends to its list
        self.encoder = SPADEEncoder(
            2, 1 + maps, LATENT, [width, 2 * width, 4 * width, 4 * width], (side, side), norm="BATCH"
        )
        self.decoder = SPADEDecoder(
            2,
            width,
            maps + 1,
            (side, side),
            widths,
            z_dim=LATENT,
            spade_intermediate_channels=width,
            norm="BATCH",
        )
        self.head = nn.Sequential(
            nn.Conv2d(width + 1, width, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 3, padding=1)
        )

    def code(self, image: torch.Tensor, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log-variance (N, ``LATENT``) of the appearance of real scans (N, 1, S, S)."""
        deep = torch.cat([image, maps], 1)
        for block in self.encoder.blocks:
            deep = block(deep)
        deep = deep.flatten(1)  # MONAI's own pass takes a view, which fails with channels last in memory
        return self.encoder.fc_mu(deep).float(), self.encoder.fc_var(deep).float().clamp(-8, 8)

    def forward(self, maps: torch.Tensor, code: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) in [-1, 1], black outside of the map ``inside``.

        Args:
            maps: (N, len(CLASSES) + sets, S, S), 0 or 1.
            code: (N, LATENT), standard normal.
            noise: (N, 1, S, S), standard normal.
        """
        deep = self.decoder(torch.cat([maps, noise], 1), code)
        drawn = torch.tanh(self.head(torch.cat([deep, noise.to(deep.dtype)], 1)).float())
        inside = maps[:, :1]
        return drawn * inside + inside - 1
