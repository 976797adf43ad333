"""The report of a scan on the Diagnose page: a draft that the reader may change, and the PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from nerve_core.clinical import fhir
from nerve_core.clinical.finding import Place, finding_of
from nerve_core.clinical.measure import Measurement, measure
from nerve_core.clinical.next_steps import next_steps
from nerve_core.clinical.norms import norms_of
from nerve_core.clinical.report import Report, Table, as_pdf
from nerve_core.ui import draw, measures, pairs, reading, report_doubt, words
from nerve_core.ui.session import Outcome, View

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

LONGEST = 4000
"""Most letters of the findings."""


def panel(outcome: Outcome, view: View, predictor: Predictor) -> None:
    """Drawn only when opened: what is typed in, and the file."""
    expander = st.expander("Report", icon=":material/description:", key="report", on_change="rerun")
    if not expander.open:
        return
    with expander:
        assert outcome.prediction is not None and outcome.scan is not None
        sizes = [measure(outcome.scan, outcome.prediction, nerve) for nerve in outcome.prediction.nerves]
        chosen = measures.compared(outcome.item.id)
        # A new draft for another look at the scan; what was typed for this one stays.
        areas = tuple(round(size.area, 2) for size in sizes)
        reader_said = reading.sentences(outcome, view)
        look = (outcome.item.id, view.frame, view.point, view.mm_per_px, chosen, areas, tuple(reader_said))
        reference = st.text_input(
            "Scan", placeholder="A pseudonym or number, not the name", key=f"report-reference-{look}"
        )
        # The reader's name and conclusion are those of the reading above.
        reader = st.session_state.get("report-reader") or ""
        findings = st.text_area(
            "Findings, as they will stand in the report",
            "\n".join([draft(outcome, sizes, chosen), *reader_said]),
            height=180,
            max_chars=LONGEST,
            key=f"report-findings-{look}",
        )
        steps = _steps(chosen, look)
        sure = st.checkbox(
            "Say how sure the model is",
            key="report-sure",
            persist_state="session",
            help="Looks at the scan several ways, which takes a moment.",
        )
        doubts = [report_doubt.table(outcome, view, predictor)] if sure else []
        made = content(outcome, view, sizes, chosen, reference, reader, findings, steps, doubts)
        with st.container(horizontal=True):
            st.download_button(
                "Report (PDF)",
                lambda: as_pdf(made),
                "nerve-report.pdf",
                "application/pdf",
                icon=":material/download:",
                on_click="ignore",
                key="report-pdf",
            )
            st.download_button(
                "Report (FHIR R4)",
                lambda: as_fhir(outcome, view, chosen, made),
                "nerve-report.fhir.json",
                "application/fhir+json",
                icon=":material/download:",
                on_click="ignore",
                key="report-fhir",
                help="DiagnosticReport with Observations, the PDF within; final once a reader concluded.",
            )
        st.caption(
            "Nothing of this is stored. The file name, the DICOM header and what lies outside the ultrasound "
            "region stay out of the report."
        )


def as_fhir(outcome: Outcome, view: View, chosen: measures.Compared | None, made: Report) -> bytes:
    """The report as a FHIR R4 Bundle with the PDF in it; preliminary until the reader has concluded."""
    assert outcome.prediction is not None and outcome.scan is not None
    places = [Place(chosen.number, chosen.nerve, chosen.site)] if chosen is not None else []
    finding = finding_of(
        made.reference or "scan",
        outcome.scan,
        outcome.prediction,
        view.mm_per_px is not None,
        digest=outcome.item.digest,
        places=places,
    )
    text = "\n".join(part.strip() for part in (made.findings, made.next_steps) if part.strip())
    written = made.written.astimezone()
    found = fhir.bundle(
        finding,
        written,
        patient=made.reference,
        reading=view.readings.get(view.frame),
        text=text,
        pdf=as_pdf(made),
    )
    return fhir.as_json(found)


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
    doubts: Sequence[Table] = (),
) -> Report:
    """The report's content, from what is on the page."""
    found, scan = outcome.prediction, outcome.scan
    assert found is not None and scan is not None
    tables = []
    if sizes:
        columns = ["Measurement", *(f"Nerve {number}" for number in range(1, len(sizes) + 1))]
        each = [dict(measures.lines(size)) for size in sizes]
        rows = [[name, *(own.get(name, "–") for own in each)] for name in each[0]]
        hand = ", which were corrected by hand" if found.edited else ""
        note = (
            f"Measured on the outlines shown{hand}. Brightness and dark share change with gain and machine."
        )
        tables.append(Table("Measurements", columns, rows, (2, *([1] * len(sizes))), note))
    tables += doubts
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
    whose = "by the model"
    if found.edited:
        whose = "corrected by hand"
        headline += ", judged on outlines corrected by hand"
        if outcome.before is not None:
            headline += f" (the model's own gave: {words.sentence_of(outcome.before).lower()})"
    return Report(
        reference.strip(),
        reader.strip(),
        headline,
        draw.overlay(scan, found, view.point)[top:bottom, left:right],
        f"Outlines {whose}: vermilion affected, sky blue unaffected, yellow uncertain.",
        findings,
        tables,
        found.model,
        datetime.now(),
        steps,
    )
