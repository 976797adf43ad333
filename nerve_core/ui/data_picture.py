"""Scans of a set as pictures: contours in the colour of the label, small for the wall, large to look at."""

from __future__ import annotations

from collections import OrderedDict

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.manifest import Row
from nerve_core.data.statistics import key_of, look
from nerve_core.errors import NerveCoreError
from nerve_core.inference.prediction import AFFECTED, UNAFFECTED
from nerve_core.ui.theme import VERDICT_COLOURS, rgb

UNLABELLED = "#009E73"
"""Bluish green of the same palette: a nerve of which nothing is said."""

THUMB = 320
"""Longest side of a thumbnail, px."""
LARGE = 1200
"""Longest side of a scan shown large, px; smaller ones are enlarged towards it, at most four times."""
KEPT = 400
"""Thumbnails kept a session, a few megabytes."""


def colour(label: str) -> str:
    """``#RRGGBB`` of a nerve by its label."""
    return VERDICT_COLOURS[label] if label in (AFFECTED, UNAFFECTED) else UNLABELLED


def outlined(pixels: np.ndarray, mask: np.ndarray | None, label: str, longest: int) -> np.ndarray:
    """A scan with its contours, resized.

    Args:
        pixels: uint8 (H, W).
        mask: bool (H, W), or None for no contour.
        label: decides the colour.
        longest: longest side wanted, px.

    Returns:
        uint8 (h, w, 3), RGB.
    """
    zoom = min(longest / max(pixels.shape), 4.0)
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    size = max(round(pixels.shape[1] * zoom), 1), max(round(pixels.shape[0] * zoom), 1)
    picture = cv2.cvtColor(cv2.resize(pixels, size, interpolation=how), cv2.COLOR_GRAY2RGB)
    return picture if mask is None else contour_on(picture, mask, label)


def contour_on(picture: np.ndarray, mask: np.ndarray, label: str, ink: str = "") -> np.ndarray:
    """The picture (h, w, 3) with the contours of a mask of any size drawn in the colour of the label.

    ``ink``, a ``#RRGGBB`` colour, draws them in that instead.

    Drawn on the resized picture, so that a line is as thin on a large scan as on a small one.
    """
    size = picture.shape[1], picture.shape[0]
    soft = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    zoom = size[0] / mask.shape[1]
    if zoom > 1:  # without the steps of the scan's own pixels
        soft = cv2.GaussianBlur(soft, (0, 0), 0.7 * zoom)
    contours, _ = cv2.findContours((soft > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    unit = max(2, round(max(size) / 400))
    # On a thumbnail, shrunk further by the browser, a dark edge would swallow the colour.
    edge = [((0, 0, 0), unit + 2)] if max(size) > THUMB else []
    for drawn, thickness in (*edge, (rgb(ink or colour(label)), unit)):
        cv2.drawContours(picture, contours, -1, drawn, thickness, cv2.LINE_AA)
    return picture


def thumbnail(row: Row, contour: bool) -> bytes | str:
    """JPEG of a row's scan, or the sentence that says why there is none."""
    try:
        scan, mask = look(row)
    except NerveCoreError as error:
        return str(error)
    picture = outlined(scan.pixels, mask if contour else None, row.get("label", ""), THUMB)
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    assert done
    return data.tobytes()


def thumbnails(rows: list[Row], contour: bool) -> list[bytes | str]:
    """Thumbnails of some rows, kept in this session; a progress bar while there is something to wait for."""
    kept: OrderedDict = st.session_state.setdefault("data-thumbs", OrderedDict())
    found, bar = [], st.empty()
    for number, row in enumerate(rows):
        key = (*key_of(row), contour, row.get("label", ""))
        if key not in kept:
            bar.progress(number / len(rows), f"Reading scan {number + 1} of {len(rows)} …")
            kept[key] = thumbnail(row, contour)
        kept.move_to_end(key)
        found.append(kept[key])
    bar.empty()
    while len(kept) > max(KEPT, len(rows)):
        kept.popitem(last=False)
    return found
