"""Two scans side by side on the Diagnose page: ratios and differences of nerves, beside published rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from nerve_core.clinical.measure import measure
from nerve_core.clinical.pairs import (
    LEFT,
    RIGHT,
    Compared,
    PairRule,
    Sized,
    compare,
    nerves,
    none_fits,
    sites_of,
)
from nerve_core.ui import draw, session, theme, verdict, words
from nerve_core.ui.data_plots import INK, finished
from nerve_core.ui.data_scan import plain
from nerve_core.ui.session import Item, Outcome

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

EVIDENCE = (
    "Evidence beside the verdicts, not a diagnosis: every rule was found in other people, with other "
    "machines and other hands."
)
AROUND = 1.0
"""How much of the scan is shown around a nerve, in its own larger side."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """One side of the comparison: a nerve of a scan, and which nerve the user says it is."""

    item: Item
    outcome: Outcome
    sized: Sized | None


def panel(items: Sequence[Item], predictor: Predictor) -> None:
    """Drawn only when opened, and only where there are two nerves to compare."""
    usable = [item for item in items if session.summarise(item, predictor).nerves]
    if len(usable) < 2 and not any(session.summarise(item, predictor).nerves > 1 for item in usable):
        return
    expander = st.expander(
        "Compare two places or sides", icon=":material/compare:", key="pairs", on_change="rerun"
    )
    if not expander.open:
        return
    with expander:
        st.caption(
            "Choose two nerves, say which they are and where: wrist and forearm, elbow and forearm, left and "
            "right. For left and right, the side with the symptoms comes first."
        )
        left, right = st.columns(2, gap="large")
        with left:
            first = _choose(usable, predictor, "first", 0)
        with right:
            second = _choose(usable, predictor, "second", min(1, len(usable) - 1))
        if first.sized is None or second.sized is None:
            st.info("Choose the nerve and the site of both, to see which published rules fit.")
            return
        _result(first.sized, second.sized, (first.item.id, second.item.id))


def sentences(item: str) -> list[str]:
    """What the comparison found, where a scan is one of the two, by its id; for its report."""
    ids, said = st.session_state.get("pairs-found", ((), []))
    return list(said) if item in ids else []


def _choose(items: Sequence[Item], predictor: Predictor, slot: str, default: int) -> Chosen:
    """Scan, nerve, name, site and side of one of the two, with its picture."""
    by_id = {item.id: item for item in items}
    name = st.selectbox(
        "First scan" if slot == "first" else "Second scan",
        list(by_id),
        default,
        format_func=lambda key: by_id[key].name,
        key=f"pairs-{slot}",
    )
    item = by_id[name]
    outcome = session.corrected(item, predictor)
    found, scan = outcome.prediction, outcome.scan
    assert found is not None and scan is not None and found.nerves
    number = 0
    if len(found.nerves) > 1:
        number = st.segmented_control(
            "Outline",
            range(len(found.nerves)),
            format_func=lambda k: str(k + 1),
            default=0,
            required=True,
            key=f"pairs-number-{slot}-{name}",
        )
        number = min(number, len(found.nerves) - 1)
    with st.container(horizontal=True):
        nerve = st.selectbox(
            "Nerve", nerves(), None, key=f"pairs-nerve-{slot}", persist_state="session", width=130,
            placeholder="Choose",
        )  # fmt: skip
        site = st.selectbox(
            "Site", sites_of(nerve) if nerve else [], None, key=f"pairs-site-{slot}-{nerve}", width=240,
            persist_state="session", placeholder="Choose",
        )  # fmt: skip
        side = st.segmented_control("Side", [LEFT, RIGHT], key=f"pairs-side-{slot}", persist_state="session")
    size = measure(scan, found, found.nerves[number])
    st.image(_around(outcome, number), width="stretch")
    shown = f"{size.area:.1f} mm²" if size.unit == "mm" else f"{size.area:,.0f} px² (no scale)"
    st.caption(f"{plain(item.name)}, outline {number + 1}: {shown}. {words.sentence_of(found)}.")
    if not nerve or not site:
        return Chosen(item, outcome, None)
    shape = (scan.pixels.shape[0], scan.pixels.shape[1])
    return Chosen(item, outcome, Sized(nerve, site, side or "", size.area, size.unit, shape))


def _around(outcome: Outcome, number: int) -> np.ndarray:
    """The overlay around one nerve, uint8 (H, W, 3), within the ultrasound region."""
    found, scan = outcome.prediction, outcome.scan
    assert found is not None and scan is not None and scan.region is not None
    contour = found.nerves[number].contour
    low, high = contour.min(axis=0), contour.max(axis=0)
    more = AROUND * float((high - low).max())
    top, left, bottom, right = scan.region
    x0, y0 = max(left, int(low[0] - 1.5 * more)), max(top, int(low[1] - more))
    x1, y1 = min(right, int(high[0] + 1.5 * more) + 1), min(bottom, int(high[1] + more) + 1)
    picture = draw.overlay(scan, found)
    return picture[y0:y1, x0:x1] if x1 > x0 and y1 > y0 else picture


def _result(first: Sized, second: Sized, ids: tuple[str, str]) -> None:
    stated = False
    if first.unit == second.unit == "px" and first.picture == second.picture:
        stated = st.checkbox(
            "Both scans were taken at the same scale (same machine, same depth)", key=f"pairs-same-{ids}"
        )
    found = compare(first, second, stated)
    st.session_state["pairs-found"] = (ids, [for_report(each) for each in found if each.value is not None])
    if not found:
        st.info(none_fits(first, second), icon=":material/rule:")
        return
    for each in found:
        if each.value is None:
            st.info(each.why_not, icon=":material/straighten:")
            continue
        st.markdown(f"**{each.said()}**")
        st.plotly_chart(
            drawn(each), key=f"pairs-plot-{each.rule.name}", config={"displayModeBar": False}, alt=each.said()
        )
        if each.rule.beside:
            st.caption(f":material/info: {each.rule.beside}")
    with st.container(key=theme.table_key("pairs")):
        st.markdown(rules_table([each.rule for each in found]))
    st.caption(EVIDENCE)
    verdict.notice()


def for_report(found: Compared) -> str:
    """The comparison, its rule's figures and its source in sentences."""
    rule = found.rule
    row = rule.cut_off
    places = f"{_said(found.first)} and {_said(found.second)}"
    known = f"for {row.condition}, sensitivity {row.sensitivity} %, specificity {row.specificity} %"
    who = "" if rule.population == "not given" else f"; {rule.population}"
    return f"{found.said()[:-1]} ({places}; {known}{who}; {row.source})."


