"""How methods hold when machine, probe, setting or patient change, and a scan to try it on."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import robustness_curves, robustness_groups, robustness_try

st.title("Robustness", anchor=False)
sections = {
    "Try it": robustness_try.show,
    "Shifts": robustness_curves.show,
    "Subgroups": robustness_groups.show,
}
tabs = st.tabs(list(sections), key="robustness-section", on_change="rerun")
for tab, show in zip(tabs, sections.values(), strict=True):
    if tab.open:
        with tab:
            try:
                show()
            except NerveCoreError as error:
                st.error(str(error), icon=":material/error:")
