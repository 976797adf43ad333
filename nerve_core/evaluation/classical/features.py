"""What a nerve looks like in numbers: grey levels, LBP, co-occurrence, wavelets and shape, of nerve and rim.

All are taken from the same crop as the verdict network sees (:func:`nerve_core.models.verdict.cut`), so that
they do not depend on the size of the scan; only the shape knows how large the nerve is in it.
"""

from __future__ import annotations

import cv2
import numpy as np
import pywt
from skimage.feature import local_binary_pattern

from nerve_core.evaluation.classical.regions import ellipse_of
from nerve_core.models.verdict import crop_window, cut, normalise_crop

LBP_RADII = (1, 3)
LEVELS = 16
"""Grey levels of the co-occurrence matrix, equal steps from −2.5 to 2.5 standard deviations of the crop."""

DISTANCES = (1, 3, 6)
"""Between the two pixels of a co-occurrence, px of the crop."""

WAVELET, DEPTH = "db2", 3
RIM, AROUND = (4, 8), 20
"""The rim reaches from so far inside the contour to so far outside; then come the surroundings, px."""

HARALICK = ("contrast", "homogeneity", "energy", "correlation", "entropy")


def nerve_features(pixels: np.ndarray, mask: np.ndarray, region_area: float) -> np.ndarray:
    """All features of one nerve, float32 (F,).

    Args:
        pixels: uint8 (H, W) scan.
        mask: (H, W), nonzero inside the nerve.
        region_area: area of the ultrasound region, px of the scan.
    """
    crop, soft = cut(pixels, mask, crop_window(mask))
    return np.concatenate([crop_features(crop, soft), shape_features(mask, region_area)]).astype(np.float32)


def size_feature(mask: np.ndarray, region_area: float) -> np.ndarray:
    """Logarithm of the nerve's share of the ultrasound region, float32 (1,)."""
    return np.array([np.log(max(np.count_nonzero(mask), 1) / region_area)], np.float32)


