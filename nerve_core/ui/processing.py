"""The image processing panel: every step switchable and tunable, its effect seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from nerve_core.imaging.scan import Box, Scan
from nerve_core.ui.session import Item, View

if TYPE_CHECKING:
    from nerve_core.imaging.preprocess import Preprocess

SMALLEST_REGION = 16
"""Fewest px a side of a region set by hand."""


def controls(item: Item, view: View, own: Preprocess, shape: tuple[int, int], found: Box) -> None:
    """Widgets for every step; what they say goes into ``view.settings`` and ``view.region``.

    Args:
        item: the scan the settings belong to.
        view: where they are kept; None there means the model's own.
        own: the model's own settings.
        shape: (H, W) of the scan, px.
        found: the ultrasound region found in it.
    """
    round_number = st.session_state.setdefault("processing_round", {}).setdefault(item.id, 0)

    def key(name: str) -> str:
        # A new round gives new widgets, which then start from the model's own settings again.
        return f"processing-{item.id}-{round_number}-{name}"

    now = view.settings or own
    st.markdown(
        "The model's own settings, until you change them. A change is applied to this scan at once; "
        f"0 switches a step off. Lengths are in pixels of the model's {own.size} × {own.size} px input."
    )
    first, second, third = st.columns(3, gap="medium")
    with first:
        median = st.select_slider(
            "Median filter (window, px)",
            [0, 3, 5, 7, 9, 11],
            now.median,
            key=key("median"),
            help="Removes single bright or dark dots.",
        )
        gaussian = st.slider(
            "Gaussian filter (sigma, px)",
            0.0,
            5.0,
            float(now.gaussian_sigma),
            0.1,
            key=key("gaussian"),
            help="Smooths everything alike, edges too.",
        )
        bilateral = st.slider(
            "Bilateral filter (grey levels)",
            0.0,
            100.0,
            float(now.bilateral),
            5.0,
            key=key("bilateral"),
            help="Smooths speckle while keeping edges stronger than this many grey levels.",
        )
    with second:
        diffusion = st.slider(
            "Anisotropic diffusion (steps)",
            0,
            50,
            now.diffusion_steps,
            key=key("diffusion"),
            help="Smooths along edges, not across them.",
        )
        wavelet = st.slider(
            "Wavelet denoising (strength)",
            0.0,
            3.0,
            float(now.wavelet),
            0.1,
            key=key("wavelet"),
            help="1 removes as much as the noise estimated from the image.",
        )
        method = st.selectbox(
            "Wavelet method",
            ["BayesShrink", "VisuShrink"],
            ["BayesShrink", "VisuShrink"].index(now.wavelet_method),
            key=key("method"),
            disabled=not wavelet,
        )
    with third:
        clahe = st.slider(
            "Local contrast, CLAHE (clip limit)",
            0.0,
            10.0,
            float(now.clahe_clip),
            0.5,
            key=key("clahe"),
            help="Raises the contrast of each part of the picture on its own.",
        )
        tiles = st.slider("CLAHE tiles a side", 1, 32, now.clahe_tiles, key=key("tiles"), disabled=not clahe)
        clip = st.slider(
            "Intensity clipping (percentiles, %)",
            0.0,
            100.0,
            now.clip_percentiles,
            0.5,
            key=key("clip"),
            help="Grey levels outside are set to the nearest level inside.",
        )
        normalisation = st.selectbox(
            "Normalisation",
            ["zscore", "minmax"],
            ["zscore", "minmax"].index(now.normalisation),
            format_func={
                "zscore": "Mean 0, spread 1 (z-score)",
                "minmax": "Darkest 0, brightest 1 (min–max)",
            }.get,
            key=key("normalisation"),
        )
    crop = st.toggle("Use only the ultrasound region", now.crop_region, key=key("crop"))
    view.region = _region(view, shape, found, key("region")) if crop else None

    if clip[0] >= clip[1]:
        clip = now.clip_percentiles
        st.warning("The two percentiles must differ; the last usable pair is kept.")
    chosen = replace(
        now,
        crop_region=crop,
        median=median,
        gaussian_sigma=gaussian,
        bilateral=bilateral,
        diffusion_steps=diffusion,
        wavelet=wavelet,
        wavelet_method=method,
        clahe_clip=clahe,
        clahe_tiles=tiles,
        clip_percentiles=clip,
        normalisation=normalisation,
    )
    view.settings = None if chosen == own else chosen
    changed = view.settings is not None or view.region is not None
    if st.button("Back to the model's own settings", icon=":material/undo:", disabled=not changed):
        view.settings, view.region = None, None
        st.session_state["processing_round"][item.id] = round_number + 1
        st.rerun()


def _region(view: View, shape: tuple[int, int], found: Box, key: str) -> Box | None:
    """The region set by hand, None for the one found."""
    by_hand = st.toggle("Set the ultrasound region by hand", view.region is not None, key=key)
    if not by_hand or min(shape) <= SMALLEST_REGION:
        return None
    top, left, bottom, right = view.region or found
    across, down = st.columns(2)
    left, right = across.slider("Left and right edge (px)", 0, shape[1], (left, right), key=f"{key}-x")
    top, bottom = down.slider("Top and bottom edge (px)", 0, shape[0], (top, bottom), key=f"{key}-y")
    if right - left < SMALLEST_REGION or bottom - top < SMALLEST_REGION:
        st.warning(f"The region must be at least {SMALLEST_REGION} px a side; the one found is used.")
        return None
    return None if (top, left, bottom, right) == found else (top, left, bottom, right)


def left_training(view: View, own: Preprocess) -> None:
    """Say when a changed setting leaves what the model was trained on."""
    lines = [] if view.settings is None else view.settings.differences(own)
    if view.region is not None:
        lines.append("The ultrasound region is set by hand.")
    if not lines:
        return
    said = "\n".join(f"- {line}" for line in lines)
    if view.settings is None:
        st.info(said, icon=":material/crop:")
    else:
        st.warning(
            "Changed image processing: the model was not trained on pictures processed like this, so its "
            f"measured accuracy does not apply.\n{said}",
            icon=":material/tune:",
        )


def effect(scan: Scan, settings: Preprocess) -> None:
    """The scan after each step that is on."""
    steps = settings.steps(scan)
    st.markdown("**Step by step**")
    columns = st.columns(min(len(steps), 4))
    for number, (title, picture) in enumerate(steps):
        columns[number % len(columns)].image(picture, caption=f"{number + 1}. {title}", width="stretch")
