"""One scan of a set to work on: chosen by the user, read once, cut to its ultrasound region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.statistics import look, spacing_of
from nerve_core.errors import DataError
from nerve_core.imaging.scan import Spacing
from nerve_core.ui.data_sets import ScanSet

LONGEST = 640
"""Longest side worked on, px: larger scans are reduced first, so that the sliders stay live."""


@dataclass(frozen=True, eq=False)
class Source:
    """What the simulators work on.

    Attributes:
        image: uint8 (H, W), the ultrasound region.
        mask: uint8 (H, W), 0 or 255.
        spacing_mm: (row, column) mm per px of ``image``; None where no scale is known.
        label, site: as in the manifest, empty where it says nothing.
        name: base name of the file.
    """

    image: np.ndarray
    mask: np.ndarray
    spacing_mm: Spacing | None
    label: str
    site: str
    name: str

    def area(self, px: int) -> str:
        """So many pixels as an area with its unit."""
        if self.spacing_mm is None:
            return f"{px:,} px²"
        return f"{px * self.spacing_mm[0] * self.spacing_mm[1]:.1f} mm²"


def usable(chosen: ScanSet) -> list[int]:
    """Indices of the scans with a contour, those called affected last."""
    found = [index for index, row in enumerate(chosen.rows) if row.get("mask")]
    return sorted(found, key=lambda index: chosen.rows[index].get("label") == "affected")


def pick(chosen: ScanSet, indices: list[int], name: str) -> int:
    """The scan the user works on; ``name`` tells the choices of different sections apart."""

    def title(index: int) -> str:
        row = chosen.rows[index]
        return row.get("title") or f"{index + 1}. {Path(row['image']).name}"

    return st.selectbox("Scan", indices, format_func=title, key=f"{name}-scan-{chosen.mark}")


def read(chosen: ScanSet, index: int) -> Source:
    """The scan and its contour within the ultrasound region; the last one read stays in this session.

    Raises:
        ScanError: the image cannot be used.
        DataError: the mask cannot be used, or no nerve is in it.
    """
    kept = st.session_state.get("data-source")
    if kept is None or kept[0] != (chosen.mark, index):
        kept = ((chosen.mark, index), _read(chosen, index))
        st.session_state["data-source"] = kept
    return kept[1]


def _read(chosen: ScanSet, index: int) -> Source:
    row = chosen.rows[index]
    scan, mask = look(row)
    assert scan.region is not None
    if mask is None or not mask.any():
        raise DataError("This scan has no contour, or an empty one; choose another.")
    y, x = (float(values.mean()) for values in np.nonzero(mask))
    spacing = scan.spacing_at(y, x) or spacing_of(row)
    top, left, bottom, right = scan.region
    image, nerves = scan.pixels[top:bottom, left:right], mask[top:bottom, left:right] * np.uint8(255)
    if not nerves.any():
        raise DataError("The contour lies outside the ultrasound region of this scan; choose another.")
    zoom = LONGEST / max(image.shape)
    if zoom < 1:
        before = image.shape
        size = (round(image.shape[1] * zoom), round(image.shape[0] * zoom))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        nerves = cv2.resize(nerves, size, interpolation=cv2.INTER_NEAREST_EXACT)
        if spacing is not None:
            spacing = (spacing[0] * before[0] / size[1], spacing[1] * before[1] / size[0])
    return Source(
        np.ascontiguousarray(image),
        np.ascontiguousarray(nerves),
        spacing,
        row.get("label", ""),
        row.get("site", ""),
        Path(row["image"]).name,
    )
