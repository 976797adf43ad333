"""The phantom playground: a simulated scan that follows its sliders, with its exact contour."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.phantom import Phantom, simulate
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_physics import MACHINES
from nerve_core.ui import data_picture, figures, session, theme

ANY = "Any (the seed decides)"
SIZE = (384, 384)
"""(rows, columns) px."""


def show(_: object = None) -> None:
    """Sliders beside the scan they make."""
    st.markdown(
        "A cross-section is drawn from anatomical sizes and then imaged as a scanner would: **no patient, no "
        "volunteer**. Its contour, label and scale are exact."
    )
    controls, picture = st.columns([2, 5], gap="large")
    with controls:
        phantom = _made()
    with picture:
        _shown(phantom)
    with controls:
        if st.button("Open in Diagnose", icon=":material/frame_inspect:", key="phantom-diagnose"):
            _carry(phantom)
            st.switch_page("pages/diagnose.py")


def _made() -> Phantom:
    site = st.selectbox("Site", list(SITES), list(SITES).index("wrist"), key="phantom-site")
    label = st.segmented_control(
        "Label", ["unaffected", "affected"], default="unaffected", required=True, key="phantom-label"
    )
    severity = st.slider(
        "Severity (0.3 mildest, 1 gross)",
        0.3,
        1.0,
        0.7,
        0.05,
        key="phantom-severity",
        disabled=label != "affected",
    )
    looks = {machine.name: machine for machine in MACHINES}
    look = st.selectbox("Probe and scanner look", [ANY, *looks], key="phantom-look")
    seed = st.slider("Seed (another body)", 0, 200, 8, key="phantom-seed")
    asked = (seed, site, label, severity if label == "affected" else 0.0, look)
    kept = st.session_state.get("phantom")
    if kept is None or kept[0] != asked:
        with st.spinner("Simulating …", show_time=True):
            phantom = simulate(
                seed,
                site=site,
                affected=label == "affected",
                severity=severity,
                size=SIZE,
                machine=looks.get(look),
            )
        kept = st.session_state["phantom"] = (asked, phantom)
    return kept[1]


def _shown(phantom: Phantom) -> None:
    plain, outlined = st.columns(2)
    for place, words, mask in (
        (plain, "Simulated scan", None),
        (outlined, "With the true contour", phantom.mask),
    ):
        with place:
            picture = data_picture.outlined(phantom.image, None, phantom.label, 768)
            if mask is not None:
                picture = _each_nerve(phantom)
            st.image(picture, words, width="stretch", alt=f"{words}, {phantom.site}, {phantom.label}")
    height, width = phantom.image.shape
    row_mm, column_mm = phantom.spacing_mm
    st.caption(
        f"{width} × {height} px, {row_mm:.3f} mm per px: {height * row_mm:.0f} mm deep, "
        f"{width * column_mm:.0f} mm wide. {phantom.device}. Seed {phantom.seed}."
    )
    lines = []
    for nerve in phantom.truth:
        y, _ = (float(values.mean()) for values in np.nonzero(phantom.nerves == nerve.number))
        lines.append((nerve.name, nerve.label, f"{nerve.csa_mm2:.1f} mm²", f"{(y + 0.5) * row_mm:.1f} mm"))
    with st.container(key=theme.table_key("phantom")):
        st.markdown(
            figures.table(("Nerve", "Truth", "Cross-sectional area", "Depth of centre"), lines)
            or "No nerve is in view."
        )


def _each_nerve(phantom: Phantom) -> np.ndarray:
    """The scan with every nerve in the colour of its own truth; RGB, 768 px."""
    picture = data_picture.outlined(phantom.image, None, "", 768)
    for nerve in phantom.truth:
        picture = data_picture.contour_on(picture, phantom.nerves == nerve.number, nerve.label)
    return picture


def _carry(phantom: Phantom) -> None:
    """Put the phantom among the scans of the Diagnose page and show it first."""
    content = cv2.imencode(".png", phantom.image)[1].tobytes()
    digest = hashlib.sha256(content).hexdigest()
    note = f"Simulated scan, {phantom.site}. Simulated truth: {phantom.label}."
    name = f"phantom-{phantom.site}-{phantom.label}-{phantom.seed}.png"
    item = session.Item(f"phantom-{digest}", name, content, digest, None, note)
    st.session_state["carried"] = [each for each in session.carried() if each.id != item.id] + [item]
    st.session_state["shown"] = item.id
