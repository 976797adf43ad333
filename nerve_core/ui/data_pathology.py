"""The pathology playground: a change written into a nerve of a scan, beside the original and the control."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.pathology import KINDS, Altered, affect, sham
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.errors import NerveCoreError
from nerve_core.ui import data_picture, data_source, data_style, session, words
from nerve_core.ui.data_difference import LEGEND, difference
from nerve_core.ui.data_sets import ScanSet, values
from nerve_core.ui.data_source import Source

KIND_NAMES = {
    "swelling": "Swelling",
    "compression": "Compression (flattening or notch)",
    "hypoechogenicity": "Darkening",
    "fascicle_loss": "Loss of the fascicles (nerve bundles)",
    "thickening": "Thick or bright rim",
    "irregular": "Irregular outline",
}

ANY = -1
"""Leaves the choice of the nerve to the seed."""


@dataclass(frozen=True)
class Asked:
    """What the user wants written: ``nerve`` from 0, None leaves it to the seed."""

    kinds: tuple[str, ...]
    severity: float
    seed: int
    site: str
    nerve: int | None


def show(chosen: ScanSet) -> None:
    """Choose a scan and what to write into it; original, control and affected side by side."""
    st.markdown(
        "Truth for the verdict is made, not collected: a pathology is written into a nerve of a real or "
        "simulated scan. The **control** went through the same steps with no pathology in them, so that a "
        "network which only sees that a picture was worked on gives itself away."
    )
    indices = data_source.usable(chosen)
    if not indices:
        st.info(
            "No scan of this set has a contour, and pathology can only be written into one. Choose another "
            "set above, such as the shipped samples."
        )
        return
    controls, pictures = st.columns([2, 5], gap="large")
    with controls:
        index = data_source.pick(chosen, indices, "pathology")
        try:
            source = data_source.read(chosen, index)
        except NerveCoreError as error:
            st.error(str(error), icon=":material/error:")
            return
        asked = _asked(chosen, index, source)
        contour = st.toggle("Contours", True, key="pathology-contours")
        close = st.toggle("Close to the nerve", True, key="pathology-close")
        compared = st.toggle(
            "Difference", key="pathology-difference", help="What changed, pixel by pixel, from the original."
        )
    with pictures, st.container(key=data_style.pictures("pathology")):
        if not asked.kinds:
            st.info("Choose at least one kind of pathology.")
            return
        try:
            affected, control = _made((chosen.mark, index), asked, source)
        except NerveCoreError as error:
            st.error(str(error), icon=":material/error:")
            return
        _shown(source, affected, control, contour, close, compared)
        _said(source, affected, control, asked)
    with controls:
        _open(source, affected, asked)


def _asked(chosen: ScanSet, index: int, source: Source) -> Asked:
    kinds = st.multiselect(
        "Kinds of pathology", list(KINDS), ["swelling"], format_func=kind_name, key="pathology-kinds"
    )
    severity = st.slider("Severity (0.3 mildest, 1 gross)", 0.3, 1.0, 0.7, 0.05, key="pathology-severity")
    count = cv2.connectedComponents((source.mask > 0).astype(np.uint8))[0] - 1
    nerve = ANY
    if count > 1:
        nerve = st.selectbox(
            "Nerve",
            [ANY, *range(count)],
            format_func=lambda number: "Any (the seed decides)" if number == ANY else f"Nerve {number + 1}",
            key=f"pathology-nerve-{chosen.mark}-{index}",
            help="Counted from the top of the picture.",
        )
    sites = list(dict.fromkeys(["", *SITES, *values(chosen.rows, "site")]))
    site = st.selectbox(
        "Region of the body",
        sites,
        sites.index(source.site),
        format_func=lambda name: name or "not stated",
        key=f"pathology-site-{chosen.mark}-{index}",
        help="At the neck nerves are dark by nature, so darkness alone is never written there.",
    )
    seed = st.slider("Seed (another draw)", 0, 50, 0, key="pathology-seed")
    return Asked(tuple(kinds), severity, seed, site, None if nerve == ANY else nerve)


def kind_name(kind: str) -> str:
    """A kind of pathology in plain words."""
    return KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


def _made(scan: tuple[str, int], asked: Asked, source: Source) -> tuple[Altered, Altered]:
    """The affected scan and its control; both work on the same nerve."""
    kept = st.session_state.get("pathology-made")
    if kept is None or kept[0] != (scan, asked):
        with st.spinner("Writing the pathology …", show_time=True):
            affected = affect(
                source.image,
                source.mask,
                np.random.default_rng(asked.seed),
                severity=asked.severity,
                kinds=asked.kinds,
                site=asked.site,
                nerve=asked.nerve,
            )
            control = sham(
                source.image,
                source.mask,
                np.random.default_rng(asked.seed),
                site=asked.site,
                nerve=affected.nerve,
            )
        kept = ((scan, asked), affected, control)
        st.session_state["pathology-made"] = kept
    return kept[1], kept[2]


def _shown(
    source: Source, affected: Altered, control: Altered, contour: bool, close: bool, compared: bool
) -> None:
    parts = (
        ("Original", source.image, source.mask, source.label),
        ("Control", control.image, control.mask, source.label),
        ("With pathology", affected.image, affected.mask, "affected"),
    )
    whole = (slice(None), slice(None))
    window = around(affected.changed | control.changed, source.image.shape) if close else whole
    original = np.ascontiguousarray(source.image[window])
    for place, (title, pixels, nerves, label) in zip(st.columns(3), parts, strict=True):
        mask = nerves[window] > 127 if contour else None
        with place:
            pixels = np.ascontiguousarray(pixels[window])
            st.image(data_picture.outlined(pixels, mask, label, 768), title, width="stretch", alt=title)
            if compared and title != "Original":
                changed = difference(original, pixels, 768)
                if mask is not None:
                    changed = data_picture.contour_on(changed, mask, label)
                said = f"{title}, less the original"
                st.image(changed, said, width="stretch", alt=said)
    if compared:
        st.html(LEGEND)


def around(nerve: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a square about three times as large as the nerve, inside the picture."""
    y, x = np.nonzero(nerve)
    side = min(max(3 * int(max(np.ptp(y), np.ptp(x))) + 1, 96), *shape[:2])
    top = min(max(int((y.min() + y.max() - side) / 2), 0), shape[0] - side)
    left = min(max(int((x.min() + x.max() - side) / 2), 0), shape[1] - side)
    return slice(top, top + side), slice(left, left + side)


