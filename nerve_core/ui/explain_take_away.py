"""Take away: what would change the verdict, and the explanation on one page."""

from __future__ import annotations

from pathlib import PurePath

import streamlit as st

from nerve_core.errors import NerveCoreError, ScanError
from nerve_core.explain.methods import DEFAULT, METHODS
from nerve_core.explain.reading import read
from nerve_core.explain.report import COLOUR_MAPS, FORMATS, Page, page, points
from nerve_core.explain.sensitivity import Row, said, sensitivity
from nerve_core.imaging.scan import Scan
from nerve_core.ui import explain_maps, explain_subject, explain_truth, figures, session, theme, words
from nerve_core.ui.explain_subject import Subject

AWAY = 2
"""Frames before and after that are judged too."""


def show(subject: Subject) -> None:
    """The table of small changes, then the page as PDF and PNG."""
    st.markdown(
        "**What would change this verdict?** Small changes that could as well have been, each alone and "
        "judged again."
    )
    rows = explain_subject.kept(subject, "sensitivity", lambda: _judged(subject))
    st.markdown(said(rows))
    with st.container(key=theme.table_key("explain-sensitivity")):
        st.markdown(table(rows))
    st.markdown("**On one page**")
    names = [name for name in METHODS if st.session_state.get("explain-method-verdict") == name] or [DEFAULT]
    method = names[0]
    colours = st.session_state.get("explain-colours", next(iter(COLOUR_MAPS)))
    opacity = st.session_state.get("explain-opacity", 0.6)
    towards = "affected" if subject.nerve.p_affected >= 0.5 else "unaffected"
    try:
        heat = explain_maps.heat_of(subject, method, None, towards)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    nerve = subject.nerve
    content = Page(
        f"{words.HEADLINES[nerve.verdict]} ({words.percent(nerve.p_affected)})",
        (
            f"Nerve {subject.number} of {len(subject.prediction.nerves)}, area {words.area(nerve)}, depth "
            f"{words.depth(nerve, subject.scan)}. {words.scale(subject.scan)}",
            f"Weights {subject.prediction.model}. Map: {METHODS[method].title}, evidence for {towards}.",
        ),
        subject.scan.pixels,
        nerve.contour,
        heat,
        read(heat, subject.mask, towards).sentence,
        explain_truth.sentence(subject.predictor.name, method),
        rows,
        colours,
        opacity,
    )
    stem = PurePath(subject.item.name).stem or "scan"
    with st.container(horizontal=True):
        for form in FORMATS:
            st.download_button(
                f"Explanation ({form.upper()})",
                lambda form=form: page(content, form),
                f"{stem}-explanation.{form}",
                "application/pdf" if form == "pdf" else "image/png",
                icon=":material/download:",
                on_click="ignore",
            )
    st.caption(
        "Scan, map, reading, the table above and the notice. The file name is that of the scan; nothing "
        "else of the "
        "file, such as a patient's name, goes in."
    )


def table(rows: list[Row]) -> str:
    """The changes as a Markdown table."""
    lines = []
    for row in rows:
        shift = figures.MISSING if row.shift is None else points(row.shift)
        p = figures.MISSING if row.p_affected is None else words.percent(row.p_affected)
        lines.append((row.change, p, shift, f"**{row.verdict}**" if row.turned else row.verdict))
    return figures.table(("Change", "Probability", "Shift", "Verdict"), lines) or ""


def _judged(subject: Subject) -> list[Row]:
    bar = st.progress(0.0, "Judging small changes …")
    rows = sensitivity(
        subject.predictor,
        subject.scan,
        subject.prediction,
        subject.nerve,
        subject.view.point,
        _neighbours(subject),
        lambda done, total: bar.progress(done / total, f"Judging change {done} of {total} …"),
    )
    bar.empty()
    return rows


def _neighbours(subject: Subject) -> dict[int, Scan]:
    found = {}
    for offset in range(-AWAY, AWAY + 1):
        frame = subject.view.frame + offset
        if offset and 0 <= frame < subject.scan.n_frames:
            try:
                scan = session.scan_of(subject.item, frame)
            except ScanError:
                continue
            found[offset] = scan if subject.view.region is None else scan.with_region(subject.view.region)
    return found
