"""Near-copies among many images, by a perceptual hash and a small picture of each.

The hash is the sign of the 64 lowest frequencies of a cosine transform against their median (Zauner 2010,
*pHash*). Hashes at most ``MAX_BITS`` apart agree fully in one of ``MAX_BITS + 1`` bands, so candidates are
found by sorting each band; they count as copies when small pictures of them correlate as well.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MAX_BITS = 5
"""Most bits in which the 64-bit hashes of copies differ."""
MIN_CORRELATION = 0.97
"""Least correlation of the small pictures of copies."""
SIDE = 16
"""Side of the small picture, px."""
NONE = -1
"""Cluster of an image without a copy."""
WINDOW = 64
"""Neighbours compared within a band, so that thousands of alike images do not take forever."""


class Fingerprints:
    """A hash and a small picture for each image: 264 bytes, whatever its size."""

    def __init__(self, count: int) -> None:
        self.hashes = np.zeros(count, np.uint64)
        self.small = np.zeros((count, SIDE * SIDE), np.uint8)
        self.known = np.zeros(count, bool)

    def add(self, index: int, pixels: np.ndarray) -> None:
        """Take the fingerprint of uint8 pixels (H, W)."""
        picture = cv2.resize(pixels, (32, 32), interpolation=cv2.INTER_AREA)
        low = cv2.dct(picture.astype(np.float32))[:8, :8].ravel()
        bits = low > np.median(low[1:])
        self.hashes[index] = np.packbits(bits).view(">u8")[0]
        self.small[index] = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
        self.known[index] = True


def near_duplicates(prints: Fingerprints) -> np.ndarray:
    """Cluster of each image, int (N,); those without a copy are ``NONE``."""
    count = len(prints.hashes)
    pairs = _candidates(prints.hashes, np.flatnonzero(prints.known))
    pairs = pairs[_alike(prints, pairs)]
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    cluster = connected_components(links, directed=False)[1].astype(np.int64)
    cluster[np.bincount(cluster, minlength=1)[cluster] < 2] = NONE
    return cluster


def _candidates(hashes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Pairs of places whose hashes differ in at most ``MAX_BITS`` bits, int (P, 2)."""
    found = [np.empty((0, 2), np.int64)]
    edges = np.linspace(0, 64, MAX_BITS + 2).astype(np.uint64)
    for start, end in pairwise(edges):
        band = (hashes[places] >> start) & ((np.uint64(1) << (end - start)) - np.uint64(1))
        order = np.lexsort((hashes[places], band))
        band, ordered = band[order], places[order]
        for step in range(1, WINDOW):
            same = np.flatnonzero(band[step:] == band[:-step])
            if not len(same):
                break
            pairs = np.stack([ordered[same], ordered[same + step]], axis=1)
            far = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]])
            found.append(pairs[far <= MAX_BITS])
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _alike(prints: Fingerprints, pairs: np.ndarray) -> np.ndarray:
    """Whether the small pictures of each pair correlate, bool (P,)."""
    alike = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), 4096):
        part = pairs[start : start + 4096]
        one, other = (_standard(prints.small[part[:, side]]) for side in (0, 1))
        alike[start : start + 4096] = (one * other).sum(axis=1) >= MIN_CORRELATION
    return alike


def _standard(small: np.ndarray) -> np.ndarray:
    values = small.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
