"""Two or more methods on one scan, and the measured tables of all of them."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import compare_scan, compare_tables

st.title("Compare methods", anchor=False)
sections = {"On a scan": compare_scan.show, "Tables": compare_tables.show}
tabs = st.tabs(list(sections), key="compare-section", on_change="rerun")
for tab, show in zip(tabs, sections.values(), strict=True):
    if tab.open:
        with tab:
            try:
                show()
            except NerveCoreError as error:
                st.error(str(error), icon=":material/error:")
