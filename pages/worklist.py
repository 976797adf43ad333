"""Saved scans, the most urgent first; second readings; agreement; the site's alerts."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import records, worklist, worklist_site

st.title("Worklist", anchor=False)
sections = {"Scans": worklist.panel, "Alerts": worklist_site.alerts}
if records.may("statistics"):
    sections["Agreement"] = worklist_site.agreement
try:
    opened = records.records()
    worklist.asked(opened)
    tabs = st.tabs(list(sections), key="worklist-section", on_change="rerun")
    for tab, show in zip(tabs, sections.values(), strict=True):
        if tab.open:
            with tab:
                show(opened)
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
worklist.follow()
