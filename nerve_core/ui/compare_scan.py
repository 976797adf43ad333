"""Two or more methods on one scan: outlines side by side, where they agree, verdicts and times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.imaging.scan import Scan
from nerve_core.ui import (
    compare_agreement,
    compare_downloads,
    compare_methods,
    compare_picture,
    compare_run,
    examples,
    pick,
    processing,
    session,
    theme,
    verdict,
    words,
)
from nerve_core.ui.compare_methods import WEIGHTS, Choice
from nerve_core.ui.compare_run import Result
from nerve_core.ui.data_picture import UNLABELLED
from nerve_core.ui.scan_view import scan_view
from nerve_core.ui.session import Item, Point, View

MOST = 12
"""Methods at once."""
ACROSS = 3
"""Cards side by side on a wide screen."""
DEFAULT = ("otsu", "crf", "chan_vese")
"""Chosen at first beside the weights, where only one set of weights is installed."""


def show() -> None:
    """The whole tab."""
    items = pick.scans()
    chosen = _methods()
    if not items:
        with st.container(border=True):
            st.markdown("### Drop a scan above to begin, or pick a sample")
            st.markdown(
                "- Every method chosen looks at the same scan; their outlines stand side by side.\n"
                "- A map shows where they agree. Where they do not, look yourself.\n"
                "- One click on the nerve is given to all of them."
            )
        verdict.notice()
        return
    if len(chosen) < 2:
        st.info("Choose two methods or more.", icon=":material/compare:")
        return
    item = pick.one(items, "compare-which")
    try:
        scan = pick.frame_of(item)
    except NerveCoreError as error:
        st.error(str(error), icon=":material/error:")
        return
    view = session.view_of(item)
    results = compare_run.run(item, chosen)
    _point(item, scan, view, results)
    _cards(scan, view, results)
    truth = examples.truth(item, view.frame)
    table = compare_run.table(results, truth)
    _summary(table)
    ran = [result for result in results if result.prediction is not None]
    if len(ran) > 1:
        _agreement(scan, ran)
    if ran:
        compare_downloads.buttons(scan, results, table, view.point)


def _methods() -> list[Choice]:
    """The methods chosen, and below how to get those that are not here."""
    with st.spinner("Looking for the methods that can run here …"):
        every = compare_methods.choices()
    here = {choice.name: choice for choice in every if choice.here}
    first = [name for name in here if name.startswith(WEIGHTS)]
    if len(first) < 2:
        first += [name for name in DEFAULT if name in here][:1]
    names = st.multiselect(
        "Methods",
        list(here),
        default=first,
        format_func=lambda name: here[name].title if name in here else name,
        max_selections=MOST,
        key="compare-methods",
        persist_state="session",
        placeholder="Choose two or more",
    )
    missing = [choice.title for choice in every if not choice.here]
    if missing:
        with st.expander(f"{len(missing)} more methods are not fitted here", icon=":material/build:"):
            st.markdown(
                f"Classical methods are fitted and tuned on scans first: `{compare_methods.FIT}`. What is in "
                "that folder can be chosen here; a method that is done is not done again. Not fitted here: "
                f"{'; '.join(missing)}."
            )
    return [here[name] for name in names if name in here]


def _point(item: Item, scan: Scan, view: View, results: Sequence[Result]) -> None:
    """The scan to click in, with the first outline there is."""
    own = next((result for result in results if result.choice.judges and result.prediction), None)
    with st.expander(
        "Point at the nerve, for all methods at once",
        icon=":material/ads_click:",
        expanded=view.point is not None,
    ):
        scan_view(
            scan,
            own.prediction if own else None,
            key="compare-scan",
            point=view.point,
            on_point=lambda point: _moved(view, point),
            truth=examples.truth(item, view.frame),
        )
        if own:
            verdict.legend()
            st.caption(f"Drawn in: the outline of {own.number} · {own.choice.title}.")
    if view.point is not None:
        st.caption(
            f":material/ads_click: Every method was given the point x {view.point[0]:.0f} px, "
            f"y {view.point[1]:.0f} px."
        )
    st.caption(
        f":material/straighten: {words.scale(scan)}" + (f" :material/labs: {item.note}" if item.note else "")
    )


def _moved(view: View, point: Point | None) -> None:
    if point is None:
        view.points.pop(view.frame, None)
    else:
        view.points[view.frame] = point


def _cards(scan: Scan, view: View, results: Sequence[Result]) -> None:
    """Notice, legend, and a picture a method."""
    verdict.notice()
    told: set[str] = set()
    for result in results:
        config: dict[str, Any] = getattr(result.model, "config", {})
        said = words.uncalibrated(config)
        if said and said not in told:
            st.warning(f"{result.choice.title}: {said}", icon=":material/warning:")
            told.add(said)
    network = next((result for result in results if hasattr(result.model, "config")), None)
    if network is not None:
        processing.left_training(view, network.model.preprocess)
        st.caption(f":material/my_location: {words.validated_on(network.model.config.get('sites', []))}")
    verdict.legend()
    if any(not result.choice.judges for result in results):
        st.html(
            f"<div style='font-size:0.9rem;opacity:0.85'><span style='color:{UNLABELLED}'>&#9632;</span> "
            "outline of a method that gives no verdict</div>"
        )
    for start in range(0, len(results), ACROSS):
        row = results[start : start + ACROSS]
        columns = st.columns(ACROSS if len(results) > 2 else 2)
        for column, result in zip(columns, row, strict=False):
            with column:
                _card(scan, view, result)


def _card(scan: Scan, view: View, result: Result) -> None:
    title = f"{result.number} · {result.choice.title}"
    if result.fault is not None:
        st.markdown(f"**{title}**")
        if result.outcome.error:
            st.error(result.fault, icon=":material/error:")
        else:
            st.warning(result.fault, icon=":material/block:")
        return
    found = result.prediction
    said = "Outline only, no verdict"
    if result.choice.judges:
        said = f"{theme.VERDICT_ICONS[found.verdict]} {words.sentence_of(found)}"
    elif not found.nerves:
        said = "No nerve found"
    st.markdown(f"**{title}**")
    st.image(
        compare_picture.drawn(scan, found, result.choice.judges, view.point),
        width="stretch",
        alt=f"The scan with the outline of {result.choice.title}",
    )
    st.markdown(f"{said} · {words.milliseconds(result.outcome.ms)}")


def _summary(table: Any) -> None:
    st.subheader("Side by side", anchor=False)
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "No.": st.column_config.NumberColumn(width=48),
            "Time, ms": st.column_config.NumberColumn(format="%.0f"),
            "Area, px²": st.column_config.NumberColumn(format="localized"),
            "Dice with simulated truth": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Verdict, probability, area and time of each method",
    )
    st.caption(
        "Time: from the decoded scan to the answer, once, on this machine; the random field and the "
        "classical verdicts include the network they build on. Dice: overlap, 0 none to 1 the same."
    )


def _agreement(scan: Scan, ran: Sequence[Result]) -> None:
    masks = [result.prediction.mask for result in ran]
    counts = compare_agreement.count_map(masks)
    st.subheader("Where they agree", anchor=False)
    st.markdown(compare_agreement.in_words(counts, len(ran)))
    left, right = st.columns(2, gap="large")
    with left:
        st.image(
            _shown(compare_agreement.picture(scan.pixels, counts, len(ran))),
            width="stretch",
            alt="The scan, coloured by the number of methods that call each pixel nerve",
        )
        compare_agreement.legend(counts, len(ran))
    with right:
        st.plotly_chart(
            compare_agreement.heat_map(
                compare_agreement.pairwise_dice(masks),
                {result.number: result.choice.title for result in ran},
            ),
            key="compare-pairs",
            config={"displayModeBar": False},
            alt="Dice of each two methods' outlines",
        )
        st.caption(
            "Overlap of each two outlines (Dice), methods by their numbers above: 1 the same, 0 nothing "
            "in common; two methods that both found nothing count as 1."
        )


def _shown(picture: np.ndarray) -> np.ndarray:
    """No larger than the cards' pictures, so that large scans travel quickly."""
    import cv2

    zoom = compare_picture.SIDE / max(picture.shape[:2])
    return picture if zoom >= 1 else cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
