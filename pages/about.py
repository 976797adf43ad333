"""What the model is, what it was measured to do, and where its limits are."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import model_facts, pick, verdict

st.title("Model and limits", anchor=False)
verdict.notice()
try:
    predictor = pick.weights()
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

facts, measured, card, licences, privacy = st.tabs(
    ["In short", "Measured", "Model card", "Licences", "Privacy"]
)
with facts:
    model_facts.in_short(predictor)
with measured:
    model_facts.measured(predictor)
with card:
    st.markdown(predictor.card or "This model has no card.")
with licences:
    model_facts.licences(predictor)
with privacy:
    model_facts.privacy()
