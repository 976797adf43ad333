"""Look into a set of scans, compare it with another, and play with the simulators that widen it."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import (
    data_ablation,
    data_augment,
    data_compare,
    data_licences,
    data_overview,
    data_pathology,
    data_phantom,
    data_plots,
    data_scan,
    data_sets,
    data_split,
    data_style,
    data_wall,
)

st.title("Data", anchor=False)
data_style.apply()
try:
    chosen = data_sets.pick()
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
    chosen = None

sections = {
    "Overview": data_overview.show,
    "Images": data_wall.show,
    "Distributions": data_plots.show,
    "Split and leakage": data_split.show,
    "Augmentation": data_augment.show,
    "Pathology simulator": data_pathology.show,
    "Phantom simulator": data_phantom.show,
    "Real and made": data_compare.show,
    "What data adds": data_ablation.show,
    "Licences": data_licences.show,
}
without_a_set = ("Phantom simulator", "What data adds")
tabs = st.tabs(list(sections), key="data-section", on_change="rerun")
for tab, (name, show) in zip(tabs, sections.items(), strict=True):
    if tab.open:
        with tab:
            if chosen is None and name not in without_a_set:
                st.info("Choose a set above to see this.")
                continue
            try:
                show(chosen)
            except NerveCoreError as error:
                st.error(str(error), icon=":material/error:")
data_scan.open_asked()
