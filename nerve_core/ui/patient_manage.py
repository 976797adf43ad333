"""A copy of everything kept of a patient, and their erasure for good."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from nerve_core.records.items import Patient
from nerve_core.records.records import Records
from nerve_core.ui import records as shown
from nerve_core.ui.data_scan import plain

ERASED = "patient-erased"


def panel(records: Records, patient: Patient) -> None:
    """What the actor may do with the patient as a whole."""
    if shown.may("export"):
        _copy(records, patient)
    if shown.may("erase"):
        _erase(records, patient)
    if not shown.may("export") and not shown.may("erase"):
        st.caption("Your role may neither copy nor erase a patient.")


def erased() -> None:
    """What an erasure took away and what remains elsewhere, shown once it is done."""
    found = st.session_state.get(ERASED)
    if found is None:
        return
    with st.container(border=True, key="patient-erased-card"):
        st.success(
            f"Erased: {found.scans} scans, {found.predictions} verdicts, {found.reviews} readings, "
            f"{found.comments} remarks; {found.files} files left the disk.",
            icon=":material/delete_forever:",
        )
        if found.files_kept:
            st.caption(f"{found.files_kept} files stay, because another patient's scan is in them too.")
        if found.files_left:
            st.warning(
                f"{found.files_left} files could not be removed yet; it is tried again at the next start."
            )
        st.markdown(found.notice)
        for day, what in found.handouts:
            st.markdown(f"- Handed out on {day}: {what}. Whoever has it must be told.")
        if st.button("I have noted this", key="patient-erased-noted"):
            st.session_state.pop(ERASED)
            st.rerun()


def _copy(records: Records, patient: Patient) -> None:
    st.markdown("**Copy of everything kept of this patient**")
    st.caption("Files of the scans, verdicts, sizes, readings, remarks and who looked at them, as one ZIP.")
    key = f"copy-{patient.id}"
    if st.button("Make the copy", icon=":material/folder_zip:", key=f"make-{key}"):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "copy.zip"
            records.export(patient.id, target)
            st.session_state[key] = target.read_bytes()
    if key in st.session_state:
        st.download_button(
            "Download it (ZIP)",
            st.session_state[key],
            "patient-copy.zip",
            "application/zip",
            icon=":material/download:",
            on_click=lambda: st.session_state.pop(key, None),
            key=f"take-{key}",
        )


def _erase(records: Records, patient: Patient) -> None:
    st.markdown("**Erase this patient for good**")
    st.caption(
        "Every scan, verdict, reading and remark of the patient goes, and every file that no other patient's "
        "scan is in. This cannot be undone. What backups and trained weights still hold is said afterwards."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            f"Type {plain(patient.pseudonym)} to confirm", key=f"erase-typed-{patient.id}", width=320
        )
        if st.button(
            "Erase for good",
            icon=":material/delete_forever:",
            key=f"erase-{patient.id}",
            disabled=typed.strip() != patient.pseudonym,
        ):
            st.session_state[ERASED] = records.erase(patient.id)
            for name in (shown.PATIENT, shown.SCAN, f"copy-{patient.id}", f"erase-typed-{patient.id}"):
                st.session_state.pop(name, None)
            shown.forget_pictures()
            st.rerun()