def _said(sized: Sized) -> str:
    size = f"{sized.area:.1f} mm²" if sized.unit == "mm" else "without a scale"
    return " ".join(part for part in (sized.side, sized.nerve, "nerve,", sized.site, size) if part)


def rules_table(rules: Sequence[PairRule]) -> str:
    """The rules as published."""
    rows = [
        "| Rule | Sensitivity | Specificity | For | Found in | Source |",
        "|:--|--:|--:|:--|:--|:--|",
    ]
    for rule in rules:
        row = rule.cut_off
        rates = (f"{row.sensitivity} %", f"{row.specificity} %")
        cells = (rule.rule, *rates, row.condition, rule.population, row.source)
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def drawn(found: Compared) -> go.Figure:
    """One line: the cut-off, the value, and how far two readers of the same scans would differ."""
    assert found.value is not None
    ink = INK[st.context.theme.type or "light"]
    rule, doubt = found.rule, found.doubt or 0.0
    ends = (min(0.0, found.value - doubt), 1.15 * max(found.value + doubt, rule.limit))
    figure = go.Figure()
    if found.doubt is not None:
        figure.add_vrect(
            x0=found.value - doubt, x1=found.value + doubt, fillcolor=theme.POINT, opacity=0.25, line_width=0
        )
    figure.add_vline(x=rule.limit, line={"color": ink, "width": 2, "dash": "dash"})
    figure.add_scatter(
        x=[found.value], y=[0], mode="markers", hoverinfo="skip",
        marker={"color": theme.POINT, "size": 15, "symbol": "diamond", "line": {"color": ink, "width": 1}},
    )  # fmt: skip
    said = f"cut-off {rule.cut_off.threshold}"
    figure.add_annotation(x=rule.limit, y=1, yref="paper", yanchor="bottom", showarrow=False, text=said)
    figure.update_yaxes(visible=False, range=[-1, 1])
    unit = f", {rule.unit}" if rule.unit else ""
    figure.update_xaxes(title=f"{rule.name[:1].upper()}{rule.name[1:]}{unit}", range=ends, zeroline=False)
    figure.update_layout(
        showlegend=False, height=130, margin={"l": 0, "r": 10, "t": 26, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"color": ink},
    )  # fmt: skip
    return finished(figure)
