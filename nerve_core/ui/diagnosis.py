"""The parts of the Diagnose page: what to do without a scan, and one scan in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from nerve_core.errors import NerveCoreError, RefusedScan
from nerve_core.ui import (
    edit,
    examples,
    keep,
    measures,
    pacs,
    processing,
    reading,
    report,
    scale,
    session,
    verdict,
)
from nerve_core.ui.scan_view import scan_view
from nerve_core.ui.session import Item, Outcome, Point, View

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor


def empty_state() -> None:
    """What to do when no scan is chosen."""
    with st.container(border=True):
        st.markdown("### Drop a scan above to begin")
        st.markdown(
            "- A still frame of a nerve in **cross-section** (B-mode, grey) works best; cine loops get a "
            "frame slider.\n"
            "- DICOM files bring their millimetre scale with them; from pictures, sizes are in pixels.\n"
            "- When the outline is wrong or missing, **click on the nerve** and the model looks again "
            "there.\n"
            "- Several files at once become a table of verdicts."
        )


def show(item: Item, predictor: Predictor) -> None:
    """One scan in full: picture, verdict, nerves, files to take away, image processing."""
    view = session.view_of(item)
    try:
        opened = session.open_item(item)
        if opened.n_frames > 1:
            label = f"Frame, of {opened.n_frames}"
            view.frame = st.slider(label, 1, opened.n_frames, view.frame + 1, key=f"frame-{item.id}") - 1
        scan = session.scan_of(item, view.frame)
    except RefusedScan as error:
        verdict.before(predictor)
        verdict.card(Outcome(item, refused=str(error)))
        return
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return

    # The panel stands below the result but decides it, so its widgets are read first.
    result, panel = st.container(), st.container()
    with panel:
        expander = st.expander(
            "Image processing", icon=":material/tune:", key="processing-panel", on_change="rerun"
        )
        with expander:
            if expander.open:
                assert scan.region is not None
                processing.controls(item, view, predictor.preprocess, scan.pixels.shape, scan.region)
                effects = st.container()
    outcome = session.corrected(item, predictor)
    with result:
        _result(item, view, outcome, predictor, show_region=expander.open)
    if expander.open and outcome.scan is not None:
        with effects:
            processing.effect(outcome.scan, view.settings or predictor.preprocess)


def _result(item: Item, view: View, outcome: Outcome, predictor: Predictor, show_region: bool) -> None:
    if outcome.error is not None:
        st.error(outcome.error, icon=":material/error:")
        return
    picture, judged = st.columns([9, 4], gap="medium")
    correcting = False
    with picture:
        if outcome.scan is not None:
            correcting = edit.wanted(outcome) and not view.ruling
            if correcting:
                edit.editor(outcome, view)
            else:
                _picture(item, view, outcome, show_region)
            verdict.legend()
            st.caption(f":material/straighten: {scale.said(outcome.scan, view)}")
    with judged:
        processing.left_training(view, predictor.preprocess)
        verdict.before(predictor)
        verdict.card(outcome)
        verdict.overrule(outcome, view)
        edit.said(outcome, view, way_back=not correcting)
        if item.note:
            st.caption(f":material/labs: {item.note}")
        if view.point is not None:
            st.caption(f":material/ads_click: Pointed at x {view.point[0]:.0f} px, y {view.point[1]:.0f} px.")
    if outcome.prediction is not None:
        verdict.nerves(outcome)
        if outcome.prediction.nerves:
            measures.panel(outcome, view)
        reading.panel(outcome, view)
        if outcome.prediction.nerves:
            report.panel(outcome, view, predictor)
        keep.panel(outcome, view, predictor)
        verdict.downloads(outcome, view, predictor)
        pacs.send_back(outcome)
        verdict.timing(outcome)


def _picture(item: Item, view: View, outcome: Outcome, show_region: bool) -> None:
    assert outcome.scan is not None
    # Where outlines were drawn, a click would not do what it says: the model does not look again.
    points = outcome.before is None or view.ruling
    scan_view(
        outcome.scan,
        outcome.prediction,
        key="scan",
        point=view.ruler[-1] if view.ruling and view.ruler else view.point,
        on_point=(lambda point: _point(view, point)) if points else None,
        truth=examples.truth(item, view.frame),
        region=show_region,
    )


def _point(view: View, point: Point | None) -> None:
    if view.ruling and point is not None:
        scale.clicked(view, point)
    elif point is None:
        view.points.pop(view.frame, None)
    else:
        view.points[view.frame] = point
