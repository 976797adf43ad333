"""One measured image, opened where its file is on this computer, with the outline by hand and the model's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.manifest import Row, read_manifest
from nerve_core.data.statistics import look
from nerve_core.errors import NerveCoreError
from nerve_core.evaluation.contours import largest_nerve
from nerve_core.imaging.click import thickest_point
from nerve_core.ui import data_picture, model, session, words
from nerve_core.ui.data_scan import item_of, plain
from nerve_core.ui.data_sets import ScanSet, found_sets
from nerve_core.ui.metrics_results import SHIPPED, spoken
from nerve_core.ui.theme import POINT, rgb

ASKED = "metrics-asked"
BY_HAND = "#FFFFFF"
"""White dashes, as the Diagnose page draws a known truth."""


@dataclass(frozen=True)
class Case:
    """One image as it was measured.

    Attributes:
        method: name of the method.
        set: name of the set.
        image: path as the set's manifest gives it.
        frame: number of a sweep's frame from 0, empty for a still.
        prefix: ``""`` without a click, ``click_`` or ``pointed_`` with one.
        dice: measured, 0 to 1.
    """

    method: str
    set: str
    image: str
    frame: str
    prefix: str
    dice: float


def ask_for(case: Case) -> None:
    """Open this case when the page is drawn next; called where a user clicks."""
    st.session_state[ASKED] = case


def open_asked() -> None:
    """Open the case that was asked for, if any; call once a run, last on the page."""
    case = st.session_state.pop(ASKED, None)
    if case is not None:
        _dialog(case)


def said(name: str, image: str, frame: str) -> str:
    """Set, file and frame in words, safe as Markdown."""
    return plain(f"{name}, {image}" + (f", frame {int(frame) + 1}" if frame else ""))


def sets_here(names: Iterable[str]) -> list[str]:
    """Which of some sets are on this computer, as far as this session knows."""
    known = {path.name for path in found_sets().values()}
    for chosen in _chosen():
        known |= {row.get("set", "") for row in chosen.rows}
    return sorted(set(names) & known)


def locate(case: Case) -> Row | None:
    """The manifest row of a case, among the sets that this session chose and those in the data folder.

    Raises:
        DataError: the manifest of the set in the data folder cannot be used.
    """
    for rows in _candidates(case.set):
        for row in rows:
            # The whole path under the set's folder has to fit: 1/a.png is not 11/a.png.
            fits = Path(row["image"]).as_posix().endswith("/" + Path(case.image).as_posix())
            if row.get("set") == case.set and fits and Path(row["image"]).is_file():
                return row
    return None


def _candidates(name: str) -> Iterable[list[Row]]:
    for chosen in _chosen():
        yield chosen.rows
    for path in found_sets().values():
        if path.name == name:
            yield read_manifest(path)


def _chosen() -> list[ScanSet]:
    return list(st.session_state.get("data-sets", {}).values())


@st.dialog("Measured image", width="large", icon=":material/image:")
def _dialog(case: Case) -> None:
    show(case)


def show(case: Case) -> None:
    """The scan with both outlines, or how to make it available."""
    st.markdown(f"**{said(case.set, case.image, case.frame)}**: Dice {case.dice:.3f}, {spoken(case.method)}")
    try:
        row = locate(case)
        if row is None:
            st.info(
                f"This image is not on this computer, or not under this name. Put the set as a folder "
                f"`{case.set}` with its `manifest.csv` into the data folder, or choose its manifest on the "
                "Data page; then open the case again.",
                icon=":material/image_not_supported:",
            )
            st.page_link("pages/data.py", label="To the Data page", icon=":material/dataset:")
            return
        with st.spinner("Reading and outlining the scan …"):
            picture, explained = drawn(case, row)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(explained)
    st.image(picture, width="stretch", alt="The scan with the outline by hand and that of the model")
    if st.button("Open in Diagnose", icon=":material/frame_inspect:", key="metrics-diagnose"):
        session.carry(item_of(row))
        st.switch_page("pages/diagnose.py")


def drawn(case: Case, row: Row) -> tuple[np.ndarray, str]:
    """The scan, uint8 (h, w, 3), with the outlines there are, and what they are in words.

    Raises:
        NerveCoreError: the scan, its mask or the weights cannot be used.
    """
    # Of a file with several frames and no mask a frame, the first was judged.
    scan, true = look(row, int(case.frame or 0))
    picture = data_picture.outlined(scan.pixels, None, "", data_picture.LARGE)
    explained = []
    name = case.method.removeprefix(SHIPPED)
    if case.method.startswith(SHIPPED) and name in model.available():
        point = None
        if case.prefix and true is not None and true.any():
            point = thickest_point(largest_nerve(true))
        found = model.predictor(name).predict(scan, point, gate=False)
        picture = data_picture.contour_on(picture, found.mask > 0, "")
        explained.append(
            "Green line: the model, now" if found.nerves else "The model finds no nerve in this image"
        )
        if point is not None:
            zoom = picture.shape[1] / scan.pixels.shape[1]
            place = round(point[0] * zoom), round(point[1] * zoom)
            cv2.drawMarker(picture, place, rgb(POINT), cv2.MARKER_CROSS, 24, 2, cv2.LINE_AA)
            explained.append("cross: the click")
    else:
        explained.append("The network of this measurement is not kept, so only the outline by hand is shown")
    if true is not None:
        dashed(picture, true)
        explained.insert(0, "White dashes: drawn by hand")
    return picture, "; ".join(explained) + f". {words.NOTICE}"


def dashed(picture: np.ndarray, mask: np.ndarray) -> None:
    """Draw the outline of a bool mask (H, W) in white dashes on a picture, uint8 (h, w, 3), in place."""
    size = picture.shape[1], picture.shape[0]
    soft = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    contours, _ = cv2.findContours((soft > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    unit = max(2, round(max(size) / 400))
    for contour in contours:
        for start in range(0, len(contour), 8 * unit):
            dash = contour[start : start + 5 * unit]
            for colour, thickness in (((0, 0, 0), unit + 2), (rgb(BY_HAND), unit)):
                cv2.polylines(picture, [dash], False, colour, thickness, cv2.LINE_AA)
