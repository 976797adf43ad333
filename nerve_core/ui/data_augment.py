"""What training makes of one scan: every strength of the augmentation, and samples drawn with it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.augment import Augment, preview
from nerve_core.data.manifest import read_manifest
from nerve_core.data.statistics import look, spread
from nerve_core.errors import DataError, NerveCoreError
from nerve_core.ui import data_picture, data_sets, data_source, data_style, model
from nerve_core.ui.data_augment_controls import controls, shipped
from nerve_core.ui.data_grid import grid
from nerve_core.ui.data_sets import ScanSet

SIZE = 256
"""Side of the network's input, px."""
SHOWN = 320
"""Side of a picture shown, px."""
OWN = "a new training"
LOOKS = 8
"""Scans of which the look is taken on, at most."""
COUNTS = (3, 7, 11, 15, 19, 23)
"""With the scan itself these fill whole rows."""


def show(chosen: ScanSet) -> None:
    """Controls beside a grid of samples that follows them."""
    st.markdown(
        "Training never shows the network the same picture twice: each sample is turned, magnified, bent and "
        "repainted at random, as **another hand or another machine** would have shown the same nerve. These "
        "are the strengths of those changes, and what they make of one scan."
    )
    indices = data_source.usable(chosen)
    if not indices:
        st.info("No scan of this set has a contour. Choose another set above, such as the shipped samples.")
        return
    beside, pictures = st.columns([2, 5], gap="large")
    with beside:
        index = data_source.pick(chosen, indices, "augment")
        count = st.select_slider("Samples shown (n)", COUNTS, COUNTS[2], key="augment-count")
        seed = _seed()
        click = st.toggle(
            "Samples with a click",
            key="augment-click",
            help="In use one can click on the nerve and the model looks closer there; samples with a click "
            "are therefore magnified further.",
        )
        contour = st.toggle("Contours", True, key="augment-contours")
        how = _strengths(click)
    with pictures, st.container(key=data_style.pictures("augment")):
        try:
            source = data_source.read(chosen, index)
        except NerveCoreError as error:
            st.error(str(error), icon=":material/error:")
            return
        looks = _looks(chosen, index) if how.style_mix else []
        _samples(source, replace(how, zoom=how.click_zoom) if click else how, seed, count, contour, looks)
        st.caption(
            f"{SIZE} × {SIZE} px each, as the network gets them; black is beyond the scan. “Another "
            "machine's picture” means gamma and gain (twice as often as set), shading, grain and blur (as "
            "often as set), and shadow, local contrast and JPEG compression (half as often). The look of "
            "another scan is here that of a shipped sample."
        )
        with st.expander("These strengths for a training of your own", icon=":material/code:"):
            st.markdown("Put this into a file and give it to `python -m nerve_core train --config FILE`.")
            st.code(json.dumps({"augment": asdict(how)}, indent=1), language="json")


def _seed() -> int:
    """The seed, and a button that draws anew."""
    line = st.container(horizontal=True, vertical_alignment="bottom")
    st.session_state.setdefault("augment-seed", 0)

    def again() -> None:
        st.session_state["augment-seed"] = (st.session_state["augment-seed"] + 1) % 10_000

    seed = line.number_input("Seed", 0, 9_999, step=1, key="augment-seed", width=130)
    line.button("Draw again", on_click=again, icon=":material/casino:", key="augment-again")
    return int(seed)


def _strengths(click: bool) -> Augment:
    """What the user set; begins with what the shipped weights were trained with."""
    names = [*model.available(), OWN]
    start, round_number = st.session_state.setdefault("augment-start", (_start(names[0]), 0))

    def begin(with_: Augment) -> None:
        st.session_state["augment-start"] = (with_, round_number + 1)

    st.markdown("**Strengths**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Reset to",
            names,
            format_func=lambda name: name if name == OWN else f"the {name} weights",
            key="augment-reset-to",
            width=190,
            help="What the shipped weights were trained with, or what a new training starts from.",
        )
        st.button("Reset", on_click=lambda: begin(_start(name)), icon=":material/undo:", key="augment-reset")
        st.button(
            "All off", on_click=lambda: begin(Augment.none()), icon=":material/block:", key="augment-off"
        )
    for problem in st.session_state.pop("augment-problem", []):
        st.warning(problem)
    idle = ("zoom",) if click else ("click_zoom",)
    return controls(start, f"augment-{round_number}", idle)


def _start(name: str) -> Augment:
    """The strengths to begin with; a sentence is kept for the page where the weights do not state them."""
    if name == OWN:
        return Augment()
    try:
        return shipped(name)
    except DataError as error:
        st.session_state["augment-problem"] = [str(error)]
        return Augment()


def _samples(
    source: data_source.Source,
    how: Augment,
    seed: int,
    count: int,
    contour: bool,
    looks: list[np.ndarray],
) -> None:
    """The scan as it is, then the samples drawn from it."""
    plain = preview(source.image, source.mask, Augment.none(), 0, 1, SIZE)
    made = preview(source.image, source.mask, how, seed, count, SIZE, looks)
    drawn = [("As it is", *plain[0])] + [(f"Sample {k + 1}", *each) for k, each in enumerate(made)]
    pictures = []
    for words, image, mask in drawn:
        picture = cv2.resize(image, (SHOWN, SHOWN), interpolation=cv2.INTER_LINEAR)
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
        if contour and mask.any():
            picture = data_picture.contour_on(picture, mask > 0, source.label)
        missed = "" if mask.any() else ", nerve out of view"
        pictures.append((picture, words + missed))
    grid(pictures)
    lost = sum(not mask.any() for _, _, mask in drawn[1:])
    if lost:
        st.caption(
            f"In {lost} of {count} samples the nerve is out of view: the network also learns to find none."
        )


def _looks(chosen: ScanSet, index: int) -> list[np.ndarray]:
    """Scans whose look can be taken on: the shipped samples, or others of the set itself; read once."""
    samples = data_sets.found_sets().get(data_sets.SAMPLES)
    rows = chosen.rows if samples is None else read_manifest(samples)
    rows = [row for row in rows if row["image"] != chosen.rows[index]["image"]]
    kept: dict[str, np.ndarray] = st.session_state.setdefault("augment-looks", {})
    found = []
    for row in (rows[place] for place in spread(rows, LOOKS)):
        if row["image"] not in kept:
            try:
                kept[row["image"]] = look(row | {"mask": ""})[0].pixels
            except NerveCoreError:
                continue
        found.append(kept[row["image"]])
    return found
