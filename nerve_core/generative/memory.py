"""Whether a generator replays scans that it learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from torch import nn

from nerve_core.generative.features import features, whole

THUMB = 32
"""Side of the pictures that are correlated, px."""
QUANTILE = 0.01
"""Share of held-back real scans that lie nearer to the training scans than the limit."""


@dataclass(frozen=True)
class Memory:
    """Nearest training scan of each generated one, beside the same of real scans never trained on.

    Attributes:
        kind: ``correlation`` of 32×32 pictures, or ``features`` (cosine).
        limit: similarity that only ``QUANTILE`` of the held-back real scans exceed.
        held_back, generated: median similarity to the nearest training scan.
        highest: the greatest similarity of a generated scan.
        flagged: positions of generated scans above the limit.
    """

    kind: str
    limit: float
    held_back: float
    generated: float
    highest: float
    flagged: tuple[int, ...]

    def to_dict(self) -> dict[str, object]:
        return asdict(self) | {"flagged": list(self.flagged)}


def memory(
    train: Sequence[np.ndarray],
    held_back: Sequence[np.ndarray],
    generated: Sequence[np.ndarray],
    extractor: nn.Module,
) -> list[Memory]:
    """Compare whole frames, uint8 (H, W) each, by correlation and by features, mirrored too.

    Held-back scans must come from other people than the training ones, without near-copies among them;
    else the limit lies too high and a replayed scan passes.
    """
    mirrored = [*train, *(np.ascontiguousarray(image[:, ::-1]) for image in train)]
    found = []

    def seen(images: Sequence[np.ndarray]) -> np.ndarray:
        return features(extractor, whole(images)).cpu().numpy()

    for kind, vectors in (("correlation", _thumbs), ("features", seen)):
        known = vectors(mirrored)
        real, drawn = (nearest(vectors(images), known) for images in (held_back, generated))
        limit = float(np.quantile(real, 1 - QUANTILE))
        found.append(
            Memory(
                kind,
                limit,
                float(np.median(real)),
                float(np.median(drawn)),
                float(drawn.max()),
                tuple(int(k) for k in np.flatnonzero(drawn > limit)),
            )
        )
    return found


def nearest(vectors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Greatest cosine similarity of each row of ``vectors`` to any row of ``known``, in [-1, 1]."""
    return (_unit(vectors) @ _unit(known).T).max(axis=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _thumbs(images: Sequence[np.ndarray]) -> np.ndarray:
    """Small pictures without their mean, so that the cosine is the correlation."""
    small = [cv2.resize(image, (THUMB, THUMB), interpolation=cv2.INTER_AREA).ravel() for image in images]
    rows = np.array(small, np.float32)
    return rows - rows.mean(axis=1, keepdims=True)
