"""Made scans held against real ones: side by side, by their numbers, and in a blind quiz."""

from __future__ import annotations

import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.ui import data_compare_plots, data_overview, data_quiz, data_sets
from nerve_core.ui.data_gallery import gallery
from nerve_core.ui.data_scan import plain
from nerve_core.ui.data_sets import ScanSet, made

WALL = 6
"""Scans of each set side by side."""
VIEWS = ("Side by side", "Distributions", "Which is real?")

HOW = """
**Make scans to compare with**, then choose them above:

- `python -m nerve_core data phantoms --help`: simulated scans with exact truth
- `python -m nerve_core generate sample --help`: scans drawn by a trained generator
- `python -m nerve_core data add --help`: a public set or scans of your own

Each writes a folder with a `manifest.csv`.
"""


def show(chosen: ScanSet) -> None:
    """Choose the second set, then one of three ways to compare."""
    st.markdown(
        "Are made scans like real ones? Take a real set above and a simulated or generated one here, or the "
        "other way round."
    )
    try:
        second = data_sets.pick_second(chosen)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        second = None
    if second is None:
        st.info(HOW, icon=":material/compare:")
        return
    if second.mark == chosen.mark:
        st.info("This is the same set twice; choose another.")
        return
    real, other = ordered(chosen, second)
    if is_real(real) == is_real(other):
        kind = "real" if is_real(real) else "made"
        st.caption(f"As their manifests state it, both sets hold {kind} scans.")
    view = st.segmented_control(
        "Compare", VIEWS, default=VIEWS[0], required=True, key="compare-view", label_visibility="collapsed"
    )
    if view == VIEWS[0]:
        _walls(real, other)
    elif view == VIEWS[1]:
        data_compare_plots.show(real, other)
    else:
        data_quiz.show(real, other, question(real, other))


def is_real(each: ScanSet) -> bool:
    """Whether at least half of a set's scans are of people, as scanned."""
    return 2 * sum(made(row) for row in each.rows) < len(each.rows)


def ordered(first: ScanSet, second: ScanSet) -> tuple[ScanSet, ScanSet]:
    """The two sets, the real one first where one is real."""
    return (second, first) if is_real(second) and not is_real(first) else (first, second)


def question(first: ScanSet, second: ScanSet) -> str:
    """What the quiz asks: for the real scan, or for the set by name where both are of a kind."""
    if is_real(first) and not is_real(second):
        return "Which scan is real?"
    return f"Which scan is from “{plain(first.name)}”?"


def _walls(first: ScanSet, second: ScanSet) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        contour = st.toggle("Contours", True, key="compare-contours")
        last = max((max(len(each.rows) for each in (first, second)) - 1) // WALL, 0)
        start = 0
        if last:
            start = (
                st.slider(f"Part of the sets, of {last + 1}", 1, last + 1, 1, key="compare-part", width=320)
                - 1
            )
    data_overview.legend()
    for number, (place, each) in enumerate(zip(st.columns(2, gap="large"), (first, second), strict=True)):
        with place:
            real = "real" if is_real(each) else "made"
            st.subheader(f"{plain(each.name)} ({real}, n = {len(each.rows):,})", anchor=False)
            gallery(
                each.rows, part(len(each.rows), start), key=f"compare-{number}-{each.mark}", contour=contour
            )


def part(n: int, start: int) -> list[int]:
    """Indices of the ``start``-th part of ``n`` scans, spread over it; after the last comes the first."""
    parts = max(-(-n // WALL), 1)
    return list(range(start % parts, n, parts))[:WALL]
