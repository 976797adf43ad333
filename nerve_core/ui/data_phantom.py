"""The phantom playground: a simulated scan that follows its sliders, with its exact contour."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.phantom import MOST_TILT_DEG, Phantom, depth_limits, simulate
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_machines import PROBES
from nerve_core.ui import data_picture, data_style, figures, session, theme
from nerve_core.ui.data_ruler import with_ruler

ANY = "Any (the seed decides)"
SIZE = (384, 384)
"""(rows, columns) px."""
LONGEST = 768
"""Longest side of a picture shown, px."""
VESSEL = theme.POINT
"""Reddish purple: the inside of arteries and veins."""


def show(_: object = None) -> None:
    """Sliders beside the scan they make."""
    st.markdown(
        "A cross-section is drawn from anatomical sizes and then imaged as a scanner would: **no patient, no "
        "volunteer**. Its contour, label and scale are exact."
    )
    controls, picture = st.columns([2, 5], gap="large")
    with controls:
        phantom = _made()
        marks = _marks()
    with picture, st.container(key=data_style.pictures("phantom")):
        _shown(phantom, marks)
        _take(phantom)


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
    shape = st.segmented_control("Probe", list(PROBES), default="linear", required=True, key="phantom-probe")
    machine = st.selectbox(
        "Machine",
        [ANY, *PROBES[shape]],
        format_func=lambda machine: machine if machine == ANY else plain_name(machine.name),
        key=f"phantom-machine-{shape}",
    )
    least, most = depth_limits(site)
    depth = None
    if st.toggle("Set the depth", key="phantom-deep", help="Else what is usual at this site."):
        depth = float(
            st.slider(
                "Depth (mm)", int(least), int(most), round((least + most) / 2), key=f"phantom-depth-{site}"
            )
        )
    tilt = st.slider(
        "Tilt of the probe (degrees)",
        -int(MOST_TILT_DEG),
        int(MOST_TILT_DEG),
        0,
        key="phantom-tilt",
        help="A tilted probe gets less echo back from tendons, and a little less from nerves and muscle.",
    )
    seed = st.slider("Seed (another body)", 0, 200, 8, key="phantom-seed")
    if machine == ANY:  # the simulator's own draw is among the usual linear probes
        machine = None if shape == "linear" else PROBES[shape][seed % len(PROBES[shape])]
    asked = (seed, site, label, severity if label == "affected" else 0.0, machine, depth, tilt)
    kept = st.session_state.get("phantom")
    if kept is None or kept[0] != asked:
        with st.spinner("Simulating …", show_time=True):
            phantom = simulate(
                seed,
                site=site,
                affected=label == "affected",
                severity=severity,
                size=SIZE,
                machine=machine,
                depth_mm=depth,
                tilt_deg=float(tilt),
            )
        kept = st.session_state["phantom"] = (asked, phantom)
    return kept[1]


def plain_name(machine: str) -> str:
    """The name of a simulated machine without saying once more that it is simulated."""
    return machine.removeprefix("simulated ").capitalize()


def _marks() -> list[str]:
    """What is drawn on the second picture."""
    return st.pills(
        "Drawn on the second picture",
        ["nerves", "vessels", "mm scale"],
        default=["nerves", "mm scale"],
        selection_mode="multi",
        key="phantom-marks",
    )


def _shown(phantom: Phantom, marks: list[str]) -> None:
    place = f"{phantom.site}, {phantom.label}"
    plain = data_picture.outlined(phantom.image, None, "", LONGEST)
    beside = st.columns(2)
    beside[0].image(plain, "Simulated scan", width="stretch", alt=f"Simulated scan, {place}")
    said = "With the truth: " + (", ".join(marks) or "nothing drawn")
    beside[1].image(marked(phantom, marks), said, width="stretch", alt=f"{said}, {place}")
    height, width = phantom.image.shape
    row_mm, column_mm = phantom.spacing_mm
    st.caption(
        f"{width} × {height} px, {row_mm:.3f} mm per px: {height * row_mm:.0f} mm deep, "
        f"{width * column_mm:.0f} mm wide. Device: {phantom.device}. Seed {phantom.seed}. Contours in the "
        "colour of the label: orange affected, blue unaffected; purple is the inside of vessels."
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


def marked(phantom: Phantom, marks: list[str]) -> np.ndarray:
    """The scan with its truth drawn on it.

    Args:
        phantom: the simulated scan.
        marks: any of ``nerves`` (each in the colour of its own label), ``vessels`` and ``mm scale``.

    Returns:
        uint8 (h, w, 3), RGB.
    """
    picture = data_picture.outlined(phantom.image, None, "", LONGEST)
    if "vessels" in marks and phantom.vessel_mask.any():
        picture = data_picture.contour_on(picture, phantom.vessel_mask > 0, "", VESSEL)
    for nerve in phantom.truth if "nerves" in marks else ():
        picture = data_picture.contour_on(picture, phantom.nerves == nerve.number, nerve.label)
    if "mm scale" in marks:
        picture = with_ruler(picture, phantom.image.shape, phantom.spacing_mm)
    return picture


def _take(phantom: Phantom) -> None:
    """Files to take away, and the way to the Diagnose page."""
    name = f"phantom-{phantom.site}-{phantom.label}-{phantom.seed}"
    with st.container(horizontal=True):
        for words, file, kind, content in (
            ("Picture (PNG)", f"{name}.png", "image/png", lambda: _png(phantom.image)),
            ("Contour (PNG)", f"{name}_mask.png", "image/png", lambda: _png(phantom.mask)),
            ("Scan with mm scale (DICOM)", f"{name}.dcm", "application/dicom", lambda: dicom(phantom)),
        ):
            st.download_button(
                words, content, file, kind, icon=":material/download:", on_click="ignore", key=f"get-{file}"
            )
        if st.button("Open in Diagnose", icon=":material/frame_inspect:", key="phantom-diagnose"):
            note = f"Simulated scan, {phantom.site}. Simulated truth: {phantom.label}."
            session.carry(session.from_content(f"{name}.dcm", dicom(phantom), note, phantom.mask))
            st.switch_page("pages/diagnose.py")


def _png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def dicom(phantom: Phantom) -> bytes:
    """The phantom as a DICOM file, which carries its millimetre scale."""
    from nerve_core.data.phantom_dicom import save_dicom

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phantom.dcm"
        save_dicom(path, [phantom])
        return path.read_bytes()
