"""One saved scan on the patient page: picture with outlines, what the model said, sizes, norms, files."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from nerve_core.clinical import fhir
from nerve_core.clinical.norms import nerves, norms_of, sites
from nerve_core.clinical.table import as_csv
from nerve_core.errors import NerveCoreError
from nerve_core.inference.review import Reading
from nerve_core.records.items import Review, SavedScan
from nerve_core.records.records import About, Records
from nerve_core.ui import draw, keep, measures, patient_readings, scale, session, theme, verdict, words
from nerve_core.ui import records as shown
from nerve_core.ui.data_scan import plain

MODEL, PLAIN = "Model's outline", "No outline"


def show(records: Records, scan: SavedScan) -> None:
    """Picture and facts on the left, readings on the right."""
    hidden = patient_readings.hidden(records, scan)
    left, right = st.columns([9, 5], gap="medium")
    with left:
        _picture(scan, hidden)
        if not hidden:
            _about(records, scan)
            _sizes(scan)
            _files(records, scan)
    with right:
        if hidden:
            st.info(
                "You were asked to read this scan blinded: what the model and others said of it is shown "
                "when your reading is saved.",
                icon=":material/visibility_off:",
            )
        else:
            _said(scan)
        patient_readings.panel(records, scan, hidden)


def _picture(scan: SavedScan, hidden: bool) -> None:
    try:
        frame = shown.picture(scan)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    layers = {MODEL: scan.prediction and shown.prediction_of(scan.prediction, scan.shape)}
    for review in reversed(scan.reviews):
        if review.current and review.contours:
            layers[f"Outline of {plain(review.reviewer)}"] = shown.outlines_of(review, scan.shape)
    layers = {} if hidden else {name: found for name, found in layers.items() if found is not None}
    chosen = PLAIN
    if layers:
        chosen = st.segmented_control(
            "Outline",
            [*layers, PLAIN],
            default=next(iter(layers)),
            required=True,
            key=f"record-layer-{scan.id}",
            label_visibility="collapsed",
        )
    top, left, bottom, right = frame.region
    if chosen == PLAIN:
        st.image(frame.pixels[top:bottom, left:right], width="stretch")
    else:
        st.image(draw.overlay(frame, layers[chosen])[top:bottom, left:right], width="stretch")
        verdict.legend()
    scale = (
        "Scale unknown: sizes are in pixels."
        if scan.spacing_mm is None
        else f"{scan.spacing_mm[1]:.4f} × {scan.spacing_mm[0]:.4f} mm a pixel (across × down)."
    )
    st.caption(
        f":material/straighten: {scale} Saved {scan.saved:%Y-%m-%d %H:%M} UTC by {plain(scan.saved_by)}."
    )


def _said(scan: SavedScan) -> None:
    """The model's verdict as it was saved."""
    saved = scan.prediction
    if saved is None:
        st.info("No model has judged this scan yet: open it on Diagnose.")
        return
    with st.container(border=True, key=theme.card_key(saved.verdict)):
        st.subheader(f"{theme.VERDICT_ICONS[saved.verdict]} {words.HEADLINES[saved.verdict]}", anchor=False)
        if saved.p_affected is not None:
            st.markdown(f"**{words.percent(saved.p_affected)}** probability of looking affected")
        if saved.reason:
            st.markdown(saved.reason)
        st.caption(f"{saved.model} {saved.version}, {saved.made:%Y-%m-%d %H:%M} UTC")
        if scan.reasons:
            st.caption(f":material/priority_high: In the worklist: {plain('; '.join(scan.reasons))}.")
        verdict.notice()
    if len(scan.predictions) > 1:
        earlier = [
            f"{one.model} {one.version}: {one.verdict}, {one.made:%Y-%m-%d}" for one in scan.predictions[1:]
        ]
        st.caption("Said before: " + "; ".join(earlier) + ".")


def _about(records: Records, scan: SavedScan) -> None:
    """Which nerve, where, on which side, at which visit; to be corrected by those who may."""
    st.markdown(f"**{plain(shown.place_of(scan.nerve, scan.site, scan.side))}**, visit of {scan.date}")
    if not shown.may("save"):
        return
    with st.popover("Correct nerve, site, side or day", icon=":material/edit_note:"):
        known = list(dict.fromkeys([*nerves(), *filter(None, [scan.nerve])]))
        nerve = st.selectbox(
            "Nerve", known, known.index(scan.nerve) if scan.nerve else None, key=f"about-nerve-{scan.id}"
        )
        places = list(dict.fromkeys([*(sites(nerve) if nerve else []), *filter(None, [scan.site])]))
        site = st.selectbox(
            "Site",
            places,
            places.index(scan.site) if scan.site in places and scan.site else None,
            key=f"about-site-{scan.id}-{nerve}",
        )
        side = st.segmented_control(
            "Side", ("left", "right"), default=scan.side or None, key=f"about-side-{scan.id}"
        )
        day = st.date_input("Day of the visit", scan.date, key=f"about-day-{scan.id}")
        if st.button("Save", key=f"about-save-{scan.id}", type="primary"):
            records.describe(scan.id, About(nerve or "", site or "", side or "", date=day), scan.patient)
            st.rerun()


