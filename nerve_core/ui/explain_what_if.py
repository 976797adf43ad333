"""What if: a sample without its pathology, or any nerve larger, smaller, darker or brighter."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.explain.counterfactual import ECHO, KnownOriginal, change_nerve, known_original
from nerve_core.inference.prediction import verdict_of
from nerve_core.ui import explain_picture, explain_subject, theme, words
from nerve_core.ui.explain_subject import Subject

CURVES = {"size": (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 1.9, 2.4), "echo": (-60, -45, -30, -15, 0, 15, 30, 45, 60)}
"""Values at which the curves are drawn: area over its own, and grey levels added."""


def show(subject: Subject) -> None:
    """The known original where there is one, then the sliders."""
    if subject.item.id.startswith("sample-"):
        _known(subject)
    _sliders(subject)


@st.cache_data(max_entries=16, show_spinner="Drawing the sample without its pathology …")
def _original(name: str, frame: int, pixels: np.ndarray) -> KnownOriginal | None:
    # Shared by all sessions, as no patient is in it.
    return known_original(name, frame, pixels)


def _known(subject: Subject) -> None:
    found = _original(subject.item.name, subject.view.frame, np.array(subject.scan.pixels))
    if found is None:
        st.info(
            "No pathology was written into this sample, so there is nothing to take out. Pick an affected "
            "sample to "
            "see its known original.",
            icon=":material/labs:",
        )
        return
    st.markdown(
        f"**Without its pathology.** This sample is simulated: the same anatomy was drawn again, without the "
        f"pathology (severity {found.severity:g}). Not an estimate, the known original."
    )
    after = component(found.mask_after, subject.mask)
    before = component(found.mask, after)
    columns = st.columns(2)
    shown = (("With the pathology", subject.scan.pixels, after), ("The known original", found.pixels, before))
    for column, (title, pixels, mask) in zip(columns, shown, strict=True):
        p = subject.predictor.p_affected(np.array(pixels), mask)
        picture = np.repeat(np.array(pixels)[..., None], 3, 2)
        contour = _outline(mask)
        with column:
            st.image(
                explain_picture.framed(picture, after | before, contour, False),
                caption=f"{title}; true outline in white",
                width="stretch",
            )
            st.markdown(_chance(p))
    st.divider()


def component(mask: np.ndarray, near: np.ndarray) -> np.ndarray:
    """The nerve of a mask that shares most with another, else the largest: uint8 0/1 (H, W)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    if len(stats) < 2:
        return np.zeros(mask.shape, np.uint8)
    shared = np.bincount(labels[near > 0], minlength=len(stats))[1:]
    best = int(shared.argmax()) if shared.max(initial=0) else int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return (labels == 1 + best).astype(np.uint8)


@st.fragment
def _sliders(subject: Subject) -> None:
    st.markdown(
        "**Change size and echo.** An approximation: the outlined nerve is enlarged, shrunk, darkened or "
        "brightened "
        "and judged again with the outline moved along. Real disease changes more than that."
    )
    controls, pictures = st.columns([2, 5], gap="large")
    key = f"{subject.item.id}-{subject.view.frame}-{subject.number}"
    with controls:
        size = st.slider("Area, times its own", 0.5, 2.5, 1.0, 0.05, key=f"explain-size-{key}")
        echo = st.slider(
            "Echo, grey levels", -ECHO, ECHO, 0, 5, key=f"explain-echo-{key}", help="Below 0: darker."
        )
        curves = st.toggle("Curves over size and echo", key="explain-curves")
    try:
        changed = change_nerve(subject.scan.pixels, subject.mask, size, echo)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    p = subject.predictor.p_affected(changed.pixels, changed.mask)
    with controls:
        own = subject.predictor.p_affected(subject.scan.pixels, subject.mask)
        with st.container(border=True, key=theme.card_key(verdict_of(p))):
            st.markdown(_chance(p))
            st.caption(f"As it is: {words.percent(own)}. An approximation.")
        if abs(changed.size - size) > 0.1:
            st.caption(f"There was room for {changed.size:.2f} times its area only.")
    with pictures:
        left, right = st.columns(2)
        left.image(
            explain_picture.drawn(subject, None, "cividis", 0, False), caption="As it is", width="stretch"
        )
        whole = np.repeat(changed.pixels[..., None], 3, 2)
        right.image(
            explain_picture.framed(whole, subject.mask, _outline(changed.mask), False),
            caption="Changed (approximation)",
            width="stretch",
        )
    if curves:
        _curves(subject)


def _curves(subject: Subject) -> None:
    def make() -> dict[str, list[float]]:
        bar = st.progress(0.0, "Judging …")
        total, done, found = sum(map(len, CURVES.values())), 0, {}
        for name, values in CURVES.items():
            found[name] = []
            for value in values:
                changed = change_nerve(subject.scan.pixels, subject.mask, **{name: value})
                found[name].append(subject.predictor.p_affected(changed.pixels, changed.mask))
                done += 1
                bar.progress(done / total, f"Judging change {done} of {total} …")
        bar.empty()
        return found

    try:
        found = explain_subject.kept(subject, "curves", make)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    titles = {"size": "Area, times its own", "echo": "Echo, grey levels added"}
    for column, (name, values) in zip(st.columns(2), found.items(), strict=True):
        table = pd.DataFrame({titles[name]: CURVES[name], "Probability, %": [100 * p for p in values]})
        column.line_chart(table, x=titles[name], y="Probability, %", color="#0072B2", height=260)
    st.caption("Probability of looking affected; each curve changes one thing alone. An approximation.")


def _chance(p: float) -> str:
    return f"**{words.percent(p)}** probability of looking affected: **{verdict_of(p)}**"


def _outline(mask: np.ndarray) -> np.ndarray | None:
    from nerve_core.inference.contours import outline

    return outline(mask) if mask.any() else None
