"""Controls for the archive: find a study, fetch its scans, send a scan's segmentation and report back.

Nothing of it is shown where the site named no archive, or where the role of whoever looks does not permit it.
Every search, transfer and refusal is in the audit log, without a patient.
"""

from __future__ import annotations

import io

import streamlit as st

from nerve_core.access import audit
from nerve_core.access.note import note
from nerve_core.access.roles import AccessError, allowed, require
from nerve_core.config import settings
from nerve_core.errors import NerveCoreError
from nerve_core.pacs.settings import configured, pacs_settings
from nerve_core.ui import access, session
from nerve_core.ui.session import Outcome

FOUND, SAID = "pacs-found", "pacs-said"
MOST = 200
"""Most studies offered at once; a day narrows the search."""


def find_and_fetch() -> None:
    """A search by the patient's number, and a button that puts a study's scans among those looked at.

    The scans appear at the next run of the page, which follows by itself.
    """
    if not configured() or not allowed(access.actor(), "read"):
        return
    with st.expander("Fetch from the archive", icon=":material/database_search:"):
        with st.form("pacs-search", border=False):
            patient = st.text_input("Patient number", max_chars=64, help="As the archive has it.")
            day = st.text_input("Day of the study", max_chars=17, placeholder="20260312 or 20260301-20260312")
            asked = st.form_submit_button("Find studies", icon=":material/search:")
        try:
            if asked:
                st.session_state[FOUND] = _find(patient.strip(), day.strip())
            _offer(st.session_state.get(FOUND))
        except NerveCoreError as fault:
            st.error(str(fault), icon=":material/error:")
        if SAID in st.session_state:
            st.caption(st.session_state[SAID])


def send_back(outcome: Outcome) -> None:
    """A button that sends the shown scan's segmentation and report, corrected outlines included.

    Args:
        outcome: with a scan and a prediction.
    """
    if not configured() or not allowed(access.actor(), "export"):
        return
    assert outcome.scan is not None and outcome.prediction is not None
    meaning = "A DICOM segmentation and a structured report that refer to this scan, research use only."
    label = "Send segmentation and report to the archive"
    if not st.button(label, icon=":material/upload:", key="pacs-send", help=meaning):
        return
    from nerve_core.pacs.client import client
    from nerve_core.pacs.results import result_objects

    try:
        archive = pacs_settings()
        _permitted("export")
        objects = result_objects(outcome.item.content, outcome.scan, outcome.prediction)
        with st.spinner("Sending …"):
            client(archive).store(archive, objects)
    except NerveCoreError as fault:
        st.error(str(fault), icon=":material/error:")
        return
    st.success(f"{len(objects)} objects are in the archive.", icon=":material/check:")


def _find(patient: str, day: str) -> list[tuple[str, str]]:
    """Words and UID of each study; a search for everything is not made."""
    from nerve_core.pacs.client import client

    _permitted("read")
    keys = {name: value for name, value in (("PatientID", patient), ("StudyDate", day)) if value}
    if not keys:
        st.info("Give the patient's number or a day.")
        return []
    archive = pacs_settings()
    found = client(archive).find(archive, **keys)
    if not found:
        st.info("The archive has no such study.")
    words = []
    for one in found[:MOST]:
        date, uid = str(one.get("StudyDate", "") or "no date"), str(one.StudyInstanceUID)
        about = (date, str(one.get("PatientID", "")), str(one.get("StudyDescription", "") or ""), uid[-12:])
        words.append((" · ".join(filter(None, about)), uid))
    if len(found) > MOST:
        st.caption(f"{len(found):,} studies; the first {MOST} are offered. Give a day as well.")
    return words


def _offer(found: list[tuple[str, str]] | None) -> None:
    if not found:
        return
    chosen = st.selectbox("Study", found, format_func=lambda one: one[0])
    if not st.button("Fetch its scans", icon=":material/download:"):
        return
    from nerve_core.pacs.client import client
    from nerve_core.pacs.dimse import IMAGE_CLASSES

    _permitted("read")
    archive = pacs_settings()
    with st.spinner("Fetching …"):
        fetched = client(archive).get(archive, chosen[1])
    scans = [one for one in fetched if str(one.SOPClassUID) in IMAGE_CLASSES]
    number = too_large = 0
    for one in reversed(scans):  # the last one carried over is shown: the first of the study
        stream = io.BytesIO()
        one.save_as(stream, enforce_file_format=True)
        if stream.tell() > settings().max_upload_mb * 2**20:
            too_large += 1
            continue
        number += 1
        session.carry(session.from_content(f"archive-{number}.dcm", stream.getvalue()))
    said = f"{number} scans fetched." if scans else "The study holds no ultrasound."
    st.session_state[SAID] = said + (f" {too_large} are larger than the limit." if too_large else "")
    st.rerun()


def _permitted(action: str) -> None:
    """Let the actor pass or not, and log either. Raises AccessError."""
    who = access.actor()
    try:
        require(who, action)
    except AccessError:
        note(who, action, audit.REFUSED)
        raise
    note(who, action)
