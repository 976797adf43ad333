"""The parts of the page on the model: what it is, what was measured, licences, privacy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from nerve_core.config import ROOT, settings
from nerve_core.ui import figures, theme, words

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor


def in_short(model: Predictor) -> None:
    """Name, device, sites and the limits that matter most."""
    st.markdown(
        f"**{model.name}**, version {model.version}, running on {words.engine(model.device, model.backend)}. "
        f"{words.validated_on(model.config.get('sites', []))}"
    )
    if adapted := words.adapted_to(model.config):
        st.markdown(adapted)
    if warning := words.uncalibrated(model.config):
        st.warning(warning, icon=":material/warning:")
    st.markdown(
        "- **What affected means here.** No public set of nerve scans with diagnoses exists. The model "
        "learned from scans of healthy nerves into which swelling, flattening, darkening, lost fascicles, a "
        "thick or irregular border were written by a simulation, with control pictures that went through the "
        "same steps without any pathology.\n"
        "- **Never tested on diagnosed patients.** How often it is right on real disease is unknown.\n"
        "- **Site and machine matter.** On a site, nerve or machine it never saw, outlines often fail "
        "without a click. Pointing at the nerve helps everywhere.\n"
        "- **No nerve found** and **not assessable** are never counted as unaffected.\n"
        "- **Sizes** are in mm² only when the file states its scale; otherwise in pixels."
    )


def measured(model: Predictor) -> None:
    """The figures of metrics.json with what they mean."""
    parts = (
        (
            "Outlines",
            "Dice: overlap of the outline with the one drawn by hand, 0 none to 1 the same; 95 % interval by "
            "group (patient or scan group) in brackets. On groups that were kept out of the training.",
            figures.outlines,
        ),
        (
            "Verdict",
            "On pathology of severity 0.5 and more, simulated in those scans. AUC: how well affected and "
            "healthy nerves are ranked, 0.5 chance to 1 perfect. Control pictures went through the same "
            "steps without any pathology.",
            figures.verdicts,
        ),
        ("By severity", "", figures.by_severity),
        ("By kind of pathology", "", figures.by_kind),
        ("Speed", "", figures.speed),
    )
    shown = [(title, meaning, text) for title, meaning, make in parts if (text := make(model.metrics))]
    if not shown:
        st.info("No measurements are stored with these weights.")
    for title, meaning, text in shown:
        with st.container(key=theme.table_key(title)):
            st.subheader(title, anchor=False)
            if meaning:
                st.caption(meaning)
            st.markdown(text)


def licences(model: Predictor) -> None:
    """Licence of the code and of the weights."""
    rows = [
        (each["set"], str(each["groups"]), str(each["train"]), each["licence"])
        for each in model.config.get("sets", [])
    ]
    learned = figures.table(("Scan set", "Groups", "Scans learned from", "Licence"), rows)
    if learned is not None:
        with st.container(key=theme.table_key("licences")):
            st.markdown("What these weights learned from:")
            st.markdown(learned)
    bare = figures.table(
        ("Scan set", "Groups", "Scans without contours", "Licence"),
        [
            (each["set"], str(each["groups"]), str(each["unlabelled"]), each["licence"])
            for each in model.config.get("unlabelled", [])
        ],
    )
    if bare is not None:
        with st.container(key=theme.table_key("licences without contours")):
            st.markdown("And from scans alone, whose contours, if any, it never saw:")
            st.markdown(bare)
    for name in ("NOTICE", "LICENSE"):
        path = ROOT / name
        if path.is_file():
            with st.expander(name.capitalize(), expanded=name == "NOTICE"):
                st.text(path.read_text(encoding="utf-8"))


def privacy() -> None:
    """What happens to scans."""
    st.markdown(
        "- The dashboard answers only this computer unless an administrator opens it.\n"
        "- Scans uploaded on the Diagnose page stay in memory, are seen by your tab alone, and go when it "
        "closes.\n"
        "- No scan, patient name or file name is written to a log. No usage statistics are sent."
    )
    folder = settings().upload_dir
    if folder is None:
        st.markdown("- Scans sent to the REST service are not kept.")
    else:
        st.warning(
            "Scans sent to the REST service are kept in a folder of this installation, as set by its "
            "administrator."
        )
