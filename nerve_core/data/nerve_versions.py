"""The nerves of one scan to learn the verdict from: as they are, and with pathology or shams written in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from nerve_core.data.pathology import KINDS, affect, sham

SMALLEST = 0.1
"""Nerves below this share of the scan's largest are not used as originals."""


@dataclass(frozen=True, eq=False)
class Case:
    """One nerve in its scan.

    Attributes:
        image: uint8 (H, W).
        nerve: uint8 (H, W), 1 inside the nerve.
        kind: ``affected``, ``sham`` or ``original``.
        severity: 0 unless affected.
    """

    image: np.ndarray
    nerve: np.ndarray
    kind: str
    severity: float


def cases(
    image: np.ndarray, mask: np.ndarray, number: int, affected: int, shams: int, seed: int, site: str = ""
) -> Iterator[Case]:
    """Every nerve of a scan as it is, and so many affected and sham versions of the scan.

    Every second affected version shows a single kind of pathology, each kind as often as the others; the
    rest are combinations seen in practice.

    Args:
        image: uint8 (H, W).
        mask: uint8 (H, W), 1 inside nerves.
        number: of the scan; with ``seed`` it decides on the pathology.
        affected, shams: versions.
        seed: of the drawn pathology.
        site: where on the body.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[:, cv2.CC_STAT_AREA]
    for j in range(1, count):
        if areas[j] >= SMALLEST * areas[1:].max():
            yield Case(image, (labels == j).astype(np.uint8), "original", 0.0)
    for version in range(affected + shams):
        rng = np.random.default_rng([seed, number, version])
        if version >= affected:
            altered = sham(image, mask * np.uint8(255), rng, site=site)
        else:
            alone = (str(rng.choice(sorted(KINDS))),) if version % 2 else None
            altered = affect(image, mask * np.uint8(255), rng, site=site, kinds=alone)
        kind = "affected" if version < affected else "sham"
        yield Case(altered.image, (altered.changed > 127).astype(np.uint8), kind, altered.severity)
