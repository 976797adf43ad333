"""A picture of what the generator can do, after every epoch, of the same inputs each time."""

from __future__ import annotations

from pathlib import Path

import cv2
import lightning as L
import numpy as np
import torch

from nerve_core.generative.adversarial import Adversarial, Batch, laid_out
from nerve_core.generative.patches import to_grey

ROWS = 6


class Grids(L.Callback):
    """Writes ``folder/epoch-NNN.png``: one row an input, columns as the module's ``show`` gives them.

    Args:
        batch: inputs held back from the training.
    """

    def __init__(self, folder: Path, batch: Batch) -> None:
        self.folder, self.batch = folder, {name: part[:ROWS] for name, part in batch.items()}

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: Adversarial) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        batch = {name: laid_out(part.to(pl_module.device)) for name, part in self.batch.items()}
        average = pl_module.average
        was = average.training
        average.eval()
        with torch.no_grad():
            columns = pl_module.show(batch)
        average.train(was)
        write_grid(self.folder / f"epoch-{trainer.current_epoch:03d}.png", columns)


def write_grid(path: Path, columns: list[torch.Tensor]) -> None:
    """Columns of pictures (N, 1, H, W) in [-1, 1] as one PNG."""
    strips = [np.vstack([to_grey(picture) for picture in column]) for column in columns]
    cv2.imwrite(str(path), np.hstack(strips))
