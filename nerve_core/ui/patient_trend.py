"""The area of a patient's nerves over the visits, beside published ranges; and two visits side by side."""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from nerve_core.clinical.measure import REPEATABLE_MM2
from nerve_core.clinical.norms import KINDS, RANGE, Norm, norms_of
from nerve_core.errors import NerveCoreError
from nerve_core.records.course import Change, compare
from nerve_core.records.items import Course, Patient, SavedScan, Visit
from nerve_core.records.records import Records
from nerve_core.ui import draw, measures, patient_readings, theme, verdict
from nerve_core.ui import records as shown
from nerve_core.ui.data_plots import INK, finished
from nerve_core.ui.data_scan import plain
from nerve_core.ui.figures import MISSING


def trend(records: Records, patient: Patient) -> None:
    """One chart a nerve, site and side."""
    courses = records.courses(patient.id)
    if not courses:
        st.info("No nerve of this patient was named and measured yet: say which nerve a scan shows.")
        return
    names = [shown.place_of(one.nerve, one.site, one.side) for one in courses]
    number = st.selectbox(
        "Nerve", range(len(courses)), format_func=names.__getitem__, key=f"trend-{patient.id}", width=420
    )
    course = courses[number]
    measured = [point for point in course.points if point.unit == "mm"]
    if not measured:
        st.info(
            "These scans state no scale, so their areas cannot be compared over visits: set it on Diagnose."
        )
        return
    norm = next((each for each in norms_of(course.nerve, course.site) if each.kind == RANGE), None)
    said = ", ".join(f"{point.area:.1f} mm² on {point.date}" for point in measured)
    st.plotly_chart(
        drawn(course, norm),
        key=f"trend-plot-{patient.id}-{number}",
        config={"displayModeBar": False},
        alt=f"{names[number]}: {said}",
    )
    if len(measured) < len(course.points):
        st.caption(f"{len(course.points) - len(measured)} scan(s) without a scale are left out.")
    band = (
        "No range of healthy people is published for this nerve at this site in our sources."
        if norm is None
        else f"Band: {KINDS[norm.kind]}, {norm.low:g} to {norm.high:g} mm² ({norm.population}, n = {norm.n}, "
        f"{norm.source}); the last area is {norm.said_of(measured[-1].area)}."
    )
    st.caption(
        f"{band} Bars: what two readers of one scan differ by, {REPEATABLE_MM2:.1f} mm². Diamonds are "
        f"readers' outlines, circles the model's. {measures.EVIDENCE}"
    )
    verdict.notice()


def drawn(course: Course, norm: Norm | None) -> go.Figure:
    """Area over time, readers' outlines apart from the model's, with a range of healthy people as a band."""
    ink = INK[st.context.theme.type or "light"]
    figure = go.Figure()
    points = [point for point in course.points if point.unit == "mm"]
    if norm is not None:
        figure.add_hrect(
            y0=norm.low,
            y1=norm.high,
            fillcolor=theme.VERDICT_COLOURS["unaffected"],
            opacity=0.2,
            line_width=0,
        )
    figure.add_scatter(
        x=[point.date for point in points], y=[point.area for point in points], mode="lines",
        line={"color": ink, "width": 1, "dash": "dot"}, hoverinfo="skip",
    )  # fmt: skip
    for read, symbol in ((True, "diamond"), (False, "circle")):
        own = [point for point in points if point.read is read]
        figure.add_scatter(
            x=[point.date for point in own], y=[point.area for point in own], mode="markers",
            text=[f"{html.escape(point.by)}<br>{point.date}<br>{point.area:.1f} mm²" for point in own],
            hovertemplate="%{text}<extra></extra>",
            error_y={"type": "constant", "value": REPEATABLE_MM2, "color": ink, "thickness": 1},
            marker={"symbol": symbol, "size": 13, "color": theme.POINT, "line": {"color": ink, "width": 1}},
        )  # fmt: skip
    days = sorted({point.date for point in points})
    figure.update_xaxes(tickvals=days if len(days) <= 8 else None, tickformat="%Y-%m-%d", zeroline=False)
    figure.update_yaxes(title="Cross-sectional area, mm²", rangemode="tozero", zeroline=False)
    figure.update_layout(
        showlegend=False, height=360, margin={"l": 0, "r": 10, "t": 10, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"color": ink},
    )  # fmt: skip
    return finished(figure)


def visits(records: Records, patient: Patient) -> None:
    """Two visits side by side: pictures of what was scanned at both, and how areas changed."""
    if len(patient.visits) < 2:
        st.info("There is only one visit of this patient; a second one is needed to compare.")
        return
    by_id = {visit.id: visit for visit in patient.visits}
    ids = list(by_id)
    with st.container(horizontal=True):
        before = st.selectbox(
            "Before",
            ids,
            1,
            format_func=lambda key: _visit(by_id[key]),
            key=f"before-{patient.id}",
            width=260,
        )
        after = st.selectbox(
            "After", ids, 0, format_func=lambda key: _visit(by_id[key]), key=f"after-{patient.id}", width=260
        )
    changes = compare(patient, before, after)
    if not changes:
        st.info(
            "Nothing was measured at both visits: name the nerve, site and side of their scans to compare "
            "them."
        )
        return
    with st.container(key=theme.table_key("changes")):
        st.markdown(table(changes))
    st.caption(
        f"A change counts as real only beyond what two readers of one scan differ by, {REPEATABLE_MM2:.1f} "
        "mm². The reader's outline is measured where there is one, else the model's."
    )
    names = [shown.place_of(one.nerve, one.site, one.side) for one in changes]
    number = st.selectbox(
        "Picture of",
        range(len(changes)),
        format_func=names.__getitem__,
        key=f"changes-{patient.id}",
        width=420,
    )
    scans = {scan.id: scan for visit in patient.visits for scan in visit.scans}
    for column, point in zip(
        st.columns(2, gap="medium"), (changes[number].before, changes[number].after), strict=True
    ):
        with column:
            _picture(
                records, scans[point.scan], f"{point.date}: {point.area:.1f} {point.unit}², {plain(point.by)}"
            )
    verdict.notice()


def table(changes: Sequence[Change]) -> str:
    """A row a nerve: both areas, the difference, and whether it can be told apart at all."""
    rows = ["| Nerve | Before | After | Change | |", "|:--|--:|--:|--:|:--|"]
    for one in changes:
        change, real = MISSING, "no scale"
        if one.difference is not None and one.percent is not None:
            change = f"{one.difference:+.1f} mm² ({one.percent:+.0f} %)"
            real = "beyond what readers differ by" if one.beyond else "within what readers differ by"
        areas = [f"{point.area:,.1f} {point.unit}²" for point in (one.before, one.after)]
        rows.append(
            "| "
            + " | ".join((plain(shown.place_of(one.nerve, one.site, one.side)), *areas, change, real))
            + " |"
        )
    return "\n".join(rows)


def _picture(records: Records, scan: SavedScan, said: str) -> None:
    try:
        frame = shown.picture(scan)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    top, left, bottom, right = frame.region
    review, saved = scan.review, scan.prediction
    found = None
    if not patient_readings.hidden(records, scan):
        if review is not None and review.contours:
            found = shown.outlines_of(review, scan.shape)
        elif saved is not None:
            found = shown.prediction_of(saved, scan.shape)
    picture = frame.pixels if found is None else draw.overlay(frame, found)
    st.image(picture[top:bottom, left:right], caption=said, width="stretch")


def _visit(visit: Visit) -> str:
    return f"{visit.date} ({len(visit.scans)} scan{'s' if len(visit.scans) != 1 else ''})"
