"""One saved patient: scans and readings, the course of sizes, two visits compared, remarks, copy, erasure."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.records.errors import NotFound
from nerve_core.ui import patient, patient_manage, patient_trend, records

st.title("Patient", anchor=False)
patient_manage.erased()
sections = {
    "Scans and readings": patient.scans,
    "Course": patient_trend.trend,
    "Compare visits": patient_trend.visits,
    "Remarks": patient.remarks,
    "Copy and erase": patient_manage.panel,
}
try:
    opened = records.records()
    chosen = patient.choose(opened)
    if chosen is not None:
        tabs = st.tabs(list(sections), key="patient-section", on_change="rerun")
        for tab, show in zip(tabs, sections.values(), strict=True):
            if tab.open:
                with tab:
                    show(opened, chosen)
except NotFound as error:
    st.session_state.pop(records.PATIENT, None)
    st.error(str(error), icon=":material/error:")
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
