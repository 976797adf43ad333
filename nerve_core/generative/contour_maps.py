"""What a painter is told: maps of nerve, vessel and region, and the set whose look it shall take."""

from __future__ import annotations

import numpy as np

from nerve_core.generative.painter import CLASSES


def contour_maps(
    inside: np.ndarray,
    nerve: np.ndarray,
    affected: bool,
    vessel: np.ndarray | None,
    imitated: int,
    sets: int,
) -> np.ndarray:
    """float32 (len(CLASSES) + sets, S, S) of 0 and 1, as ``Painter`` wants it.

    Args:
        inside, nerve: (S, S), the ultrasound region and the nerves.
        affected: whether the nerves are to look affected.
        vessel: (S, S), or None where nobody marked vessels: there may be some.
        imitated: number of the set, from 0.
        sets: how many there are.
    """
    maps = np.zeros((len(CLASSES) + sets, *nerve.shape), np.float32)
    maps[0] = inside
    maps[2 if affected else 1] = nerve
    if vessel is not None:
        maps[3], maps[4] = vessel, 1
    maps[len(CLASSES) + imitated] = 1
    return maps