def _said(source: Source, affected: Altered, control: Altered, asked: Asked) -> None:
    count, labels = cv2.connectedComponents((source.mask > 0).astype(np.uint8))
    before = int((labels == affected.nerve + 1).sum())
    after, same = (int((made.changed > 127).sum()) for made in (affected, control))
    st.markdown(
        f"Nerve {affected.nerve + 1} of {count - 1}: {source.area(before)} before, "
        f"**{source.area(after)}** with pathology ({100 * (after - before) / before:+.0f} %), "
        f"{source.area(same)} in the control ({100 * (same - before) / before:+.0f} %). "
        f"Severity asked {asked.severity:.2f}, reached {affected.severity:.2f}."
    )
    if source.spacing_mm is None:
        st.caption("No millimetre scale is known for this scan, so areas are in pixels.")
    added = [kind_name(kind).lower() for kind in affected.kinds if kind not in asked.kinds]
    if added:
        st.caption(
            f"{words.listing(added).capitalize()} was added: here the nerve is dark by nature, so darkness "
            "alone is no sign."
        )
    if affected.severity < asked.severity - 0.01:
        st.caption("There was no room for more without moving other nerves or leaving the picture.")
    st.caption(f":material/science: {words.NOTICE}")


def _open(source: Source, affected: Altered, asked: Asked) -> None:
    """The way to the Diagnose page with the changed scan."""
    if st.button("Open in Diagnose", icon=":material/frame_inspect:", key="pathology-diagnose"):
        name = f"{Path(source.name).stem}-simulated-{'-'.join(affected.kinds)}-{asked.seed}.png"
        kinds = words.listing([kind_name(kind).lower() for kind in affected.kinds])
        note = (
            f"A pathology was written into this scan ({kinds}, severity {affected.severity:.2f}): "
            "its simulated truth is affected."
        )
        content = cv2.imencode(".png", affected.image)[1].tobytes()
        session.carry(session.from_content(name, content, note, affected.mask))
        st.switch_page("pages/diagnose.py")
