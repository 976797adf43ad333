"""One patient: found by pseudonym, then visits and scans, the course of sizes, remarks, copy and erasure."""

from __future__ import annotations

from datetime import date

import streamlit as st

from nerve_core.records.items import Found, Patient, SavedScan
from nerve_core.records.records import Records
from nerve_core.ui import patient_scan, worklist
from nerve_core.ui import records as shown
from nerve_core.ui.data_scan import plain
from nerve_core.ui.records import PATIENT, SCAN

MOST = 50
"""Most patients offered by a search; more letters narrow it."""


def choose(records: Records) -> Patient | None:
    """The search, and the patient shown; None where none is chosen."""
    now = st.session_state.get(PATIENT)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find a patient", placeholder="Part of the pseudonym", key="patient-search", width=260
        )
        found = records.search(text.strip(), size=MOST)
        known = {one.id: one for one in found.items}
        if now is not None and now not in known:
            known = {now: None} | known
        patient = None if now is None else records.patient(now)
        chosen = st.selectbox(
            "Patient",
            list(known),
            None if now is None else list(known).index(now),
            format_func=lambda key: _found(known[key], patient),
            placeholder="Choose a patient",
            key=f"patient-chosen-{now}-{text}",
            width=420,
        )
    if chosen is not None and chosen != now:
        shown.go_to(chosen)
        st.rerun()
    if not found.total and not text:
        worklist.nothing_saved()
    elif not found.total:
        st.info("No saved patient's pseudonym holds these letters.", icon=":material/person_search:")
    elif found.total > MOST:
        st.caption(f"{found.total:,} patients; the first {MOST} are offered. Type more letters.")
    return patient


def scans(records: Records, patient: Patient) -> None:
    """Visits, the scans of one, and one scan in full."""
    if not patient.visits:
        st.info("No scan is saved for this patient.")
        return
    every = [scan for visit in patient.visits for scan in visit.scans]
    now = st.session_state.get(SCAN)
    if not any(scan.id == now for scan in every):
        now = next((scan.id for scan in every if not scan.reviewed), every[0].id)
        st.session_state[SCAN] = now
    by_id = {scan.id: scan for scan in every}

    def take() -> None:
        st.session_state[SCAN] = st.session_state[f"patient-scan-{patient.id}"]

    st.session_state[f"patient-scan-{patient.id}"] = now
    st.selectbox(
        f"Scan, of {len(every)} in {len(patient.visits)} visit{'s' if len(patient.visits) > 1 else ''}",
        list(by_id),
        format_func=lambda key: name_of(by_id[key]),
        key=f"patient-scan-{patient.id}",
        on_change=take,
        width=620,
    )
    patient_scan.show(records, by_id[now])


def name_of(scan: SavedScan) -> str:
    """A scan in a list, without what a blinded reader may not see."""
    read = "to be read blinded" if scan.hidden else "read" if scan.reviewed else "unread"
    return f"{day(scan.date)} · {shown.place_of(scan.nerve, scan.site, scan.side)} · {read}"


def remarks(records: Records, patient: Patient) -> None:
    """Remarks on the patient, and a new one."""
    for one in patient.comments:
        with st.container(border=True):
            st.caption(f"{plain(one.author)}, {one.made:%Y-%m-%d %H:%M} UTC")
            st.text(one.text)
    if not patient.comments:
        st.caption("No remark on this patient yet. Remarks on one scan stand beside it.")
    if not shown.may("comment"):
        return
    with st.form("patient-remark", clear_on_submit=True):
        text = st.text_area("Remark on the patient", max_chars=4000, height=90)
        if st.form_submit_button("Save the remark", icon=":material/add_comment:"):
            records.comment(patient.id, text)
            st.rerun()


def day(value: date) -> str:
    """A day as it is written everywhere on these pages."""
    return value.isoformat()


def _found(one: Found | None, patient: Patient | None) -> str:
    if one is None:
        return patient.pseudonym if patient is not None else ""
    unread = f", {one.unread} unread" if one.unread else ""
    last = "" if one.last is None else f", last {day(one.last)}"
    return f"{one.pseudonym} ({one.scans} scan{'s' if one.scans != 1 else ''}{unread}{last})"
