"""The worklist: saved scans, the most urgent first, narrowed by filters; a click opens one."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from nerve_core.inference.prediction import AFFECTED, NO_NERVE, NOT_ASSESSABLE, UNAFFECTED, UNCERTAIN
from nerve_core.records.items import Page, Request, WorkItem
from nerve_core.records.records import NEWEST_FIRST, UNREAD_FIRST, Filter, Records
from nerve_core.ui import records as shown
from nerve_core.ui import verdict, words
from nerve_core.ui.data_scan import plain

SIZE = 25
"""Scans a page."""

TABLE, GO = "worklist-table", "worklist-go"

LEVELS = ("", "look at it", "large", "likely affected", "affected and large", "alert")
"""What the whole part of an urgency says."""

ORDERS = {UNREAD_FIRST: "Unread first, the most urgent on top", NEWEST_FIRST: "Saved last first"}
VERDICTS = (AFFECTED, UNCERTAIN, UNAFFECTED, NO_NERVE, NOT_ASSESSABLE)
READ = {"All": None, "Unread": False, "Read": True}


def panel(records: Records) -> None:
    """Filters, one page of scans, and the way to the others."""
    chosen, order = _filters(records)
    known = st.session_state.get("worklist-filter")
    if known != (chosen, order):
        st.session_state["worklist-filter"], st.session_state["worklist-page"] = (chosen, order), 1
    page = records.worklist(chosen, order=order, page=st.session_state["worklist-page"], size=SIZE)
    if page.number > page.pages:
        page = records.worklist(chosen, order=order, page=page.pages, size=SIZE)
    if not page.total:
        if chosen == Filter():
            nothing_saved()
        else:
            st.info("No saved scan passes these filters.", icon=":material/filter_alt_off:")
        return
    table(page)
    _pages(page)
    verdict.notice()


def follow() -> None:
    """Go to the scan that was clicked on, if any."""
    if target := st.session_state.pop(GO, None):
        shown.go_to(*target)
        st.switch_page("pages/patient.py")


def nothing_saved() -> None:
    """What to do while there is nothing in the records."""
    with st.container(border=True):
        st.markdown("### Nothing is saved yet")
        st.markdown(
            "Scans come here when someone saves them: open one on **Diagnose**, then *Save to the records* "
            "below its result. Patients are kept by pseudonym; until something is saved, nothing is stored."
        )
        st.page_link("pages/diagnose.py", label="Go to Diagnose", icon=":material/frame_inspect:")


def asked(records: Records) -> None:
    """Second readings that wait for the actor."""
    mine = [one for one in records.requests() if one.colleague in (records.actor.name, shown.reader())]
    if not mine:
        return
    with st.container(border=True, key="worklist-asked"):
        st.markdown(f"**{len(mine)} second reading{'s' if len(mine) > 1 else ''} asked of you**")
        for one in mine:
            st.button(
                _asked(one),
                key=f"asked-{one.id}",
                icon=":material/visibility_off:" if one.blinded else ":material/group:",
                on_click=_choose,
                args=(one.patient, one.scan),
            )


def rows(items: Sequence[WorkItem]) -> pd.DataFrame:
    """One row a scan, in words."""
    return pd.DataFrame(
        [
            {
                "": "" if item.reviewed else "●",
                "Urgency": LEVELS[min(int(item.urgency), len(LEVELS) - 1)],
                "Patient": item.pseudonym,
                "Visit": item.date,
                "Where": shown.place_of(item.nerve, item.site, item.side),
                "Model": _model(item),
                "Area": "" if item.area_mm2 is None else f"{item.area_mm2:.1f} mm²",
                "Reading": item.reading or "",
                "Read by": ", ".join(item.readers),
                "Why": "; ".join(item.reasons),
            }
            for item in items
        ]
    )


def table(page: Page[WorkItem]) -> None:
    """The scans of a page; a click on one opens it."""
    st.dataframe(
        rows(page.items),
        key=TABLE,
        hide_index=True,
        on_select=lambda: _selected(page.items),
        selection_mode="single-cell",
        placeholder="",
        height=min(38 + 35 * len(page.items), 38 + 35 * 14),
        column_config={
            "": st.column_config.TextColumn("", width=24, help="● unread"),
            "Urgency": st.column_config.TextColumn(width=130),
            "Visit": st.column_config.DateColumn(width=95),
            "Where": st.column_config.TextColumn(width=190),
            "Reading": st.column_config.TextColumn(width=95),
            "Read by": st.column_config.TextColumn(width=110),
            "Why": st.column_config.TextColumn(width=330),
        },
    )


def _filters(records: Records) -> tuple[Filter, str]:
    choices = records.choices()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Patient", placeholder="Part of the pseudonym", key="worklist-text", width=220)
        reviewed = st.segmented_control("Show", list(READ), default="All", required=True, key="worklist-read")
        said = st.selectbox(
            "Model says", VERDICTS, None, placeholder="Any", key="worklist-verdict", width=170
        )
        nerve = st.selectbox(
            "Nerve", choices.nerves, None, placeholder="Any", key="worklist-nerve", width=140
        )
        alert = st.toggle("Alerts only", key="worklist-alert")
    with (
        st.expander("More filters and order", icon=":material/tune:"),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        site = st.selectbox("Site", choices.sites, None, placeholder="Any", key="worklist-site", width=200)
        side = st.selectbox(
            "Side", ("left", "right"), None, placeholder="Any", key="worklist-side", width=110
        )
        reviewer = st.selectbox(
            "Read by", choices.reviewers, None, placeholder="Anyone", key="worklist-reviewer", width=180
        )
        since = st.date_input("Visits from", None, key="worklist-since", width=150)
        until = st.date_input("to", None, key="worklist-until", width=150)
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="worklist-order", width=300
        )
    chosen = Filter(
        text.strip(),
        since,
        until,
        nerve or "",
        site or "",
        side or "",
        said or "",
        READ[reviewed],
        reviewer or "",
        alert,
    )
    return chosen, order


def _pages(page: Page[WorkItem]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{page.total:,} scan{'s' if page.total > 1 else ''}. Click one to open it. ● is unread.")
        if page.pages > 1:
            st.number_input(f"Page, of {page.pages:,}", 1, page.pages, key="worklist-page", width=140)


def _model(item: WorkItem) -> str:
    if item.verdict is None:
        return "no verdict yet"
    chance = "" if item.p_affected is None else f", {words.percent(item.p_affected)}"
    return f"{item.verdict}{chance}"


def _asked(one: Request) -> str:
    blind = ", blinded" if one.blinded else ""
    where = shown.place_of(one.nerve, one.site, one.side)
    return plain(f"{one.pseudonym}, {one.date}, {where} (asked by {one.asked_by}{blind})")


def _selected(items: Sequence[WorkItem]) -> None:
    cells = st.session_state[TABLE]["selection"]["cells"]
    if cells and cells[0][0] < len(items):
        item = items[cells[0][0]]
        st.session_state[GO] = (item.patient, item.scan)


def _choose(patient: str, scan: str) -> None:
    st.session_state[GO] = (patient, scan)
