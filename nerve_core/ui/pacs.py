"""Controls for the archive: find a study, fetch its scans, send a scan's segmentation and report back."""

from __future__ import annotations

import io
import os

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Prediction
from nerve_core.pacs.settings import PacsSettings, pacs_settings

_FOUND = "pacs_found"


def configured() -> bool:
    """Whether the site named an archive: nothing is shown otherwise."""
    return bool(os.environ.get("NERVE_PACS_HOST") or os.environ.get("NERVE_DICOMWEB"))


def _find(settings: PacsSettings, patient: str) -> list[dict[str, str]]:
    from nerve_core.commands.pacs import client

    found = client(settings).find(settings, PatientID=patient)
    names = {"Study": "StudyInstanceUID", "Date": "StudyDate", "Patient": "PatientID"}
    return [{word: str(one.get(name, "")) for word, name in names.items()} for one in found]


def find_and_fetch() -> list[tuple[str, bytes]]:
    """A search by the patient's number and a button to fetch; (name, bytes) of the scans fetched now."""
    from nerve_core.commands.pacs import client
    from nerve_core.pacs.dimse import IMAGE_CLASSES

    with st.form("pacs_find", border=False):
        patient = st.text_input("Patient number in the archive", max_chars=64)
        asked = st.form_submit_button("Find studies")
    try:
        settings = pacs_settings()
        if asked and patient.strip():
            st.session_state[_FOUND] = _find(settings, patient.strip())
        found = st.session_state.get(_FOUND)
        if found is None:
            return []
        if not found:
            st.info("The archive has no study of this number.")
            return []
        labels = {f"{one['Date'] or 'no date'} · …{one['Study'][-12:]}": one["Study"] for one in found}
        label = st.selectbox("Study", list(labels))
        if not st.button("Fetch its scans"):
            return []
        with st.spinner("Fetching …"):
            fetched = client(settings).get(settings, labels[label])
        scans = []
        for one in fetched:
            if one.SOPClassUID in IMAGE_CLASSES:
                stream = io.BytesIO()
                one.save_as(stream, enforce_file_format=True)
                scans.append((f"archive-{len(scans) + 1}.dcm", stream.getvalue()))
        if not scans:
            st.info("The study holds no ultrasound.")
        return scans
    except NerveCoreError as fault:
        st.error(str(fault))
        return []


def send_back(data: bytes, scan: Scan, prediction: Prediction, patient: str = "", key: str = "pacs") -> bool:
    """A button that sends the scan's segmentation and report to the archive; whether it did so now.

    Args:
        data: the upload, as it came from the archive: the result refers to its identifiers.
        scan, prediction: the frame and the answer on the page, corrected outlines included.
        patient: pseudonym, for pictures that were no DICOM.
        key: of the button.
    """
    from nerve_core.commands.pacs import client
    from nerve_core.pacs.results import result_objects

    meaning = "Sends a DICOM segmentation and a structured report that refer to this scan."
    if not st.button("Send segmentation and report to the archive", key=f"{key}_send", help=meaning):
        return False
    try:
        settings = pacs_settings()
        objects = result_objects(data, scan, prediction, patient)
        with st.spinner("Sending …"):
            client(settings).store(settings, objects)
    except NerveCoreError as fault:
        st.error(str(fault))
        return False
    st.success(f"{len(objects)} objects are in the archive.")
    return True
