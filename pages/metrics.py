"""How good it is: the headline beside the thesis' claims, the verdict at any threshold, outlines, traps."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import (
    metrics_case,
    metrics_contours,
    metrics_headline,
    metrics_results,
    metrics_training,
    metrics_traps,
    metrics_verdict,
    verdict,
)

st.title("Metrics", anchor=False)
verdict.notice()
frames = metrics_results.everything()
method = metrics_results.pick(frames.values())
outlines, verdicts = (metrics_results.of(frames[task], method) for task in ("contours", "verdict"))

sections = {
    "Headline": lambda: metrics_headline.show(method, outlines, verdicts),
    "Verdict": lambda: metrics_verdict.show(method, verdicts),
    "Outlines": lambda: metrics_contours.show(method, outlines),
    "Two traps": lambda: metrics_traps.show(frames["contours"], frames["verdict"]),
    "Training curves": metrics_training.show,
}
tabs = st.tabs(list(sections), key="metrics-section", on_change="rerun")
for tab, show in zip(tabs, sections.values(), strict=True):
    if tab.open:
        with tab:
            try:
                show()
            except NerveCoreError as error:
                st.error(str(error), icon=":material/error:")
metrics_case.open_asked()
