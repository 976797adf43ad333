"""The verdict and what stands with it: sites before, notice beside, nerves and files below."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from nerve_core.clinical.measure import measure
from nerve_core.inference.prediction import AFFECTED, NOT_ASSESSABLE, Prediction
from nerve_core.ui import draw, measures, theme, words
from nerve_core.ui.session import Outcome, View

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor


def notice() -> None:
    """The standing notice."""
    st.caption(f":material/science: {words.NOTICE}")


def before(model: Predictor) -> None:
    """What to know of the weights before every verdict: where the outlines were checked, what they were
    adapted to, and whether their probabilities hold."""
    st.caption(f":material/my_location: {words.validated_on(model.config.get('sites', []))}")
    if warning := words.uncalibrated(model.config):
        st.warning(warning, icon=":material/warning:")
    elif adapted := words.adapted_to(model.config):
        st.caption(f":material/tune: {adapted}")


def card(outcome: Outcome) -> None:
    """Verdict in words, probability, what it means, advice and notice."""
    found = outcome.prediction
    verdict = found.verdict if found is not None else NOT_ASSESSABLE
    with st.container(border=True, key=theme.card_key(verdict)):
        st.subheader(f"{theme.VERDICT_ICONS[verdict]} {words.HEADLINES[verdict]}", anchor=False)
        if found is not None and found.p_affected is not None:
            st.markdown(f"**{words.percent(found.p_affected)}** probability of looking affected")
            st.progress(found.p_affected)
        reason = outcome.refused or (found.reason if found is not None else None)
        if reason:
            st.markdown(reason)
        elif found is not None and found.beyond:
            st.warning(f"Judged all the same. {found.beyond}", icon=":material/warning:")
        st.markdown(words.MEANINGS[verdict])
        if found is not None and len(found.nerves) > 1:
            st.markdown("The verdict is that of the nerve most likely affected; each has its own row below.")
        notice()


def overrule(outcome: Outcome, view: View) -> None:
    """Offer to judge a scan that only the learned gate holds back, and to take that back; never a scan that
    cannot be read."""
    found = outcome.prediction
    if found is None or found.beyond is None:
        return
    if view.frame in view.trusted:
        label, change = "Heed the warning again", view.trusted.discard
    else:
        label, change = "Judge it all the same", view.trusted.add
    st.button(label, icon=":material/gavel:", key="overrule", on_click=change, args=(view.frame,))


def nerves(outcome: Outcome) -> None:
    """One row a nerve: number, verdict, probability, area between the pixels, depth."""
    assert outcome.prediction is not None and outcome.scan is not None
    if not outcome.prediction.nerves:
        return
    rows = ["| Nerve | Verdict | Probability | Area | Depth |", "|:-:|:--|--:|--:|--:|"]
    for number, nerve in enumerate(outcome.prediction.nerves, 1):
        cells = (
            str(number),
            nerve.verdict,
            words.percent(nerve.p_affected),
            dict(measures.lines(measure(outcome.scan, outcome.prediction, nerve)))["Cross-sectional area"],
            words.depth(nerve, outcome.scan),
        )
        rows.append("| " + " | ".join(cells) + " |")
    with st.container(key=theme.table_key("nerves")):
        st.markdown("\n".join(rows))
        hand = "Measured on the outlines corrected by hand. " if outcome.prediction.edited else ""
        st.caption(f"{hand}Depth is that of the nerve's centre, from the top of the ultrasound region.")


def timing(outcome: Outcome) -> None:
    """How long it took, and with which weights."""
    assert outcome.prediction is not None
    found = outcome.prediction
    stages = found.timings_ms if found.edited else {"read": outcome.read_ms, **found.timings_ms}
    said = ", ".join(f"{name} {words.milliseconds(ms)}" for name, ms in stages.items() if name != "total")
    total = words.milliseconds(outcome.read_ms + outcome.ms)
    start = "the outline" if found.edited else "file"
    st.caption(f":material/timer: {total} from {start} to verdict ({said}) · {found.model}")


def downloads(outcome: Outcome, view: View, model: Predictor) -> None:
    """Overlay, mask and JSON as files; made only when asked for."""
    calibrated = words.uncalibrated(model.config) is None
    found, scan = outcome.prediction, outcome.scan
    assert found is not None and scan is not None
    stem = PurePath(outcome.item.name).stem or "scan"
    stem += f"-frame{scan.frame + 1}" if scan.n_frames > 1 else ""
    point = view.point
    with st.container(horizontal=True):
        st.download_button(
            "Overlay (PNG)",
            lambda: draw.overlay_png(scan, found, point, calibrated),
            f"{stem}-overlay.png",
            "image/png",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Mask (PNG)",
            lambda: draw.mask_png(found),
            f"{stem}-mask.png",
            "image/png",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Result (JSON)",
            lambda: as_json(found, outcome),
            f"{stem}.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )


def as_json(found: Prediction, outcome: Outcome) -> bytes:
    """The same object as the command line and the REST service give."""
    answer = found.to_dict(outcome.item.name) | {"ms": round(outcome.read_ms + outcome.ms, 2)}
    return json.dumps(answer, indent=1).encode()


def legend() -> None:
    """What the outlines' colours and dashes mean."""
    names = (
        ("affected", AFFECTED, ""),
        ("unaffected", "unaffected", ""),
        ("uncertain", "uncertain", " (dashed)"),
    )
    parts = [
        f"<span style='color:{theme.VERDICT_COLOURS[verdict]}'>&#9632;</span> {name}{note}"
        for name, verdict, note in names
    ]
    st.html("<div style='font-size:0.9rem;opacity:0.85'>" + " &nbsp; ".join(parts) + "</div>")
