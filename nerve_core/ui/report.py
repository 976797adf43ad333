"""The report of a scan on the Diagnose page: a draft that the reader may change, and the PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from nerve_core.clinical.measure import Measurement, measure
from nerve_core.clinical.next_steps import next_steps
from nerve_core.clinical.norms import norms_of
from nerve_core.clinical.report import Report, Table, as_pdf
from nerve_core.ui import draw, measures, pairs, words
from nerve_core.ui.session import Outcome, View

LONGEST = 4000
"""Most letters of the findings."""


def panel(outcome: Outcome, view: View) -> None:
    """Drawn only when opened: what is typed in, and the file."""
    expander = st.expander("Report", icon=":material/description:", key="report", on_change="rerun")
    if not expander.open:
        return
    with expander:
        assert outcome.prediction is not None and outcome.scan is not None
        sizes = [measure(outcome.scan, outcome.prediction, nerve) for nerve in outcome.prediction.nerves]
        chosen = measures.compared(outcome.item.id)
        # A new draft for another look at the scan; what was typed for this one stays.
        look = (outcome.item.id, view.frame, view.point, view.mm_per_px, chosen)
        with st.container(horizontal=True):
            reference = st.text_input(
                "Scan", placeholder="A pseudonym or number, not the name", key=f"report-reference-{look}"
            )
            reader = st.text_input("Read by", key="report-reader", persist_state="session")
        findings = st.text_area(
            "Findings, as they will stand in the report",
            draft(outcome, sizes, chosen),
            height=180,
            max_chars=LONGEST,
            key=f"report-findings-{look}",
        )
        steps = _steps(chosen, look)
        st.download_button(
            "Report (PDF)",
            lambda: as_pdf(content(outcome, view, sizes, chosen, reference, reader, findings, steps)),
            "nerve-report.pdf",
            "application/pdf",
            icon=":material/download:",
            on_click="ignore",
            key="report-pdf",
        )
        st.caption(
            "Nothing of this is stored. The file name, the DICOM header and what lies outside the ultrasound "
            "region stay out of the report."
        )


def _steps(chosen: measures.Compared | None, look: object) -> str:
    """Published next steps for the nerve and site that the reader chose: to keep, change or strike."""
    if chosen is None:
        st.caption("Choose nerve and site under *Size and norms* to be offered published next steps.")
        return ""
    return st.text_area(
        "Next steps from published guidelines: keep, change or strike",
        "\n".join(step.sentence for step in next_steps(chosen.nerve, chosen.site)),
        height=140,
        max_chars=LONGEST,
        key=f"report-steps-{look}",
        help="What guidelines and reviews say of this nerve at this site, whatever the verdict.",
    )


def draft(outcome: Outcome, sizes: Sequence[Measurement], chosen: measures.Compared | None) -> str:
    """Findings in sentences, for the reader to keep, change or strike."""
    assert outcome.prediction is not None
    found = []
    for number, (nerve, size) in enumerate(zip(outcome.prediction.nerves, sizes, strict=True), 1):
        figures = dict(measures.lines(size))
        found.append(
            f"Nerve {number}: {words.HEADLINES[nerve.verdict].lower()}, probability of looking affected "
            f"{words.percent(nerve.p_affected)}. Cross-sectional area {figures['Cross-sectional area']} "
            f"({figures['Width × height']}), nearest edge at a depth of "
            f"{figures['Depth of its nearest edge']}."
        )
    if (area := area_compared(sizes, chosen)) is not None:
        for norm in norms_of(chosen.nerve, chosen.site):
            mark = " (a source that quotes others)" if norm.secondary else ""
            found.append(
                f"Nerve {chosen.number + 1} as {chosen.nerve} nerve, {chosen.site}: {norm.said_of(area)}, "
                f"{norm.source}{mark}."
            )
    found += pairs.sentences(outcome.item.id)
    return "\n".join(found)


def area_compared(sizes: Sequence[Measurement], chosen: measures.Compared | None) -> float | None:
    """Area, mm², of the nerve that is compared with norms; None where none is."""
    if chosen is None or chosen.number >= len(sizes) or sizes[chosen.number].unit != "mm":
        return None
    return sizes[chosen.number].area


def content(
    outcome: Outcome,
    view: View,
    sizes: Sequence[Measurement],
    chosen: measures.Compared | None,
    reference: str,
    reader: str,
    findings: str,
    steps: str = "",
) -> Report:
    """The report's content, from what is on the page."""
    found, scan = outcome.prediction, outcome.scan
    assert found is not None and scan is not None
    tables = []
    if sizes:
        columns = ["Measurement", *(f"Nerve {number}" for number in range(1, len(sizes) + 1))]
        each = [dict(measures.lines(size)) for size in sizes]
        rows = [[name, *(own.get(name, "–") for own in each)] for name in each[0]]
        note = "Measured on the outlines shown. Brightness and dark share change with gain and machine."
        tables.append(Table("Measurements", columns, rows, (2, *([1] * len(sizes))), note))
    if (area := area_compared(sizes, chosen)) is not None:
        rows = measures.norm_rows(norms_of(chosen.nerve, chosen.site), area)
        tables.append(
            Table(
                f"Nerve {chosen.number + 1} beside published sizes: {chosen.nerve} nerve, {chosen.site}",
                ("What it says", "z", "Who", "Source"),
                rows,
                (5, 1, 4, 5),
                measures.EVIDENCE,
            )
        )
    top, left, bottom, right = scan.region  # names are written beside it
    headline = words.HEADLINES[found.verdict]
    if found.p_affected is not None:
        headline += f", {words.percent(found.p_affected)} probability of looking affected"
    return Report(
        reference.strip(),
        reader.strip(),
        headline,
        draw.overlay(scan, found, view.point)[top:bottom, left:right],
        "Outlines by the model: vermilion affected, sky blue unaffected, yellow uncertain.",
        findings,
        tables,
        found.model,
        datetime.now(),
        steps,
    )
