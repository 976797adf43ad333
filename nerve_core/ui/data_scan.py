"""One scan of a set, large, with its facts and the way to the Diagnose page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from nerve_core.data.manifest import Row
from nerve_core.data.splits import assign
from nerve_core.data.statistics import ScanNumbers, look, measure, spacing_of
from nerve_core.errors import DataError, NerveCoreError
from nerve_core.imaging.read import base_name, open_scan
from nerve_core.ui import data_picture, session
from nerve_core.ui.data_sets import simulated

ASKED = "data-asked"


def ask_for(rows: Sequence[Row], index: int) -> None:
    """Open this scan when the page is drawn next; called where a user clicks."""
    st.session_state[ASKED] = (rows, index)


def open_asked() -> None:
    """Open the scan that was asked for, if any; call once a run, last on the page."""
    asked = st.session_state.pop(ASKED, None)
    if asked is not None:
        _dialog(*asked)


@st.dialog("Scan", width="large", icon=":material/image:")
def _dialog(rows: Sequence[Row], index: int) -> None:
    show(rows, index)


def show(rows: Sequence[Row], index: int) -> None:
    """The scan, its facts and what can be done with it."""
    row = rows[index]
    st.markdown(f"**{plain(base_name(row['image']))}**, scan {index + 1:,} of {len(rows):,}")
    try:
        count = open_scan(Path(row["image"])).n_frames
        frame = None
        if count > 1:
            frame = st.slider(f"Frame, of {count}", 1, count, count // 2 + 1, key=f"data-frame-{index}") - 1
        scan, mask = look(row, frame)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        _facts(row, None, rows, index)
        return
    picture, beside = st.columns([3, 2], gap="medium")
    with beside:
        drawn = mask is not None and st.toggle("Contour", True, key="data-contour-large")
        try:
            numbers = measure(scan, mask, spacing_of(row))
        except DataError as error:
            st.warning(str(error))
            numbers = measure(scan, mask)
        _facts(row, numbers, rows, index)
        if st.button("Open in Diagnose", icon=":material/frame_inspect:", key="data-diagnose"):
            session.carry(item_of(row))
            st.switch_page("pages/diagnose.py")
    with picture:
        shown = data_picture.outlined(
            scan.pixels, mask if drawn else None, row.get("label", ""), data_picture.LARGE
        )
        st.image(shown, width="stretch", alt=f"Scan, {scan.pixels.shape[1]} by {scan.pixels.shape[0]} px")


def item_of(row: Row) -> session.Item:
    """The scan as the Diagnose page takes it; its truth goes with it only where it is simulated.

    Raises:
        DataError: the file cannot be read.
    """
    path = Path(row["image"])
    try:
        content = path.read_bytes()
    except OSError:
        raise DataError(f"The file {path.name} cannot be read any more.") from None
    truth, note = None, ""
    if simulated(row):
        truth = Path(row["mask"]) if row.get("mask") else None
        note = f"Simulated scan, {row.get('site', '')}. Simulated truth: {row.get('label', '')}."
    elif row.get("generated") == "1":
        note = "Drawn by a network, no scan of a person."
    return session.from_content(base_name(path.name), content, note, truth)


def _facts(row: Row, numbers: ScanNumbers | None, rows: Sequence[Row], index: int) -> None:
    lines = [(name.capitalize(), row.get(name, "")) for name in ("label", "site", "nerve", "device", "group")]
    lines.append(("Split", f"{assign(rows)[index]} (by group, seed 0)"))
    lines.append(("Severity", row.get("severity", "")))
    if numbers is not None:
        lines += measured(numbers)
    lines += [("Licence", row.get("licence", "")), ("Source", row.get("source", ""))]
    st.markdown("  \n".join(f"**{name}:** {plain(text)}" for name, text in lines if text))


def measured(numbers: ScanNumbers) -> list[tuple[str, str]]:
    """The numbers of a scan in words, each with its unit."""
    lines = [("Size", f"{numbers.width_px} × {numbers.height_px} px")]
    if numbers.area_share is None:
        return [*lines, ("Contour", "none")]
    area = f"{numbers.area_px:,} px², {100 * numbers.area_share:.2f} % of the ultrasound region"
    if numbers.area_mm2 is not None:
        area += f", {numbers.area_mm2:.1f} mm²"
    lines.append(("Nerve area" if numbers.nerves == 1 else f"Area of {numbers.nerves} nerves", area))
    depth = f"{100 * numbers.depth_share:.0f} % of the region's height"
    if numbers.depth_mm is not None:
        depth = f"{numbers.depth_mm:.1f} mm, {depth}"
    lines.append(("Depth of centre", depth))
    if numbers.echo_inside is not None and numbers.echo_ring is not None:
        echo = f"{numbers.echo_inside:.0f} inside, {numbers.echo_ring:.0f} around (grey levels, 0 to 255)"
        lines.append(("Mean echo", echo))
    return lines


def plain(text: str) -> str:
    """Text of a manifest as it stands, with nothing in it that Markdown would act on."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+!|~$:" else letter for letter in str(text))
