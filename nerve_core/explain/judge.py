"""The verdict network as it is explained: in PyTorch, on a copy lent to one explanation at a time.

The :class:`nerve_core.inference.predictor.Predictor` runs on an engine without gradients. Here the same
weights are loaded once more as a PyTorch network. An explanation hangs hooks on it and runs it backwards, so
each one gets a copy of its own, which goes back to a small pool afterwards; the loaded network is never
touched.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from nerve_core.errors import DataError
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.inference.prediction import Nerve, Prediction
from nerve_core.inference.predictor import Predictor
from nerve_core.models.checkpoint import load_checkpoint
from nerve_core.models.verdict import CROP, crop_window, cut, normalise_crop

SMALLEST = 30
"""Fewest px of a nerve that can be explained; the pathology machinery draws the line there too."""

IDLE = 4
"""Copies kept for the next explanations."""


class Judge:
    """Weights ready to be explained; safe to share between threads.

    Args:
        folder: checkpoint folder.
        device: ``cuda``, ``mps`` or ``cpu``.

    Raises:
        CheckpointError: the weights cannot be used.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        model, self.config = load_checkpoint(folder)
        self._networks = {"verdict": model.verdict.to(device), "contour": model.contour.to(device)}
        self._idle: dict[str, list[nn.Module]] = {name: [] for name in self._networks}
        self._lock = threading.Lock()
        self.device = device
        self.preprocess = Preprocess.from_dict(self.config["preprocess"])
        calibration = self.config.get("calibration", {})
        self.slope, self.bias = calibration.get("slope", 1.0), calibration.get("bias", 0.0)

    @contextmanager
    def lend(self, which: str = "verdict") -> Iterator[nn.Module]:
        """A copy for one explanation alone; one that failed half way is not used again.

        Args:
            which: ``verdict`` or ``contour``.
        """
        with self._lock:
            network = self._idle[which].pop() if self._idle[which] else None
        # Copied outside the lock: the original is only ever read.
        network = copy.deepcopy(self._networks[which]) if network is None else network
        yield network
        with self._lock:
            if len(self._idle[which]) < IDLE:
                self._idle[which].append(network)

    @cached_property
    def random(self) -> Judge:
        """The same networks with random weights: what a map of theirs shows is not learned (Adebayo 2018)."""
        other = copy.copy(self)
        other._networks = {name: randomised(network) for name, network in self._networks.items()}
        other._idle, other._lock = {name: [] for name in self._networks}, threading.Lock()
        return other

    def probability(self, logit: float) -> float:
        """Calibrated probability of looking affected, 0 to 1."""
        return float(0.5 * (1 + np.tanh(0.5 * (self.slope * logit + self.bias))))


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """A copy in which every layer starts from the random weights it had before training."""
    network = copy.deepcopy(network)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for layer in network.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                # Running figures of other weights would blow the features up or out.
                layer.reset_parameters()
            elif hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network.eval()


@dataclass(frozen=True, eq=False)
class Look:
    """One nerve as the verdict network is shown it: the crop and its mirror image.

    Attributes:
        crops: float32 (2, 1, CROP, CROP), z-scored; the second is mirrored left to right.
        masks: float32 (2, 1, CROP, CROP), 0 to 1.
        grey: uint8 (CROP, CROP), the first crop before it is normalised.
        window: (centre x, centre y, side) of the crop in px of the scan.
        pixels: uint8 (H, W), the scan.
        mask: (H, W), nonzero in the nerve.
    """

    crops: torch.Tensor
    masks: torch.Tensor
    grey: np.ndarray
    window: tuple[float, float, float]
    pixels: np.ndarray
    mask: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the scan."""
        return self.pixels.shape

    @property
    def nerve(self) -> np.ndarray:
        """bool (CROP, CROP), the nerve in the first crop."""
        return self.masks[0, 0].cpu().numpy() > 0.5

    def to_scan(self, heat: np.ndarray) -> np.ndarray:
        """A map (CROP, CROP) of the first crop in the scan's own pixels: float32 (H, W), 0 outside it."""
        x, y, side = self.window
        scale = CROP / side
        matrix = np.array([[scale, 0, (CROP - 1) / 2 - scale * x], [0, scale, (CROP - 1) / 2 - scale * y]])
        if scale > 1.5:  # the scan has fewer pixels than the crop: average before they are picked out
            heat = cv2.GaussianBlur(heat, (0, 0), 0.4 * scale)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(np.float32(heat), matrix, self.shape[::-1], flags=flags)


def look_at(pixels: np.ndarray, mask: np.ndarray, device: str = "cpu") -> Look:
    """What the verdict network sees of one nerve, as ``Predictor.logit`` shows it.

    Args:
        pixels: uint8 (H, W) scan.
        mask: (H, W), nonzero in the nerve.
        device: where the tensors go.

    Raises:
        DataError: the nerve is too small to be explained.
    """
    size = int(np.count_nonzero(mask))
    if size < SMALLEST:
        raise DataError(
            f"This nerve is {size} px in area, too small for a map of evidence (at least {SMALLEST} px): "
            "use a closer view, or point at the nerve so that all of it is outlined."
        )
    window = crop_window(mask)
    views = [cut(pixels, mask, window, flip=flip) for flip in (False, True)]
    crops = np.stack([normalise_crop(crop)[None] for crop, _ in views])
    masks = np.stack([soft[None] for _, soft in views])
    return Look(
        torch.from_numpy(crops).to(device),
        torch.from_numpy(masks).to(device),
        views[0][0],
        window,
        pixels,
        mask,
    )


def nerve_mask(nerve: Nerve, prediction: Prediction) -> np.ndarray:
    """The very pixels that were judged as this nerve: uint8 0/1 (H, W).

    The outline is smoothed a little; the component of the prediction's mask under it is not.
    """
    drawn = np.zeros(prediction.mask.shape, np.uint8)
    cv2.fillPoly(drawn, [np.rint(nerve.contour).astype(np.int32)], 1)
    _, labels = cv2.connectedComponents((prediction.mask > 0).astype(np.uint8))
    shared = np.bincount(labels[drawn > 0])
    if shared[1:].size and shared[1:].max():
        return (labels == 1 + int(shared[1:].argmax())).astype(np.uint8)
    return drawn


def unmirror(maps: torch.Tensor | np.ndarray) -> np.ndarray:
    """Maps (2, CROP, CROP) of a crop and its mirror image as one, float32 (CROP, CROP)."""
    both = maps.detach().cpu().numpy() if isinstance(maps, torch.Tensor) else np.asarray(maps)
    return np.float32(0.5 * (both[0] + both[1][:, ::-1]))


_LOADED: dict[tuple[str, str, str, str], Judge] = {}
_LOCK = threading.Lock()


def judge_of(predictor: Predictor) -> Judge:
    """The process's own judge of a predictor's weights, loaded once.

    Raises:
        CheckpointError: the weights cannot be used.
    """
    key = (str(predictor.folder), predictor.name, predictor.version, predictor.device)
    with _LOCK:
        if key not in _LOADED:
            _LOADED[key] = Judge(predictor.folder, predictor.device)
        return _LOADED[key]
