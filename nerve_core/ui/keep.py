"""Saving a scan of the Diagnose page to the records: under a pseudonym, with its verdict and the reading."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from nerve_core.clinical.norms import nerves
from nerve_core.clinical.pairs import sites_of
from nerve_core.errors import NerveCoreError
from nerve_core.records.items import Saved, SavedScan
from nerve_core.records.records import About
from nerve_core.ui import measures
from nerve_core.ui import records as shown
from nerve_core.ui.session_items import Outcome, View

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

ORIGINS = "record-origins"
"""Saved scans that were opened again on Diagnose, by the item's id."""


def opened(item: str, scan: SavedScan) -> None:
    """Note that an item of Diagnose is a saved scan, so that saving it again asks nothing twice."""
    st.session_state.setdefault(ORIGINS, {})[item] = scan


def panel(outcome: Outcome, view: View, predictor: Predictor) -> None:
    """Drawn only when opened, and only for those who may save."""
    if outcome.scan is None or outcome.prediction is None or not shown.may("save"):
        return
    expander = st.expander("Save to the records", icon=":material/save:", key="keep", on_change="rerun")
    if not expander.open:
        return
    with expander:
        _form(outcome, view, predictor)


def _form(outcome: Outcome, view: View, predictor: Predictor) -> None:
    item = outcome.item.id
    before: SavedScan | None = st.session_state.get(ORIGINS, {}).get(item)
    about = _about(item, before)
    look = f"{item}-{view.frame}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pseudonym = st.text_input(
            "Patient",
            before.pseudonym if before else "",
            placeholder="A pseudonym, not the name",
            max_chars=64,
            key=f"keep-patient-{look}",
            disabled=before is not None,
            width=220,
        )
        day = st.date_input("Day of the visit", about.date, key=f"keep-day-{look}", width=160)
        known = list(dict.fromkeys([*nerves(), *filter(None, [about.nerve])]))
        nerve = st.selectbox(
            "Nerve", known, known.index(about.nerve) if about.nerve else None, key=f"keep-nerve-{look}",
            placeholder="Not said", width=200,
        )  # fmt: skip
        places = list(dict.fromkeys([*(sites_of(nerve) if nerve else []), *filter(None, [about.site])]))
        site = st.selectbox(
            "Site", places, places.index(about.site) if about.site in places and about.site else None,
            key=f"keep-site-{look}-{nerve}", placeholder="Not said", width=240,
        )  # fmt: skip
        side = st.segmented_control(
            "Side", ("left", "right"), default=about.side or None, key=f"keep-side-{look}"
        )
    reading = view.readings.get(view.frame)
    st.caption(
        "Kept: the scan without identity, the model's verdict and outline, sizes, "
        + ("and your reading above. " if reading else "no reading yet. ")
        + "Left out: the file's name, what names a person in its header, what lies outside the ultrasound."
    )
    if st.toggle("Show what will be kept", key=f"keep-show-{look}"):
        _preview(outcome)
    if st.button(
        "Save",
        icon=":material/save:",
        type="primary",
        key=f"keep-save-{look}",
        disabled=not pseudonym.strip(),
    ):
        try:
            saved = _save(
                outcome, view, predictor, pseudonym, About(nerve or "", site or "", side or "", date=day)
            )
        except NerveCoreError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.session_state[f"keep-done-{look}"] = saved
    if done := st.session_state.get(f"keep-done-{look}"):
        _said(done)


def _preview(outcome: Outcome) -> None:
    """The picture and header as they came and as they will be kept, and what a person should look at."""
    from nerve_core.imaging.deidentify import preview

    assert outcome.scan is not None
    try:
        found = preview(outcome.item.content, outcome.item.name, outcome.scan.frame)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    left, right = st.columns(2, gap="medium")
    left.image(found.before, caption="As it came", width="stretch")
    right.image(found.after, caption="As it will be kept", width="stretch")
    for caution in found.cleaned.cautions:
        st.warning(caution, icon=":material/visibility:")
    if found.cleaned.removed:
        st.caption("Taken out: " + ", ".join(found.cleaned.removed) + ".")
    if found.fields:
        st.dataframe(
            pd.DataFrame(
                [{"Field": each.name, "As it came": each.before, "Kept": each.after} for each in found.fields]
            ),
            hide_index=True,
            height=min(38 + 35 * len(found.fields), 320),
        )


def _about(item: str, before: SavedScan | None) -> About:
    """What is known already: as saved before, or as chosen for the norms."""
    if before is not None:
        return About(before.nerve, before.site, before.side, date=before.date)
    chosen = measures.compared(item)
    if chosen is None:
        return About(date=date.today())
    return About(chosen.nerve, chosen.site, date=date.today())


def _save(outcome: Outcome, view: View, predictor: Predictor, pseudonym: str, about: About) -> Saved:
    """Save the scan with what the model said of its own outlines, then the reader's word on it."""
    assert outcome.scan is not None
    records = shown.records()
    saved = records.save(
        pseudonym,
        outcome.item.content,
        outcome.scan,
        outcome.before or outcome.prediction,
        about,
        config=predictor.config,
        click=view.point,
    )
    reading = view.readings.get(view.frame)
    if reading is not None and shown.may("review"):
        records.review(saved.scan, reading, saved.patient)
    return saved


def _said(saved: Saved) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success("Saved." if saved.new else "Saved before; brought up to date.", icon=":material/check:")
        if st.button("Open the patient", icon=":material/person:", key=f"keep-open-{saved.scan}"):
            shown.go_to(saved.patient, saved.scan)
            st.switch_page("pages/patient.py")
    if saved.removed:
        st.caption("Taken out before saving: " + ", ".join(saved.removed) + ".")
    for caution in saved.cautions:
        st.warning(caution, icon=":material/visibility:")
    if saved.elsewhere:
        st.warning(
            "The same file is also saved for another patient: one of the two may be a mix-up.",
            icon=":material/warning:",
        )
