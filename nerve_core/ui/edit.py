"""Correcting the outline on the Diagnose page: the editor in the picture's place, and what it changes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from nerve_core.inference.prediction import NOT_ASSESSABLE
from nerve_core.ui import words
from nerve_core.ui.contour_editor import contour_editor
from nerve_core.ui.session_items import Edit, Outcome, View

LOOK, CORRECT = "Look and point", "Correct the outline"
ICONS = {LOOK: ":material/visibility:", CORRECT: ":material/edit:"}


def offered(outcome: Outcome) -> bool:
    """Whether there is a picture in which outlines mean something."""
    found = outcome.before or outcome.prediction
    return outcome.scan is not None and found is not None and found.verdict != NOT_ASSESSABLE


def wanted(outcome: Outcome) -> bool:
    """The choice between looking and correcting; whether the user wants to correct."""
    if not offered(outcome):
        return False
    chosen = st.segmented_control(
        "What to do with the picture",
        (LOOK, CORRECT),
        default=LOOK,
        required=True,
        format_func=lambda name: f"{ICONS[name]} {name}",
        label_visibility="collapsed",
        key=f"correct-{outcome.item.id}",
    )
    return chosen == CORRECT


def editor(outcome: Outcome, view: View) -> None:
    """The editor, with the outlines as they are now."""
    model = outcome.before or outcome.prediction
    assert outcome.scan is not None and model is not None and outcome.prediction is not None
    frame = view.frame
    contour_editor(
        outcome.scan,
        model,
        outcome.prediction,
        view.edit,
        partial(_keep, view, frame),
        key="contour-editor",
        name=f"{view.token}-{frame}",
    )


def _keep(view: View, frame: int, edit: Edit) -> None:
    view.edits[frame] = edit


def said(outcome: Outcome, view: View, way_back: bool) -> None:
    """That the outlines are a person's, what the model had said of its own, and a button back to them."""
    found, before = outcome.prediction, outcome.before
    if found is None or before is None:
        return
    st.caption(
        ":material/edit: Outline corrected by hand. The model's own outline gave: "
        f"{words.sentence_of(before)}."
    )
    if not way_back:  # the editor has its own
        return
    st.button(
        "Back to the model's outline",
        icon=":material/undo:",
        key=f"back-{outcome.item.id}",
        on_click=_forget,
        args=(view, view.frame),
    )


def _forget(view: View, frame: int) -> None:
    # A higher number than any step the browser has made tells it to begin anew.
    view.edits[frame] = Edit(view.edit.revision + 1000)
