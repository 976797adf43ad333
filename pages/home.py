"""What this is, on one screen, and the way to the first upload."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import examples, model, verdict, words
from nerve_core.ui.scan_view import scan_view

left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
with left:
    st.title("Where is the nerve, and does it look affected?", anchor=False)
    st.markdown(
        "Drop in an ultrasound scan. The nerve is outlined, measured, and judged as **affected** or "
        "**unaffected** with a probability, in about a second."
    )
    if st.button("Open a scan", type="primary", icon=":material/upload:", width="stretch"):
        st.switch_page("pages/diagnose.py")
    st.markdown(
        "1. **Upload** PNG, JPEG, TIFF, BMP or DICOM, one or many, or pick a simulated sample.\n"
        "2. **Check the outline.** If the wrong place is outlined, click on the nerve.\n"
        "3. **Read the verdict** and take the overlay, mask or JSON with you."
    )
    st.page_link("pages/data.py", label="Look into scan sets and simulators", icon=":material/dataset:")
    st.caption(f":material/science: {words.NOTICE}")
    st.caption(":material/lock: Scans stay in this computer's memory and go when you close the tab.")

with right:
    try:
        predictor = model.predictor()
        outcome = examples.example(predictor.name)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    if outcome is not None and outcome.prediction is not None and outcome.scan is not None:
        scan_view(outcome.scan, outcome.prediction, key="home-scan", truth=examples.truth(outcome.item))
        st.caption(f"A real result on a simulated sample. {outcome.item.note}")
        verdict.before(predictor)
        verdict.card(outcome)
