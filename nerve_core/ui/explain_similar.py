"""Similar scans: what looks alike to the network, with its known label and contour, and how near it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.explain.similar import Case, Neighbour, features_of, nearest
from nerve_core.imaging.read import read_scan
from nerve_core.ui import (
    examples,
    explain_library,
    explain_picture,
    explain_records,
    explain_subject,
    model,
    session,
)
from nerve_core.ui.explain_subject import Subject
from nerve_core.ui.explain_what_if import component

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

ACROSS = 4
ALIKE = 0.9
"""Share of pairs that must be further apart for a scan to be called alike."""
SAMPLE = "simulated sample, label known"


def show(subject: Subject) -> None:
    """The nearest nerves among the samples and the other scans of this session."""
    st.markdown(
        "Nerves that look most alike to the verdict network: among the simulated samples, whose truth is "
        "known, among the other scans you opened here, in sets that you added, and in the reviewed records."
    )
    judge = explain_subject.judge(subject.predictor)
    cases = [case for case in _samples(subject.predictor.name) if case.title != subject.item.name]
    cases += _own(subject) + explain_library.added(subject) + explain_records.reviewed(subject)
    own = features_of(judge, subject.scan.pixels, subject.mask)
    found = nearest(own, cases, ACROSS)
    if found[0].nearer_than < ALIKE:
        st.info(
            "Nothing in this set is truly like this scan: even the nearest is no nearer than usual here.",
            icon=":material/travel_explore:",
        )
    for column, one in zip(st.columns(ACROSS), found, strict=False):
        with column:
            _card(one)
    st.caption(
        f"Searched: {len(cases)} nerves. *Nearer than x %*: of all pairs of different nerves in this set, "
        "so many are "
        "further apart. Below 90 % nothing in the set is truly like this scan. Alike to the network does "
        "not mean "
        "the same disease."
    )


@st.cache_resource(show_spinner="Looking at the samples …")
def _samples(weights: str) -> list[Case]:
    """One case a sample, its main nerve with the true contour; shared, as no patient is in it."""
    judge = explain_subject.judge(model.predictor(weights))
    found = []
    for sample in examples.samples():
        read, pages = cv2.imreadmulti(str(sample.mask_path), 0, 1, flags=cv2.IMREAD_GRAYSCALE)
        if not read:
            continue
        pixels = np.array(read_scan(sample.path).pixels)
        mask = component(pages[0], np.zeros_like(pages[0]))
        try:
            features = features_of(judge, pixels, mask)
        except NerveCoreError:
            continue
        label = f"{sample.label}; {sample.site}, {sample.nerve}"
        found.append(Case(sample.path.name, label, SAMPLE, pixels, mask, features))
    return found


def _own(subject: Subject) -> list[Case]:
    from nerve_core.explain.judge import nerve_mask

    judge: Predictor = subject.predictor
    found = []
    for item in subject.items:
        if item.id == subject.item.id or item.id.startswith("sample-"):
            continue
        outcome = session.corrected(item, judge)
        if outcome.prediction is None or outcome.scan is None or not outcome.prediction.nerves:
            continue
        mask = nerve_mask(outcome.prediction.nerves[0], outcome.prediction)
        pixels = np.array(outcome.scan.pixels)
        try:
            features = features_of(explain_subject.judge(judge), pixels, mask)
        except NerveCoreError:
            continue
        label = f"no label; the model says {outcome.prediction.verdict}"
        found.append(Case(item.name, label, "your scan, outline of the model", pixels, mask, features))
    return found


def _card(one: Neighbour) -> None:
    from nerve_core.inference.contours import outline

    case = one.case
    picture = np.repeat(case.pixels[..., None], 3, 2)
    st.image(explain_picture.framed(picture, case.mask, outline(case.mask), False), width="stretch")
    st.markdown(f"**{case.label}**")
    st.caption(f"Nearer than {100 * one.nearer_than:.0f} % of pairs · {case.source} · {case.title}")
