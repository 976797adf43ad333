"""How bright a nerve is, and which share of it is dark by thresholds that no reader sets."""

from __future__ import annotations

import numpy as np
from skimage.filters import threshold_yen


def entropy_threshold(levels: np.ndarray) -> int:
    """Grey level that parts the levels into two classes of the greatest total entropy (Kapur 1985).

    Args:
        levels: uint8, any shape, at least one.

    Returns:
        The highest level of the darker class, 0 to 255.
    """
    share = np.bincount(np.asarray(levels, np.uint8).ravel(), minlength=256) / levels.size
    with np.errstate(divide="ignore", invalid="ignore"):
        own = -np.where(share > 0, share * np.log(share), 0)
        below, above = np.cumsum(share), 1 - np.cumsum(share)
        dark, bright = np.cumsum(own), own.sum() - np.cumsum(own)
        # Entropy of a class of total chance P: (sum of -p log p) / P + log P.
        total = dark / below + np.log(below) + bright / above + np.log(above)
    usable = (below > 0) & (above > 1e-12)
    return int(np.argmax(np.where(usable, total, -np.inf))) if usable.any() else int(np.max(levels))


def hypoechoic_fractions(levels: np.ndarray) -> dict[str, float]:
    """Share of the pixels at or below an automatic threshold of their own, 0 to 1, by its name.

    These two told ulnar neuropathy from healthy nerves where thresholds by hand did not
    (doi:10.1016/j.clinph.2011.10.050). Gain and machine change them, so they have no normal limit.

    Args:
        levels: uint8 (N,), the pixels of a nerve.

    Returns:
        ``yen`` (Yen 1995) and ``maximum_entropy`` (Kapur 1985); empty where all pixels are alike.
    """
    if len(np.unique(levels)) < 2:
        return {}
    cuts = {"yen": float(threshold_yen(levels)), "maximum_entropy": float(entropy_threshold(levels))}
    return {name: float(np.mean(levels <= cut)) for name, cut in cuts.items()}
