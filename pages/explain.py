"""Why a verdict was given, what would change it, and how far the explanation can be trusted."""

from __future__ import annotations

from importlib.util import find_spec

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import explain_subject

st.title("Why this verdict?", anchor=False)


def draw(section: str, subject: explain_subject.Subject) -> None:
    """One tab; what it needs is imported when it is first opened."""
    from nerve_core.ui import (
        explain_maps,
        explain_similar,
        explain_take_away,
        explain_truth,
        explain_what_if,
    )

    if section == DOUBT:
        from nerve_core.ui import explain_doubt

        explain_doubt.show(subject.scan, subject.prediction, subject.predictor, subject.view.point)
        return
    shows = (explain_maps, explain_what_if, explain_truth, explain_similar, explain_take_away)
    dict(zip(SECTIONS, (module.show for module in shows), strict=True))[section](subject)


SECTIONS = ("Where it looks", "What if", "Is the map true?", "Similar scans", "Take away")
DOUBT = "How sure"

try:
    chosen = explain_subject.choose()
    if chosen is not None:
        explain_subject.said(chosen)
        names = list(SECTIONS)
        if find_spec("nerve_core.ui.explain_doubt") is not None:
            names.insert(-1, DOUBT)
        for name, tab in zip(names, st.tabs(names, key="explain-section", on_change="rerun"), strict=True):
            if tab.open:
                with tab:
                    try:
                        draw(name, chosen)
                    except NerveCoreError as error:
                        st.error(str(error), icon=":material/error:")
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
