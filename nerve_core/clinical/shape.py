"""Geometry of closed outlines, in whatever unit their points have."""

from __future__ import annotations

import cv2
import numpy as np


def area(outline: np.ndarray) -> float:
    """Enclosed area of a polygon (N, 2), by the shoelace formula."""
    x, y = np.asarray(outline, np.float64).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def perimeter(outline: np.ndarray) -> float:
    """Length of the closed polygon (N, 2)."""
    points = np.asarray(outline, np.float64)
    return float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).sum())


def feret(outline: np.ndarray) -> tuple[float, float]:
    """Largest and smallest distance between two parallel lines that hold the polygon (N, 2) between them.

    Both are met on the convex hull: the largest between two of its corners, the smallest across one of its
    edges (rotating calipers, Shamos 1978).
    """
    hull = cv2.convexHull(np.asarray(outline, np.float32))[:, 0].astype(np.float64)
    widest = np.linalg.norm(hull[:, None] - hull[None], axis=-1).max()
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.linalg.norm(edges, axis=1)
    edges, corners = edges[lengths > 0], hull[lengths > 0]
    normals = np.column_stack([-edges[:, 1], edges[:, 0]]) / lengths[lengths > 0, None]
    across = np.abs(np.einsum("enk,ek->en", hull[None] - corners[:, None], normals)).max(axis=1)
    return float(widest), float(across.min()) if len(across) else 0.0