def _sizes(scan: SavedScan) -> None:
    """What was measured, by the model's outline and by the reader's, and what norms say of it."""
    columns: list[tuple[str, dict[str, str], float, str]] = []
    if scan.prediction is not None:
        for each in scan.prediction.sizes:
            size = shown.measurement_of(each)
            columns.append(
                (f"Model, nerve {each.number + 1}", dict(measures.lines(size)), size.area, size.unit)
            )
    review = scan.review
    if review is not None:
        for each in review.sizes:
            size = shown.measurement_of(each)
            name = f"{plain(review.reviewer)}, nerve {each.number + 1}"
            columns.append((name, dict(measures.lines(size)), size.area, size.unit))
    if not columns:
        return
    with st.expander(
        "Size and norms", icon=":material/straighten:", key="record-sizes", on_change="rerun"
    ) as part:
        if not part.open:
            return
        heads = [name for name, *_ in columns]
        rows = ["| Measurement | " + " | ".join(heads) + " |", "|:--|" + "--:|" * len(columns)]
        for name in columns[0][1]:
            rows.append(f"| {name} | " + " | ".join(own.get(name, "–") for _, own, *_ in columns) + " |")
        with st.container(key=theme.table_key("record-sizes")):
            st.markdown("\n".join(rows))
        best = next((each for each in reversed(columns) if each[3] == "mm"), None)
        if scan.nerve and scan.site and best is not None:
            found = norms_of(scan.nerve, scan.site)
            st.markdown(
                f"**Published sizes, {plain(shown.place_of(scan.nerve, scan.site, ''))}**, beside {best[0]}"
            )
            if found:
                with st.container(key=theme.table_key("record-norms")):
                    st.markdown(measures.as_table(found, best[2]))
            st.caption(measures.EVIDENCE)


def _files(records: Records, scan: SavedScan) -> None:
    """What may leave: the scan opened again, its table and its FHIR report."""
    with st.container(horizontal=True):
        if shown.may("save") and st.button(
            "Open on Diagnose", icon=":material/frame_inspect:", key=f"record-open-{scan.id}"
        ):
            content = records.content(scan.id, scan.patient)
            item = session.from_content(f"{scan.pseudonym}-{scan.date}-{scan.id[:4]}", content)
            session.carry(item)
            view = session.view_of(item)
            view.frame = scan.frame
            if scan.spacing_mm is not None and scan.spacing_mm[0] == scan.spacing_mm[1]:
                view.mm_per_px = view.mm_per_px or _ruler(item, scan)
            keep.opened(item.id, scan)
            st.switch_page("pages/diagnose.py")
        finding = shown.finding_of(scan)
        if finding is None or not shown.may("export"):
            return
        st.download_button(
            "Measurements (CSV)",
            lambda: _handed(records, scan, "table", as_csv([finding])),
            "nerve-scan.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"record-csv-{scan.id}",
        )
        st.download_button(
            "Report (FHIR R4)",
            lambda: _handed(records, scan, "FHIR report", fhir.as_json(report(scan))),
            "nerve-report.fhir.json",
            "application/fhir+json",
            icon=":material/download:",
            on_click="ignore",
            key=f"record-fhir-{scan.id}",
            help="Final where a reader has concluded, else preliminary.",
        )


def _handed(records: Records, scan: SavedScan, kind: str, made: bytes) -> bytes:
    """What leaves the records, once it is logged that it does. Raises RecordsError."""
    records.hand_over(scan.id, kind)
    return made


def _ruler(item: session.Item, scan: SavedScan) -> float | None:
    """The scale the reader gave when the scan was saved, where its file states none."""
    frame = session.scan_of(item, scan.frame)
    return scan.spacing_mm[0] if scan.spacing_mm is not None and scale.states_none(frame) else None


def report(scan: SavedScan) -> fhir.Resource:
    """The scan's FHIR Bundle; final where a reader has concluded. Raises DataError."""
    finding = shown.finding_of(scan)
    assert finding is not None
    last = scan.review
    return fhir.bundle(
        finding,
        datetime.now(UTC),
        patient=scan.pseudonym,
        scanned=scan.date,
        reading=None if last is None else reading_of(last),
        drawn=[] if last is None else [shown.measurement_of(each) for each in last.sizes],
    )


def reading_of(review: Review) -> Reading:
    """A saved reading as it was given, without its outlines."""
    return Reading(
        review.agrees,
        review.reading,
        review.comment,
        review.reviewer,
        corrected=review.corrected,
        blinded=review.blinded,
        written=review.made,
    )
