"""One scan under a shift of any strength: the scan, its outline and its probability change as one plays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NOT_ASSESSABLE, Prediction
from nerve_core.ui import (
    examples,
    pick,
    processing,
    robustness_words,
    session,
    theme,
    verdict,
    words,
)
from nerve_core.ui.compare_agreement import pairwise_dice
from nerve_core.ui.scan_view import scan_view
from nerve_core.ui.session import Item, Point

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor


def show() -> None:
    """Choice of the scan, then the shift, its strength and what it does."""
    items, predictor = pick.scans_and_weights()
    if not items:
        st.info(
            "Drop a scan above or pick a simulated sample; then shift it and see when the outline gives way.",
            icon=":material/tune:",
        )
        verdict.before(predictor)
        verdict.notice()
        return
    item = pick.one(items, "robustness-which")
    try:
        pick.frame_of(item)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    _play(item, predictor)


@st.fragment
def _play(item: Item, predictor: Predictor) -> None:
    from nerve_core.evaluation.shifts import SHIFTS

    view = session.view_of(item)
    plain = session.analyse(item, predictor)
    if plain.error is not None or plain.scan is None:
        st.error(plain.error or plain.refused or "", icon=":material/error:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Shift", SHIFTS, format_func=robustness_words.title, key="robustness-shift", width=220
        )
        strength = st.slider(
            "Strength (0: as it is, 1: to be repeated)", 0.0, 1.0, 0.5, 0.05, key="robustness-strength"
        )
    st.caption(f"{robustness_words.meaning(name)} {robustness_words.APPROXIMATION}")
    true = examples.truth(item, view.frame)
    reference = true if true is not None else _mask(plain.prediction, plain.scan)
    try:
        scan, moved = shifted(plain.scan, reference, name, strength)
        point = None if view.point is None else moved_point(plain.scan, view.point, name, strength)
        found = predictor.predict(scan, click=point, preprocess=view.settings)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    picture, judged = st.columns([9, 4], gap="medium")
    with picture:
        scan_view(scan, found, key="robustness-scan", point=point, truth=moved if true is not None else None)
        verdict.legend()
        st.caption("Both pictures show the scan after the shift.")
    with judged:
        processing.left_training(view, predictor.preprocess)
        verdict.before(predictor)
        _said(plain.prediction, found, reference, moved, simulated=true is not None)
        if item.note:
            st.caption(f":material/labs: {item.note}")


def shifted(scan: Scan, mask: np.ndarray, name: str, strength: float) -> tuple[Scan, np.ndarray]:
    """The scan and a mask (H, W) after a shift; the same draw each time, and no millimetre scale, which no
    longer holds.

    Raises:
        DataError: an unknown shift.
    """
    from nerve_core.evaluation.shifts import SEED, shift

    pixels, moved = shift(np.array(scan.pixels), mask, name, strength, np.random.default_rng(SEED))
    return replace(scan, pixels=pixels, spacing_mm=None, calibrated=()), moved


def moved_point(scan: Scan, point: Point, name: str, strength: float) -> Point | None:
    """Where a point (x, y), px, of the scan lies after a shift; None where it has left the picture."""
    dot = np.zeros(scan.pixels.shape, np.uint8)
    cv2.circle(dot, (round(point[0]), round(point[1])), 4, 255, -1)
    _, moved = shifted(scan, dot, name, strength)
    if not moved.any():
        return None
    y, x = np.argwhere(moved).mean(axis=0)
    return float(x), float(y)


def _mask(prediction: Prediction | None, scan: Scan) -> np.ndarray:
    return np.zeros(scan.pixels.shape, np.uint8) if prediction is None else prediction.mask


def _said(
    plain: Prediction | None,
    found: Prediction,
    reference: np.ndarray,
    moved: np.ndarray,
    simulated: bool,
) -> None:
    """Verdict, probability and overlap, each with what it was before."""
    before = "–" if plain is None else words.sentence_of(plain)
    with st.container(border=True, key=theme.card_key(found.verdict)):
        st.subheader(f"{theme.VERDICT_ICONS[found.verdict]} {words.sentence_of(found)}", anchor=False)
        if found.verdict == NOT_ASSESSABLE:
            st.markdown(found.reason or "")
        st.markdown(f"As it was: {before}.")
        now = pairwise_dice([found.mask, moved])[0, 1]
        if simulated:
            was = "–" if plain is None else f"{pairwise_dice([plain.mask, reference])[0, 1]:.2f}"
            st.markdown(f"Overlap with the simulated truth (Dice): **{now:.2f}**, as it was {was}.")
        else:
            st.markdown(
                f"Overlap with the outline of the scan as it was (Dice): **{now:.2f}**. No truth is known of "
                "this scan."
            )
        verdict.notice()
