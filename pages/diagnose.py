"""Upload scans, see the nerve outlined, read the verdict, point at the nerve where the outline is wrong."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import batch, diagnosis, pacs, pairs, pick, verdict

st.title("Diagnose", anchor=False)
try:
    items, predictor = pick.scans_and_weights()
except NerveCoreError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
pacs.find_and_fetch()

if not items:
    diagnosis.empty_state()
    verdict.before(predictor)
    verdict.notice()
    st.stop()

item = batch.shown(items)
if len(items) > 1:
    batch.table(items, batch.run(items, predictor), item)
    batch.take_away(items, predictor)
    pairs.panel(items, predictor)
diagnosis.show(item, predictor)
