"""Similar cases among the records: nerves that a reader has read, with that reading and their outlines."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.explain.judge import Judge
from nerve_core.explain.similar import Case, features_of
from nerve_core.inference.edited import mask_of
from nerve_core.inference.prediction import AFFECTED, UNAFFECTED
from nerve_core.records.archive import get_archive
from nerve_core.records.items import SavedScan
from nerve_core.records.records import NEWEST_FIRST, Filter
from nerve_core.ui import explain_subject, records
from nerve_core.ui.explain_subject import Subject

KEPT = "explain-reviewed"
"""Where the session keeps what was read."""

MOST = 60
"""Scans that are searched, the latest first."""


def reviewed(subject: Subject) -> list[Case]:
    """One case for each nerve of the latest reviewed scans, when the user asks for them.

    What was read stays in this session alone.
    """
    try:
        if not records.may("read") or not get_archive().exists:
            return []
        if not st.toggle("Search in the reviewed records as well", key="explain-records"):
            st.session_state.pop(KEPT, None)
            return []
        key = (records.actor().name, subject.predictor.name, subject.predictor.version)
        if KEPT not in st.session_state or st.session_state[KEPT][0] != key:
            st.session_state[KEPT] = key, _cases(explain_subject.judge(subject.predictor))
    except NerveCoreError as error:
        st.warning(f"The records cannot be searched: {error}", icon=":material/warning:")
        return []
    found = st.session_state[KEPT][1]
    if not found:
        st.caption("No scan of the records was read as affected or unaffected yet.")
    return found


def _cases(judge: Judge) -> list[Case]:
    door, bar, found = records.records(), st.empty(), []
    items = door.worklist(Filter(reviewed=True), order=NEWEST_FIRST, size=MOST).items
    for done, item in enumerate(items, 1):
        bar.progress(done / len(items), f"Looking at reviewed scan {done} of {len(items)} …")
        try:
            saved = door.scan(item.scan)
            found += _nerves(judge, saved, np.array(door.picture(saved.id).pixels))
        except NerveCoreError:
            continue  # a scan whose file is gone or altered is left out of the search
    bar.empty()
    return found


def _nerves(judge: Judge, saved: SavedScan, pixels: np.ndarray) -> list[Case]:
    said = saved.review
    if said is None or said.reading not in (AFFECTED, UNAFFECTED):
        return []
    place = records.place_of(saved.nerve, saved.site, saved.side)
    label = "; ".join(part for part in (f"read as {said.reading}", place) if part)
    found = []
    for contour in said.contours:
        mask = mask_of(np.asarray(contour), pixels.shape)
        if mask.any():
            title = f"{saved.pseudonym}, {saved.date:%-d %B %Y}"
            found.append(
                Case(title, label, "reviewed record", pixels, mask, features_of(judge, pixels, mask))
            )
    return found
