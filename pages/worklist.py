"""Saved scans, the most urgent first; second readings; alerts; agreement; corrections to train from."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import records, worklist, worklist_site

st.title("Worklist", anchor=False)
sections = {
    name: show
    for name, action, show in (
        ("Scans", "read", worklist.panel),
        ("Alerts", "read", worklist_site.alerts),
        ("Agreement", "statistics", worklist_site.agreement),
        ("Corrections", "export corrections", worklist_site.corrections),
    )
    if records.may(action)
}
try:
    opened = records.records()
    if records.may("read"):
        worklist.asked(opened)
    tabs = st.tabs(list(sections), key="worklist-section", on_change="rerun")
    for tab, show in zip(tabs, sections.values(), strict=True):
        if tab.open:
            with tab:
                show(opened)
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
worklist.follow()
