"""How well one contour follows another, in the scan's own pixels.

The figures are MONAI's, called on the two masks cut to their joint bounding box (nothing outside it
counts in any of them). What happens when a mask is empty is decided here, because tools differ:

==============  ====  ===  ===  =======  =========  ======
true / found    dice  iou  nsd  hd95_px  precision  recall
==============  ====  ===  ===  =======  =========  ======
nerve / nerve   0–1   0–1  0–1  ≥ 0      0–1        0–1
nerve / none    0     0    0    NaN      0          0
none / nerve    0     0    0    NaN      0          0
none / none     1     1    1    NaN      1          1
==============  ====  ===  ===  =======  =========  ======

So a missed nerve weighs fully on Dice, IoU and surface Dice, and no distance is made up for it: HD95 is
averaged over the images in which there is one, and their number is given beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

NSD_TOLERANCE = 2 / 256
"""Surface tolerance as a share of the image's size √(H·W): 2 px at 256 × 256, 8 px at 1024 × 1024."""


@dataclass(frozen=True)
class ContourScore:
    """Agreement of a found mask with the true one.

    Attributes:
        dice: Sørensen–Dice coefficient, 0 to 1.
        iou: intersection over union, 0 to 1.
        hd95_px: the larger of the two directed 95th-percentile surface distances in px; NaN when either
            mask is empty.
        nsd: normalised surface Dice at ``NSD_TOLERANCE`` (Nikolov et al. 2021; Seidlitz et al. 2022),
            0 to 1.
        precision: share of the found pixels that are nerve, 0 to 1.
        recall: share of the nerve's pixels that were found, 0 to 1.
    """

    dice: float
    iou: float
    hd95_px: float
    nsd: float
    precision: float
    recall: float


def surface_tolerance(shape: tuple[int, int]) -> float:
    """Tolerance of the surface Dice in px for an image of shape (H, W), never below one px."""
    return max(1.0, NSD_TOLERANCE * float(np.sqrt(shape[0] * shape[1])))


def score_contour(found: np.ndarray, true: np.ndarray) -> ContourScore:
    """Agreement of two masks of the same shape (H, W); any value above 0 is nerve.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> mask = np.zeros((64, 64), np.uint8); mask[20:30, 20:30] = 255
        >>> score_contour(mask, mask)
        ContourScore(dice=1.0, iou=1.0, hd95_px=0.0, nsd=1.0, precision=1.0, recall=1.0)
    """
    if found.shape != true.shape or true.ndim != 2:
        raise ValueError(f"masks must be 2-D and of one shape, got {found.shape} and {true.shape}")
    found, true = found > 0, true > 0
    if not true.any() or not found.any():
        value = float(true.any() == found.any())
        return ContourScore(value, value, float("nan"), value, precision=value, recall=value)

    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance, compute_iou, compute_surface_dice

    left, top, width, height = cv2.boundingRect((found | true).astype(np.uint8))
    box = np.s_[top : top + height, left : left + width]
    pair = [torch.from_numpy(np.ascontiguousarray(mask[box]))[None, None] for mask in (found, true)]
    return ContourScore(
        dice=compute_dice(*pair).item(),
        iou=compute_iou(*pair).item(),
        hd95_px=compute_hausdorff_distance(*pair, include_background=True, percentile=95).item(),
        nsd=compute_surface_dice(
            *pair, include_background=True, class_thresholds=[surface_tolerance(true.shape)]
        ).item(),
        precision=float((found & true).sum() / found.sum()),
        recall=float((found & true).sum() / true.sum()),
    )


def largest_nerve(mask: np.ndarray) -> np.ndarray:
    """Boolean mask (H, W) of the largest 8-connected part of a mask (H, W), empty when that is empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8), connectivity=8)
    if count == 1:
        return np.zeros(mask.shape, bool)
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
