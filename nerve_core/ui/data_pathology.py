"""The pathology playground: a change written into a nerve of a scan, beside the original and the control."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.pathology import KINDS, Altered, affect, sham
from nerve_core.data.statistics import look
from nerve_core.errors import NerveCoreError
from nerve_core.ui import data_picture, words
from nerve_core.ui.data_sets import ScanSet

KIND_NAMES = {
    "swelling": "Swelling",
    "compression": "Compression (flattening or notch)",
    "hypoechogenicity": "Darkening",
    "fascicle_loss": "Loss of the fascicles",
    "thickening": "Thick or bright rim",
    "irregular": "Irregular outline",
}
LONGEST = 640
"""Longest side worked on, px: larger scans are reduced first, so that the sliders stay live."""


def show(chosen: ScanSet) -> None:
    """Choose a scan and what to write into it; original, control and affected side by side."""
    st.markdown(
        "Truth for the verdict is made, not collected: a pathology is written into a nerve of a real or "
        "simulated scan. The **control** went through the same steps with no pathology in them."
    )
    usable = [index for index, row in enumerate(chosen.rows) if row.get("mask")]
    usable.sort(key=lambda index: chosen.rows[index].get("label") == "affected")  # stable: these come last
    if not usable:
        st.info("No scan of this set has a contour, and pathology can only be written into one.")
        return
    controls, pictures = st.columns([2, 5], gap="large")
    with controls:
        index, kinds, severity, seed, contour, close = _asked(chosen, usable)
    with pictures:
        if not kinds:
            st.info("Choose at least one kind of pathology.")
            return
        try:
            image, mask = _read(chosen, index)
            asked = (chosen.mark, index, tuple(kinds), severity, seed)
            affected, control = _made(asked, image, mask, chosen.rows[index].get("site", ""))
        except NerveCoreError as error:
            st.error(str(error), icon=":material/error:")
            return
        _shown((image, mask, chosen.rows[index].get("label", "")), affected, control, contour, close)
        _said(mask, affected, kinds, severity)


def _asked(chosen: ScanSet, usable: list[int]) -> tuple[int, list[str], float, int, bool, bool]:
    def title(index: int) -> str:
        row = chosen.rows[index]
        return row.get("title") or f"{index + 1}. {Path(row['image']).name}"

    index = st.selectbox("Scan", usable, format_func=title, key=f"pathology-scan-{chosen.mark}")
    kinds = st.multiselect(
        "Kinds of pathology", list(KINDS), ["swelling"], format_func=kind_name, key="pathology-kinds"
    )
    severity = st.slider("Severity (0.3 mildest, 1 gross)", 0.3, 1.0, 0.7, 0.05, key="pathology-severity")
    seed = st.slider("Seed (another draw)", 0, 50, 0, key="pathology-seed")
    contour = st.toggle("Contours", True, key="pathology-contours")
    close = st.toggle("Close to the nerve", True, key="pathology-close")
    return index, kinds, severity, seed, contour, close


def kind_name(kind: str) -> str:
    """A kind of pathology in plain words."""
    return KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


def _read(chosen: ScanSet, index: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 scan and 0/255 mask (H, W) within the ultrasound region, the last one kept in this session."""
    kept = st.session_state.get("pathology-read")
    if kept is None or kept[0] != (chosen.mark, index):
        scan, mask = look(chosen.rows[index])
        assert scan.region is not None and mask is not None
        top, left, bottom, right = scan.region
        image, nerves = scan.pixels[top:bottom, left:right], mask[top:bottom, left:right] * np.uint8(255)
        zoom = LONGEST / max(image.shape)
        if zoom < 1:
            size = (round(image.shape[1] * zoom), round(image.shape[0] * zoom))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            nerves = cv2.resize(nerves, size, interpolation=cv2.INTER_NEAREST_EXACT)
        kept = ((chosen.mark, index), np.ascontiguousarray(image), np.ascontiguousarray(nerves))
        st.session_state["pathology-read"] = kept
    return kept[1], kept[2]


def _made(asked: tuple, image: np.ndarray, mask: np.ndarray, site: str) -> tuple[Altered, Altered]:
    """The affected scan and its control; both work on the same nerve."""
    kept = st.session_state.get("pathology-made")
    if kept is None or kept[0] != asked:
        *_, kinds, severity, seed = asked
        with st.spinner("Writing the pathology …", show_time=True):
            affected = affect(
                image, mask, np.random.default_rng(seed), severity=severity, kinds=kinds, site=site
            )
            control = sham(image, mask, np.random.default_rng(seed), site=site, nerve=affected.nerve)
        kept = (asked, affected, control)
        st.session_state["pathology-made"] = kept
    return kept[1], kept[2]


def _shown(
    original: tuple[np.ndarray, np.ndarray, str],
    affected: Altered,
    control: Altered,
    contour: bool,
    close: bool,
) -> None:
    image, _, label = original
    parts = (
        ("Original", *original),
        ("Control: same steps, no pathology", control.image, control.mask, label),
        ("With pathology", affected.image, affected.mask, "affected"),
    )
    window = around(affected.changed | control.changed, image.shape) if close else (slice(None), slice(None))
    for place, (title, pixels, nerves, label) in zip(st.columns(3), parts, strict=True):
        shown = data_picture.outlined(
            np.ascontiguousarray(pixels[window]), nerves[window] > 127 if contour else None, label, 768
        )
        with place:
            st.image(shown, title, width="stretch", alt=title)


def around(nerve: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a square about three times as large as the nerve, inside the picture."""
    y, x = np.nonzero(nerve)
    side = min(max(3 * int(max(np.ptp(y), np.ptp(x))) + 1, 96), *shape[:2])
    top = min(max(int((y.min() + y.max() - side) / 2), 0), shape[0] - side)
    left = min(max(int((x.min() + x.max() - side) / 2), 0), shape[1] - side)
    return slice(top, top + side), slice(left, left + side)


def _said(mask: np.ndarray, affected: Altered, kinds: list[str], severity: float) -> None:
    count, labels = cv2.connectedComponents((mask > 0).astype(np.uint8))
    before = int((labels == affected.nerve + 1).sum())
    after = int((affected.changed > 127).sum())
    st.markdown(
        f"Nerve {affected.nerve + 1} of {count - 1}: {before:,} px² before, **{after:,} px²** after "
        f"({100 * (after - before) / before:+.0f} %). Severity asked {severity:.2f}, reached "
        f"{affected.severity:.2f}."
    )
    added = [kind_name(kind).lower() for kind in affected.kinds if kind not in kinds]
    if added:
        st.caption(
            f"{words.listing(added).capitalize()} was added: here the nerve is dark by nature, so darkness "
            "alone is no sign."
        )
    if affected.severity < severity - 0.01:
        st.caption("There was no room for more without moving other nerves or leaving the picture.")
    st.caption(f":material/science: {words.NOTICE}")
