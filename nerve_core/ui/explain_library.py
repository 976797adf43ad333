"""Sets of scans that the user added, to search for similar cases in: their own labels and contours."""

from __future__ import annotations

import cv2
import numpy as np
import streamlit as st

from nerve_core.data.manifest import read_manifest
from nerve_core.errors import NerveCoreError
from nerve_core.explain.similar import Case, features_of
from nerve_core.imaging.read import read_scan
from nerve_core.ui import data_sets, explain_subject
from nerve_core.ui.explain_subject import Subject
from nerve_core.ui.explain_what_if import component

MOST = 120
"""Scans of one set that are searched, spread evenly over it."""


def added(subject: Subject) -> list[Case]:
    """Choice of sets, and one case for each of their scans that has a contour.

    What was read stays in this session alone, since it may be of patients.
    """
    known = {name: path for name, path in data_sets.found_sets().items() if name != data_sets.SAMPLES}
    if not known:
        st.caption("Sets that you add on the Data page can be searched here as well.")
        return []
    names = st.multiselect("Search in your sets as well", list(known), key="explain-sets", placeholder="None")
    found: list[Case] = []
    store: dict[tuple[str, str, str], list[Case]] = st.session_state.setdefault("explain-library", {})
    for key in [key for key in store if key[0] not in names]:
        del store[key]
    for name in names:
        key = (name, subject.predictor.name, subject.predictor.version)
        if key not in store:
            rows = [row for row in read_manifest(known[name]) if row["mask"]]
            step = max(1, -(-len(rows) // MOST))
            store[key] = _cases(name, rows[::step], subject)
        found += store[key]
    return found


def _cases(name: str, rows: list[dict[str, str]], subject: Subject) -> list[Case]:
    judge, bar, found = explain_subject.judge(subject.predictor), st.empty(), []
    for done, row in enumerate(rows, 1):
        bar.progress(done / len(rows), f"Looking at scan {done} of {len(rows)} of {name} …")
        mask = cv2.imread(row["mask"], cv2.IMREAD_GRAYSCALE)
        try:
            pixels = np.array(read_scan(row["image"]).pixels)
            if mask is None or mask.shape != pixels.shape:
                continue
            one = component(mask, np.zeros_like(mask))
            features = features_of(judge, pixels, one)
        except NerveCoreError:
            continue  # a scan that cannot be used is left out of the search
        parts = [row.get("label") or "no label", row.get("site", ""), row.get("nerve", "")]
        title = f"scan {done}"
        found.append(
            Case(title, "; ".join(part for part in parts if part), f"set {name}", pixels, one, features)
        )
    bar.empty()
    return found
