"""What the Explain page is about: one nerve of one frame, and the maps drawn of it in this session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import streamlit as st

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, Nerve, Prediction
from nerve_core.ui import pick, session, verdict, words
from nerve_core.ui.session import Item, View

if TYPE_CHECKING:
    from nerve_core.explain import Judge
    from nerve_core.inference.predictor import Predictor

KEPT = 24
"""Maps, tables and pages kept a session."""

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Subject:
    """One nerve to explain.

    Attributes:
        item, view: the file and how it is looked at.
        items: every file of this session.
        scan: the frame judged.
        prediction: what was said of it.
        number: of the nerve, from 1 as on the Diagnose page.
        nerve: the nerve.
        mask: uint8 0/1 (H, W), the pixels judged.
        predictor: the weights.
    """

    item: Item
    view: View
    items: Sequence[Item]
    scan: Scan
    prediction: Prediction
    number: int
    nerve: Nerve
    mask: np.ndarray
    predictor: Predictor

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Everything an explanation of it depends on; begins with the file's digest."""
        view = self.view
        look = (view.frame, view.point, repr(view.settings), view.region, view.mm_per_px, self.number)
        return (self.item.digest, *look, self.predictor.name, self.predictor.version, self.nerve.area_px)


def choose() -> Subject | None:
    """Scan, frame, weights and nerve; None, with one sentence on the page, where nothing can be explained."""
    items, predictor = pick.scans_and_weights()
    forget_all_but(items)
    if not items:
        with st.container(border=True):
            st.markdown("### Drop a scan above to begin, or pick a sample")
            st.markdown(
                "- A map shows which part of the nerve made the verdict, and a sentence reads it.\n"
                "- What would have to be different for another verdict can be tried out.\n"
                "- How far such maps can be trusted was measured, and is said."
            )
        verdict.notice()
        return None
    item = pick.one(items, "explain-which")
    view = session.view_of(item)
    opened = session.open_item(item)
    if opened.n_frames > 1:
        label = f"Frame, of {opened.n_frames}"
        view.frame = st.slider(label, 1, opened.n_frames, view.frame + 1, key=f"frame-{item.id}") - 1
    outcome = session.corrected(item, predictor)
    if outcome.error is not None:
        st.error(outcome.error, icon=":material/error:")
        return None
    found = outcome.prediction
    if found is None or outcome.scan is None or found.reason:
        reason = outcome.refused or (found.reason if found is not None else "") or ""
        st.warning(
            f"This scan is not assessable, so there is no verdict to explain. {reason}",
            icon=":material/block:",
        )
        verdict.notice()
        return None
    if found.verdict == NO_NERVE or not found.nerves:
        st.info(
            "No nerve was found in this frame, so there is no verdict to explain. Point at the nerve on the "
            "Diagnose page, or try another frame.",
            icon=":material/search_off:",
        )
        verdict.notice()
        return None
    number = 1
    if len(found.nerves) > 1:
        number = st.segmented_control(
            "Nerve",
            list(range(1, len(found.nerves) + 1)),
            default=1,
            format_func=lambda k: f"{k}: {words.percent(found.nerves[k - 1].p_affected)}",
            key=f"explain-nerve-{item.id}-{view.frame}",
        )
        number = number or 1
    from nerve_core.explain.judge import nerve_mask

    nerve = found.nerves[number - 1]
    mask = nerve_mask(nerve, found)
    return Subject(item, view, items, outcome.scan, found, number, nerve, mask, predictor)


def judge(predictor: Predictor) -> Judge:
    """The weights as they are explained. Raises CheckpointError."""
    from nerve_core.explain import judge_of

    with st.spinner("Loading the network …"):
        return judge_of(predictor)


def kept(subject: Subject, what: Hashable, make: Callable[[], Value]) -> Value:
    """``make()``, remembered for this subject among the last few of this session."""
    store: OrderedDict[Hashable, Value] = st.session_state.setdefault("explained", OrderedDict())
    key = (*subject.key, what)
    if key not in store:
        store[key] = make()
    store.move_to_end(key)
    while len(store) > KEPT:
        store.popitem(last=False)
    return store[key]


def forget_all_but(items: Sequence[Item]) -> None:
    """Drop what was drawn of files that the user has taken away."""
    present = {item.digest for item in items}
    store: OrderedDict[tuple[Hashable, ...], object] = st.session_state.setdefault("explained", OrderedDict())
    for key in [key for key in store if key[0] not in present]:
        del store[key]
    if present != st.session_state.get("explained-of"):
        st.session_state["explained-of"] = present
        st.session_state.pop("doubts", None)  # of the tab How sure, which knows scans and not files


def said(subject: Subject) -> None:
    """Verdict of the nerve in a line, with what stands before and beside every verdict."""
    verdict.before(subject.predictor)
    nerve = subject.nerve
    drawn = " Explained is the outline as you corrected it." if subject.prediction.edited else ""
    st.markdown(
        f"**Nerve {subject.number}: {nerve.verdict}**, {words.percent(nerve.p_affected)} probability of "
        f"looking affected, {words.area(nerve)}, depth {words.depth(nerve, subject.scan)}.{drawn}"
    )
    verdict.notice()
