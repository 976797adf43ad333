"""Choosing what a page looks at: scans, one of them, its frame, and the weights. The same on every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from nerve_core.config import settings
from nerve_core.errors import NerveCoreError
from nerve_core.imaging.scan import Scan
from nerve_core.ui import batch, examples, model, session
from nerve_core.ui.session import Item

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

NO_SAMPLE = "None"


def scans_and_weights() -> tuple[list[Item], Predictor]:
    """Uploader, sample list and weights: the items to look at, and the model."""
    chosen: list[Predictor] = []
    items = scans(lambda: chosen.append(weights()))
    return items, chosen[0]


def scans(beneath: Callable[[], None] | None = None) -> list[Item]:
    """Uploader and sample list; the files of this session, uploads before the sample.

    Args:
        beneath: drawn below the sample list, for a further choice.
    """
    upload, beside = st.columns([3, 2], gap="large")
    with upload:
        uploads = st.file_uploader(
            "Drop ultrasound scans here, one or many: PNG, JPEG, TIFF, BMP or DICOM",
            accept_multiple_files=True,
            max_upload_size=settings().max_upload_mb,
            key="uploads",
        )
    with beside:
        try:
            known = {entry.title: entry for entry in examples.samples()}
        except NerveCoreError as error:
            known = {}
            st.warning(str(error))
        chosen = st.selectbox(
            "Or look at a simulated sample",
            [NO_SAMPLE, *known],
            key="sample",
            persist_state="session",
            help="Drawn by a simulator with a known truth: no patient, no volunteer.",
        )
        if beneath is not None:
            beneath()
        earlier = session.carried()
        if earlier and st.button(f"Remove {len(earlier)} earlier", icon=":material/delete:"):
            earlier = session.drop_carried()
    items = earlier + session.uploaded(uploads or [])
    if chosen in known:
        items.append(session.from_sample(known[chosen]))
    session.forget_all_but(items)
    return items


def weights() -> Predictor:
    """The shared predictor; a choice of weights where more than one set is installed."""
    names = model.available()
    if len(names) < 2:
        return model.predictor()
    meanings = {
        "research": "research: every scan set, for research use only",
        "open": "open: openly licensed scan sets alone",
    }
    chosen = st.selectbox(
        "Weights",
        names,
        format_func=lambda name: meanings.get(name, name),
        key="weights",
        persist_state="session",
    )
    return model.predictor(chosen)


def one(items: Sequence[Item], key: str) -> Item:
    """The scan looked at; a menu where there are several."""
    now = batch.shown(items)
    if len(items) < 2:
        return now
    by_id = {item.id: item for item in items}

    def choose() -> None:
        st.session_state["shown"] = st.session_state[key]

    st.session_state[key] = now.id
    st.selectbox("Scan", list(by_id), format_func=lambda name: by_id[name].name, key=key, on_change=choose)
    return now


def frame_of(item: Item) -> Scan:
    """The frame looked at, with the region set on the Diagnose page; a slider where there are several.

    Raises:
        ScanError: the file cannot be used.
    """
    view = session.view_of(item)
    opened = session.open_item(item)
    if opened.n_frames > 1:
        label = f"Frame, of {opened.n_frames}"
        view.frame = st.slider(label, 1, opened.n_frames, view.frame + 1, key=f"frame-{item.id}") - 1
    scan = session.scan_of(item, view.frame)
    return scan if view.region is None else scan.with_region(view.region)