def crop_features(crop: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Grey levels and texture of nerve and rim, float64 (F,).

    Args:
        crop: uint8 (S, S).
        soft: float32 (S, S), the nerve, 0 to 1.
    """
    nerve, rim, around = zones(soft)
    level = normalise_crop(crop)
    wavelets = wavelet_energies(level, (nerve, rim))
    parts = [
        grey_levels(level, nerve, rim, around),
        *(lbp_histogram(crop, zone, radius) for zone in (nerve, rim) for radius in LBP_RADII),
        *(cooccurrence(level, zone, distance) for zone in (nerve, rim) for distance in DISTANCES),
        wavelets[0],
        wavelets[0] - wavelets[1],
    ]
    return np.concatenate(parts)


def zones(soft: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nerve, rim and surroundings, boolean (S, S) each; a nerve too small for the crop is never empty."""
    nerve = soft >= 0.5
    if not nerve.any():
        nerve = soft >= max(float(soft.max()), 1e-6)
    if not nerve.any():
        nerve = np.zeros(soft.shape, bool)
        nerve[soft.shape[0] // 2, soft.shape[1] // 2] = True
    inside = cv2.distanceTransform(np.pad(nerve, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outside = cv2.distanceTransform(1 - nerve.astype(np.uint8), cv2.DIST_L2, 5)
    rim = (inside <= RIM[0]) & (outside <= RIM[1])
    around = (outside > RIM[1]) & (outside <= AROUND)
    return nerve, rim, around if around.any() else ~nerve


def grey_levels(level: np.ndarray, nerve: np.ndarray, rim: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Mean, spread, skewness, kurtosis and percentiles of the nerve, and how it stands out, (15,)."""
    values = level[nerve]
    mean, spread = float(values.mean()), float(values.std())
    centred = (values - mean) / (spread + 1e-3)
    outer, far = level[rim], level[around]
    return np.array(
        [
            mean,
            spread,
            float((centred**3).mean()),
            float((centred**4).mean()),
            *np.percentile(values, (5, 25, 50, 75, 95)),
            float(outer.mean()),
            float(outer.std()),
            mean - float(outer.mean()),
            mean - float(far.mean()),
            float(outer.mean()) - float(far.mean()),
            np.log((spread + 0.05) / (float(far.std()) + 0.05)),
        ]
    )


def lbp_histogram(crop: np.ndarray, zone: np.ndarray, radius: int) -> np.ndarray:
    """Share of each uniform local binary pattern (Ojala et al. 2002) of eight points in a zone, (10,)."""
    codes = local_binary_pattern(crop, 8, radius, "uniform")[zone].astype(int)
    return np.bincount(codes, minlength=10) / max(len(codes), 1)


def cooccurrence(level: np.ndarray, zone: np.ndarray, distance: int) -> np.ndarray:
    """``HARALICK`` (1973) of the pairs within a zone, symmetric, over four directions together, (5,).

    Args:
        level: float32 (S, S), mean 0 and standard deviation 1.
        zone: boolean (S, S).
        distance: between the pixels of a pair, px.
    """
    grey = np.clip((level + 2.5) * (LEVELS / 5), 0, LEVELS - 1).astype(int)
    matrix = np.zeros(LEVELS * LEVELS)
    for rows, columns in ((0, distance), (distance, 0), (distance, distance), (distance, -distance)):
        first, second = _pair(grey, rows, columns)
        both = np.logical_and(*_pair(zone, rows, columns))
        matrix += np.bincount(first[both] * LEVELS + second[both], minlength=LEVELS * LEVELS)
    matrix = matrix.reshape(LEVELS, LEVELS)
    matrix = matrix + matrix.T
    if not matrix.any():
        return np.array([0.0, 1.0, 1.0, 1.0, 0.0])  # no pair: as of one grey level
    matrix /= matrix.sum()
    i, j = np.mgrid[:LEVELS, :LEVELS]
    mean = float((i * matrix).sum())
    variance = float(((i - mean) ** 2 * matrix).sum())
    shared = float(((i - mean) * (j - mean) * matrix).sum())
    return np.array(
        [
            float(((i - j) ** 2 * matrix).sum()),
            float((matrix / (1 + (i - j) ** 2)).sum()),
            float(np.sqrt((matrix**2).sum())),
            shared / variance if variance > 1e-9 else 1.0,
            float(-(matrix[matrix > 0] * np.log2(matrix[matrix > 0])).sum()),
        ]
    )


def _pair(values: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping parts of a picture, the second ``rows`` and ``columns`` farther on."""
    height, width = values.shape
    left, right = max(0, -columns), min(width, width - columns)
    return (
        values[: height - rows, left:right],
        values[rows:, left + columns : right + columns],
    )


def wavelet_energies(level: np.ndarray, where: tuple[np.ndarray, ...]) -> np.ndarray:
    """Logarithm of the mean detail energy by zone, scale, and straight or diagonal, (zones, 2 · ``DEPTH``).

    Stationary wavelets (Nason & Silverman 1995), so that a shifted nerve gives the same; horizontal and
    vertical details count together, so that one turned by 90° nearly does.
    """
    side = level.shape[0]
    wanted = -(-side // 2**DEPTH) * 2**DEPTH
    padded = np.pad(level, ((0, wanted - side), (0, wanted - level.shape[1])), mode="reflect")
    scales = pywt.swt2(padded, WAVELET, DEPTH, trim_approx=True, norm=True)[1:]
    energies = []
    for across, down, diagonal in scales:
        for energy in (across**2 + down**2, diagonal**2):
            energies.append([float(energy[:side, : level.shape[1]][zone].mean()) for zone in where])
    return np.log(np.array(energies).T + 1e-4)


def shape_features(mask: np.ndarray, region_area: float) -> np.ndarray:
    """Size and outline of a nerve, float64 (7,).

    Logarithm of its share of the region, roundness, solidity, logarithm of its elongation, how far the
    outline strays from an ellipse, deepest notch as a share of the radius, and parts.
    """
    binary = np.asarray(mask > 0, np.uint8)
    lines = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    line = max(lines, key=len)
    area = float(max(np.count_nonzero(binary), 1))
    radius = np.sqrt(area / np.pi)
    hull = max(cv2.contourArea(cv2.convexHull(line)), area)
    points = line[:, 0].astype(np.float64)
    centre, longer, shorter, _ = ellipse_of(binary)
    middle = points - centre
    moments = cv2.moments(binary, binaryImage=True)
    turn = 0.5 * np.arctan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"])
    along = middle @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    distance = np.hypot(along[:, 0] / longer, along[:, 1] / shorter)
    outer, some = cv2.convexHull(line), points[:: max(1, len(points) // 60)]
    notch = max(0.0, *(cv2.pointPolygonTest(outer, (float(x), float(y)), True) for x, y in some))
    return np.array(
        [
            np.log(area / region_area),
            min(4 * np.pi * area / max(cv2.arcLength(line, True), 1.0) ** 2, 1.3),
            area / hull,
            float(np.log(longer / shorter)),
            float(distance.std() / max(distance.mean(), 1e-6)),
            notch / radius,
            float(min(len(lines), 5)),
        ]
    )
