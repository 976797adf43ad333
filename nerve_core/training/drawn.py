"""Contours as the contour network draws them, for a verdict that will never be given better ones in use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.models.segmentation import build

THRESHOLD = 0.5
"""Probability from which a pixel is nerve."""


class NetworkDrawer:
    """Outlines nerves with a contour network, without a click; picklable, for worker processes.

    Args:
        architecture: key of ``ARCHITECTURES``.
        weights: its state dict, of one class.
        size: side of its input, px.
    """

    def __init__(self, architecture: str, weights: Mapping[str, torch.Tensor], size: int) -> None:
        self.model = build(architecture, pretrained=False).eval()
        self.model.load_state_dict(weights)
        self.preprocess = Preprocess(size=size)
        content = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            if not tensor.is_floating_point():
                continue  # counters, which no checkpoint that ships holds
            # In half precision, so that a run's weights and the checkpoint that ships them are the same.
            content.update(name.encode() + tensor.half().numpy().tobytes())
        self.key = f"{content.hexdigest()[:16]}-{size}"

    def __call__(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """A mask uint8 0/1 (H, W) of all nerves found in each grey uint8 scan (H, W)."""
        prepared = [self.preprocess.apply(Scan(np.array(image))) for image in images]
        inputs = torch.zeros(len(images), 2, self.preprocess.size, self.preprocess.size)
        for number, one in enumerate(prepared):
            inputs[number, 0] = torch.from_numpy(one.tensor)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # there is a process for each core already
        with torch.inference_mode():
            chances = torch.sigmoid(self.model(inputs)[:, 0]).numpy()
        torch.set_num_threads(threads)
        return [
            (one.to_scan_map(chance) >= THRESHOLD).astype(np.uint8)
            for one, chance in zip(prepared, chances, strict=True)
        ]
