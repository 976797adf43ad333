"""The reader's own word on the Diagnose page: agree or not, the final reading, a comment, a name."""

from __future__ import annotations

import streamlit as st

from nerve_core.clinical.measure import fine_outline
from nerve_core.inference.review import LONGEST, READINGS, Reading
from nerve_core.ui import theme, words
from nerve_core.ui.session_items import Outcome, View

AGREE = {True: ":material/thumb_up: I agree", False: ":material/thumb_down: I disagree"}


def panel(outcome: Outcome, view: View) -> None:
    """What the reader concludes; kept in this visit as it is typed, ready for the report and the records."""
    found = outcome.before or outcome.prediction
    assert found is not None
    look = f"{outcome.item.id}-{view.frame}"
    kept = view.readings.get(view.frame)
    with st.container(border=True, key=f"reading-{look}"):
        st.markdown("**Your reading**")
        with st.container(horizontal=True, gap="large"):
            agrees = st.segmented_control(
                f"The model: {words.sentence_of(found)}",
                list(AGREE),
                format_func=AGREE.__getitem__,
                default=kept.agrees if kept else None,
                key=f"agree-{look}",
            )
            said = st.segmented_control(
                "Final reading",
                READINGS,
                format_func=lambda name: f"{theme.VERDICT_ICONS[name]} {name.capitalize()}",
                default=kept.reading if kept else None,
                key=f"final-{look}",
                wrap=True,
            )
        with st.container(horizontal=True):
            comment = st.text_input(
                "Comment",
                kept.comment if kept else "",
                max_chars=LONGEST,
                placeholder="What decided it",
                key=f"comment-{look}",
            )
            reviewer = st.text_input(
                "Reader", max_chars=120, key="report-reader", persist_state="session", width=260
            )
        if said is None and agrees and found.verdict in READINGS:
            said = found.verdict
            st.caption(f"Taken as final reading: {said}.")
    if said is None:
        view.readings.pop(view.frame, None)
        return
    outlines = outlines_of(outcome)
    view.readings[view.frame] = Reading(
        agrees, said, comment.strip(), reviewer.strip(), outlines, outcome.before is not None
    )


def sentences(outcome: Outcome, view: View) -> list[str]:
    """The reading and what was done to the outlines, for the report."""
    found, kept = outcome.before or outcome.prediction, view.readings.get(view.frame)
    assert found is not None
    said = []
    if outcome.before is not None:
        said.append(
            "The outlines were corrected by hand; sizes and verdict are of the corrected ones. The model's "
            f"own gave: {words.sentence_of(found).lower()}."
        )
    if kept is not None:
        stance = {True: ", in agreement with the model", False: ", other than the model", None: ""}[
            kept.agrees
        ]
        said.append(f"Final reading: {kept.reading}{stance}.")
        said += [kept.comment] if kept.comment else []
    return said


def outlines_of(outcome: Outcome) -> tuple:
    """The outlines that stand on the page, each float32 (N, 2), as they are measured."""
    found = outcome.prediction
    assert found is not None
    return tuple(fine_outline(found, nerve).astype("float32") for nerve in found.nerves)
