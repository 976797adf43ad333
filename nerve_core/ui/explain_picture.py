"""Pictures of the Explain page: a scan with a map and an outline, close to the nerve or whole."""

from __future__ import annotations

import cv2
import numpy as np
import streamlit as st
from matplotlib import colormaps

from nerve_core.explain.report import close_up, overlay
from nerve_core.ui.explain_subject import Subject

SIDE = 560
"""Longest side of a picture, px."""

DIFFERENCE = "PuOr"
"""Purple to orange: a map with two ends that every common colour vision tells apart."""


def drawn(subject: Subject, heat: np.ndarray | None, colours: str, opacity: float, whole: bool) -> np.ndarray:
    """The scan with a map (H, W), 0 to 1, and the outline: uint8 (h, w, 3), RGB."""
    pixels = subject.scan.pixels
    picture = np.repeat(pixels[..., None], 3, 2) if heat is None else overlay(pixels, heat, colours, opacity)
    return framed(picture, subject.mask, subject.nerve.contour, whole)


def difference(
    subject: Subject, one: np.ndarray, other: np.ndarray, opacity: float, whole: bool
) -> np.ndarray:
    """Where two maps of equal total heat differ: orange where the first has more, purple where the second."""
    gap = one / max(float(one.sum()), 1e-9) - other / max(float(other.sum()), 1e-9)
    gap = gap / max(float(np.abs(gap).max()), 1e-12)
    painted = 255 * colormaps[DIFFERENCE](0.5 - 0.5 * gap)[..., :3]
    share = opacity * np.sqrt(np.abs(gap))[..., None]
    picture = np.rint(subject.scan.pixels[..., None] * (1 - share) + painted * share).astype(np.uint8)
    return framed(picture, subject.mask, subject.nerve.contour, whole)


def framed(picture: np.ndarray, mask: np.ndarray, contour: np.ndarray | None, whole: bool) -> np.ndarray:
    """A picture (H, W, 3) cut to the nerve unless ``whole``, enlarged, with the outline in white on black."""
    rows, columns = (slice(0, picture.shape[0]), slice(0, picture.shape[1])) if whole else close_up(mask)
    part = picture[rows, columns]
    zoom = SIDE / max(part.shape[:2])
    size = (max(round(part.shape[1] * zoom), 1), max(round(part.shape[0] * zoom), 1))
    shown = cv2.resize(
        np.ascontiguousarray(part), size, interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    )
    if contour is not None:
        line = (contour - (columns.start - 0.5, rows.start - 0.5)) * zoom - 0.5
        points = [np.rint(line * 16).astype(np.int32)]
        for ink, thickness in (((0, 0, 0), 4), ((255, 255, 255), 2)):
            cv2.polylines(shown, points, True, ink, thickness, cv2.LINE_AA, 4)
    return shown


def bar(colours: str, low: str, high: str) -> None:
    """A legend of a colour map, from ``low`` to ``high``."""
    stops = [colormaps[colours](x)[:3] for x in np.linspace(0, 1, 9)]
    inks = ", ".join("rgb(" + ",".join(f"{255 * part:.0f}" for part in stop) + ")" for stop in stops)
    st.html(
        f"<div style='display:flex;gap:.5rem;align-items:center;font-size:.9rem;opacity:.85'>{low}"
        f"<span style='flex:1;max-width:14rem;height:.7rem;background:linear-gradient(90deg,{inks})'></span>"
        f"{high}</div>"
    )
