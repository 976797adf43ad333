"""The image wall: small scans with their contours, filtered and by pages."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nerve_core.data.manifest import Row
from nerve_core.ui import data_overview
from nerve_core.ui.data_gallery import gallery
from nerve_core.ui.data_overview import COLUMNS, NONE
from nerve_core.ui.data_sets import ScanSet, values

PAGE = 24
"""Scans a page."""


def show(chosen: ScanSet) -> None:
    """Filters, one page of scans and the way to the others."""
    indices, contour = _filters(chosen)
    if not indices:
        st.info("No scan fits all of these filters; take one away.")
        return
    pages = -(-len(indices) // PAGE)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"data-page-{chosen.mark}-{hash(tuple(indices))}", width="stretch")
    part = indices[(page - 1) * PAGE : page * PAGE]
    st.caption(
        f"Scans {(page - 1) * PAGE + 1:,} to {(page - 1) * PAGE + len(part):,} of {len(indices):,} "
        f"(n = {len(chosen.rows):,} in the set). Choose one to see it large; of a loop "
        "the middle frame is shown."
    )
    data_overview.legend()
    gallery(chosen.rows, part, key=f"data-wall-{chosen.mark}", contour=contour)


def _filters(chosen: ScanSet) -> tuple[list[int], bool]:
    """Indices of the scans that pass, and whether contours are drawn."""
    wanted: dict[str, list[str]] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", key="data-filters"):
        for column, title in COLUMNS.items():
            found = values(chosen.rows, column)
            if len(found) > 1:
                wanted[column] = st.multiselect(
                    title,
                    found,
                    format_func=lambda value: value or NONE,
                    key=f"data-filter-{column}-{chosen.mark}",
                    placeholder="All",
                    width=260,
                )
        contour = st.toggle("Contours", True, key="data-contours", persist_state="session")
    return passing(chosen.rows, wanted), contour


def passing(rows: Sequence[Row], wanted: dict[str, list[str]]) -> list[int]:
    """Indices of the rows that have one of the wanted values in every column that asks for any."""
    return [
        index
        for index, row in enumerate(rows)
        if all(row.get(column, "") in allowed for column, allowed in wanted.items() if allowed)
    ]
