"""Another machine's look by Fourier amplitudes: FDA (Yang and Soatto, CVPR 2020)."""

from __future__ import annotations

import cv2
import numpy as np


def fourier_style(image: np.ndarray, other: np.ndarray, band: float, share: float = 1.0) -> np.ndarray:
    """The image with low spatial frequencies as strong as in another one; their phase, the anatomy, stays.

    Unlike the paper, a band below one cycle changes nothing, not even the mean.

    Args:
        image: uint8 (H, W).
        other: uint8, any size; brought to (H, W) first.
        band: frequencies up to ``band`` × the shorter side, in cycles over it, are taken; 0 to 0.5.
        share: 0 keeps the image's own amplitudes, 1 takes the other's, between them they are mixed.

    Returns:
        uint8 (H, W).
    """
    height, width = image.shape
    cycles = int(band * min(height, width))
    if cycles < 1 or share == 0:
        return image.copy()
    if other.shape != image.shape:
        shrinks = other.shape[0] > height
        other = cv2.resize(
            other, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
    spectrum, theirs = np.fft.rfft2(image.astype(np.float32)), np.fft.rfft2(other.astype(np.float32))
    rows = np.r_[0 : cycles + 1, height - cycles : height]
    low = np.ix_(rows, np.arange(cycles + 1))
    amplitude = (1 - share) * np.abs(spectrum[low]) + share * np.abs(theirs[low])
    spectrum[low] = amplitude * np.exp(1j * np.angle(spectrum[low]))
    return np.clip(np.rint(np.fft.irfft2(spectrum, s=image.shape)), 0, 255).astype(np.uint8)
