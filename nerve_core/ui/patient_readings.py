"""Readings of a saved scan: those given, one's own, a second one asked of a colleague, and remarks."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nerve_core.access.roles import LOCAL
from nerve_core.inference.review import READINGS, Reading
from nerve_core.records.items import Review, SavedScan
from nerve_core.records.records import Records
from nerve_core.ui import records as shown
from nerve_core.ui import theme, words
from nerve_core.ui.data_scan import plain

AGREE = {True: ":material/thumb_up: I agree", False: ":material/thumb_down: I disagree"}


def hidden(records: Records, scan: SavedScan) -> bool:
    """Whether the reader has still to read a scan blinded.

    Where nobody signs in, the records cannot know who is reading, so the name typed decides.
    """
    if scan.hidden or records.actor != LOCAL:
        return scan.hidden
    return any(
        one.scan == scan.id and one.blinded and one.colleague == shown.reader() for one in records.requests()
    )


def panel(records: Records, scan: SavedScan, blind: bool) -> None:
    """Readings and remarks so far, and what the actor may add."""
    if not blind:
        given(scan)
    if shown.may("review"):
        own(records, scan, blind)
    if blind:
        return
    if shown.may("second reading"):
        second(records, scan)
    remarks(records, scan)


def given(scan: SavedScan) -> None:
    """Every reading that still holds; those superseded are folded away."""
    current = [one for one in scan.reviews if one.current]
    earlier = [one for one in scan.reviews if not one.current]
    for one in current:
        with st.container(border=True):
            st.markdown(f"{theme.VERDICT_ICONS[one.reading]} **{one.reading.capitalize()}**, {_who(one)}")
            if one.comment:
                st.text(one.comment)
    if not current:
        st.caption("Nobody has read this scan yet.")
    if earlier:
        with st.expander(f"{len(earlier)} earlier, since changed by their readers"):
            for one in earlier:
                st.caption(f"{one.reading}, {_who(one)}. {plain(one.comment)}")


def own(records: Records, scan: SavedScan, blind: bool) -> None:
    """The actor's own reading; saved again, it supersedes the one before, which stays to be seen."""
    said = scan.prediction
    local = records.actor == LOCAL
    if local:
        st.text_input("Your name", max_chars=120, key="report-reader", persist_state="session")
    with st.form(f"reading-form-{scan.id}", border=True):
        st.markdown("**Your reading**" + ("" if local else f", {records.actor.name}"))
        agrees = None
        if said is not None and not blind:
            agrees = st.segmented_control(
                f"The model: {words.HEADLINES[said.verdict]}",
                list(AGREE),
                format_func=AGREE.__getitem__,
                key=f"record-agree-{scan.id}",
            )
        reading = st.segmented_control(
            "Final reading",
            READINGS,
            format_func=lambda name: f"{theme.VERDICT_ICONS[name]} {name.capitalize()}",
            key=f"record-reading-{scan.id}",
        )
        comment = st.text_input(
            "Comment", max_chars=4000, placeholder="What decided it", key=f"record-comment-{scan.id}"
        )
        keep = said is not None and bool(said.nerves) and not blind
        stands = keep and st.checkbox(
            "The model's outline is right",
            key=f"record-stands-{scan.id}",
            help="Kept as yours. To correct it, open the scan on Diagnose and save from there.",
        )
        sent = st.form_submit_button("Save the reading", icon=":material/rate_review:", type="primary")
    if not sent:
        return
    if reading is None and agrees and said is not None and said.verdict in READINGS:
        reading = said.verdict
    if reading is None:
        st.error("Choose a final reading first.", icon=":material/error:")
        return
    contours: tuple[np.ndarray, ...] = tuple(said.contours) if stands and said is not None else ()
    records.review(scan.id, Reading(agrees, reading, comment.strip(), shown.reader(), contours), scan.patient)
    st.toast("Your reading is saved.", icon=":material/check:")
    st.rerun()


def second(records: Records, scan: SavedScan) -> None:
    """Ask a colleague for a second reading."""
    waiting = [one for one in records.requests() if one.scan == scan.id]
    for one in waiting:
        blind = ", blinded" if one.blinded else ""
        st.caption(f":material/hourglass_top: Second reading asked of {plain(one.colleague)}{blind}.")
    with st.popover("Ask for a second reading", icon=":material/group_add:"):
        local = records.actor == LOCAL
        name = st.text_input(
            "Colleague",
            placeholder="The name they type" if local else "Their login",
            max_chars=120,
            key=f"second-name-{scan.id}",
        )
        blind = st.checkbox(
            "Blinded: without the model's verdict and other readings", True, key=f"second-blind-{scan.id}"
        )
        if local:
            st.caption("Without login, blinding rests on the name that the reader types.")
        if st.button("Ask", key=f"second-ask-{scan.id}", type="primary", disabled=not name.strip()):
            records.ask(scan.id, name.strip(), blinded=blind, patient=scan.patient)
            st.rerun()


def remarks(records: Records, scan: SavedScan) -> None:
    """Remarks on this scan, and a new one."""
    for one in scan.comments:
        st.caption(f":material/comment: {plain(one.author)}, {one.made:%Y-%m-%d %H:%M} UTC")
        st.text(one.text)
    if not shown.may("comment"):
        return
    with (
        st.popover("Remark on this scan", icon=":material/add_comment:"),
        st.form(f"scan-remark-{scan.id}", border=False, clear_on_submit=True),
    ):
        text = st.text_area("Remark", max_chars=4000, height=90)
        if st.form_submit_button("Save the remark"):
            records.comment(scan.patient, text, scan.id)
            st.rerun()


def _who(one: Review) -> str:
    how = [
        "second reading" if one.second else "",
        "blinded" if one.blinded else "",
        {True: "agrees with the model", False: "disagrees with the model", None: ""}[one.agrees],
        "outline corrected" if one.corrected else "",
    ]
    return ", ".join(filter(None, (plain(one.reviewer), *how, f"{one.made:%Y-%m-%d %H:%M} UTC")))
