"""Why a verdict was given, what would change it, and how far the explanation can be trusted."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import explain_subject

st.title("Why this verdict?", anchor=False)


def draw(section: str, subject: explain_subject.Subject) -> None:
    """One tab; what it needs is imported when it is first opened."""
    from nerve_core.ui import (
        explain_doubt,
        explain_maps,
        explain_similar,
        explain_take_away,
        explain_truth,
        explain_what_if,
    )

    shows = (explain_maps, explain_what_if, explain_truth, explain_similar, explain_doubt, explain_take_away)
    dict(zip(SECTIONS, (module.show for module in shows), strict=True))[section](subject)


SECTIONS = ("Where it looks", "What if", "Is the map true?", "Similar scans", "How sure", "Take away")

try:
    chosen = explain_subject.choose()
    if chosen is not None:
        explain_subject.said(chosen)
        tabs = st.tabs(SECTIONS, key="explain-section", on_change="rerun")
        for name, tab in zip(SECTIONS, tabs, strict=True):
            if tab.open:
                with tab:
                    try:
                        draw(name, chosen)
                    except NerveCoreError as error:
                        st.error(str(error), icon=":material/error:")
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
