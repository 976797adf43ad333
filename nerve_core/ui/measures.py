"""Sizes of a nerve on the Diagnose page, and what published norms say of its area."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import plotly.graph_objects as go
import streamlit as st

from nerve_core.clinical.measure import REPEATABLE_MM2, Measurement, measure
from nerve_core.clinical.norms import (
    KINDS,
    LIMIT,
    RANGE,
    CutOff,
    Norm,
    disagreement,
    nerves,
    norms_of,
    rules_of,
    sites,
)
from nerve_core.ui import scale, theme, words
from nerve_core.ui.data_plots import INK, finished
from nerve_core.ui.session import Outcome, View

NOT_CHOSEN = "Choose the nerve"
EVIDENCE = (
    "Evidence beside the verdict, not a diagnosis: the sources measured other people with other machines. "
    "† marks a source that quotes others."
)


def panel(outcome: Outcome, view: View) -> None:
    """Drawn only when opened: measurements of one nerve, its scale, and norms where that is known."""
    expander = st.expander("Size and norms", icon=":material/straighten:", key="measures", on_change="rerun")
    if not expander.open:
        return
    with expander:
        assert outcome.prediction is not None and outcome.scan is not None
        found = outcome.prediction.nerves
        number = 0
        if len(found) > 1:
            number = st.segmented_control(
                "Nerve",
                range(len(found)),
                format_func=lambda k: str(k + 1),
                default=0,
                required=True,
                key=f"measures-nerve-{outcome.item.id}",
            )
            number = min(number, len(found) - 1)
        sizes = measure(outcome.scan, outcome.prediction, found[number])
        left, right = st.columns([2, 3], gap="large")
        with left:
            _sizes(sizes, outcome.prediction.edited)
            scale.panel(outcome.scan, view, outcome.item.id)
            stem = PurePath(outcome.item.name).stem or "scan"
            st.download_button(
                "Measurements (CSV)",
                lambda: as_csv(sizes),
                f"{stem}-nerve{number + 1}-size.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="measures-csv",
            )
        with right:
            _norms(sizes)


@dataclass(frozen=True)
class Compared:
    """Which nerve of the scan, from 0, is compared with the norms of which nerve at which site."""

    number: int
    nerve: str
    site: str


def compared(item: str) -> Compared | None:
    """What is compared with norms for an item, by its id; None where nothing is."""
    nerve = st.session_state.get("norm-nerve")
    site = st.session_state.get(f"norm-site-{nerve}") if nerve else None
    number = st.session_state.get(f"measures-nerve-{item}") or 0
    return Compared(number, nerve, site) if nerve and site else None


def lines(sizes: Measurement) -> list[tuple[str, str]]:
    """What was measured and how much, with units."""
    unit, digits = sizes.unit, 1 if sizes.unit == "mm" else 0

    def length(value: float) -> str:
        return f"{value:,.{digits}f} {unit}"

    dark = sizes.hypoechoic
    found = [
        ("Cross-sectional area", f"{sizes.area:,.{digits}f} {unit}²"),
        ("Width × height", f"{sizes.width:,.{digits}f} × {length(sizes.height)}"),
        ("Flattening (width / height)", f"{sizes.flattening:.1f}"),
        ("Outline length", length(sizes.perimeter)),
        ("Diameter of a circle as large", length(sizes.equivalent_diameter)),
        ("Roundness (1 is a circle)", f"{sizes.circularity:.2f}"),
        ("Depth of its nearest edge", length(sizes.depth)),
        ("Mean brightness (0 to 255)", f"{sizes.echo:.0f}"),
    ]
    if dark:
        yen, entropy = (words.percent(dark[name]) for name in ("yen", "maximum_entropy"))
        found.append(("Dark share, two methods", f"{yen} (Yen), {entropy} (entropy)"))
    return found


def as_csv(sizes: Measurement) -> bytes:
    """Every figure with its unit."""
    units = dict.fromkeys(("perimeter", "equivalent_diameter", "width", "height", "depth"), sizes.unit)
    units |= {"area": f"{sizes.unit}2", "echo": "grey level"}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["measurement", "value", "unit"])
    figures = sizes.to_dict()
    dark = figures.pop("hypoechoic")
    for name, value in figures.items():
        if name != "unit":
            table.writerow([name, value, units.get(name, "")])
    for name, value in dark.items():
        table.writerow([f"hypoechoic_fraction_{name}", value, ""])
    return text.getvalue().encode()


def _sizes(sizes: Measurement, edited: bool) -> None:
    rows = ["| Measurement | |", "|:--|--:|", *(f"| {name} | {value} |" for name, value in lines(sizes))]
    with st.container(key=theme.table_key("sizes")):
        st.markdown("\n".join(rows))
    st.caption(
        f"Measured on the outline shown{', as corrected by hand' if edited else ''}. "
        + (
            f"Two readers of one scan differ by about {REPEATABLE_MM2:.1f} mm², so smaller differences mean "
            "nothing. "
            if sizes.unit == "mm"
            else ""
        )
        + "Brightness and dark share change with gain and machine, so they have no normal limit."
    )


def _norms(sizes: Measurement) -> None:
    st.markdown("**Published norms**")
    with st.container(horizontal=True):
        nerve = st.selectbox(
            "Nerve",
            nerves(),
            index=None,
            placeholder=NOT_CHOSEN,
            key="norm-nerve",
            persist_state="session",
            width=200,
        )
        site = st.selectbox(
            "Site",
            sites(nerve) if nerve else [],
            key=f"norm-site-{nerve}",
            persist_state="session",
            width=260,
        )
    if not nerve or not site:
        st.caption("Choose which nerve this is and where, to see what published sizes say.")
        return
    if sizes.unit != "mm":
        st.info(
            "Norms are in mm², and this scan states no scale: set it on the left, or upload the DICOM file.",
            icon=":material/straighten:",
        )
        return
    found = norms_of(nerve, site)
    st.plotly_chart(
        drawn(found, sizes.area),
        key="norm-plot",
        config={"displayModeBar": False},
        alt=f"{sizes.area:.1f} mm² beside {len(found)} published sizes of the {nerve} nerve, {site}",
    )
    with st.container(key=theme.table_key("norms")):
        st.markdown(as_table(found, sizes.area))
    if clash := disagreement(found):
        st.warning(clash, icon=":material/balance:")
    if rules := rules_of(nerve, site):
        with (
            st.expander("Published diagnostic rules", icon=":material/rule:"),
            st.container(key=theme.table_key("rules")),
        ):
            st.markdown(rules_table(rules))
    st.caption(EVIDENCE)


def as_table(found: Sequence[Norm], area: float) -> str:
    """A row a source: what it says of the area, its people and itself."""
    rows = ["| What it says | z | Who | Source |", "|:--|--:|:--|:--|"]
    return "\n".join([*rows, *("| " + " | ".join(cells) + " |" for cells in norm_rows(found, area))])


def norm_rows(found: Sequence[Norm], area: float) -> list[tuple[str, str, str, str]]:
    """What each source says of an area, how many standard deviations, its people and itself."""
    rows = []
    for norm in found:
        z = norm.z(area)
        who = ", ".join(part for part in (norm.population, f"n = {norm.n}" if norm.n else "") if part)
        source = norm.source + (" †" if norm.secondary else "")
        rows.append((norm.said_of(area), "–" if z is None else f"{z:+.1f}", who, source))
    return rows


def rules_table(rules: Sequence[CutOff]) -> str:
    """The rules as published."""
    rows = ["| Rule | Sensitivity | Specificity | For | Where | Source |", "|:--|--:|--:|:--|:--|:--|"]
    for rule in rules:
        percent = [f"{text} %" if text else "–" for text in (rule.sensitivity, rule.specificity)]
        mark = " †" if rule.secondary else ""
        cells = (rule.rule, *percent, rule.condition, rule.site, f"{rule.source}{mark}")
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def short(source: str) -> str:
    """A source without its address, table and page.

    >>> short("Bae 2021 PMC8104199 Table 1"), short("Practical Neurology Table 2 (pn.bmj.com 148307)")
    ('Bae 2021', 'Practical Neurology')
    """
    return re.split(r" (?:PMC\d|doi:|Table |\()", source)[0].removeprefix("doi:")


def drawn(found: Sequence[Norm], area: float) -> go.Figure:
    """A row a source: a bar for a range, a tick for a limit, a dot for an average; a line for this nerve."""
    ink = INK[st.context.theme.type or "light"]
    figure = go.Figure()
    names = [html.escape(short(norm.source)) + (" †" if norm.secondary else "") for norm in found]
    for row, norm in enumerate(found):
        at = len(found) - 1 - row
        said = f"{names[row]}<br>{KINDS[norm.kind]}<br>{norm.said_of(area)}<extra></extra>"
        if norm.kind == RANGE:
            figure.add_scatter(
                x=[norm.low, norm.high], y=[at, at], mode="lines", hovertemplate=said,
                line={"color": theme.VERDICT_COLOURS["unaffected"], "width": 12},
            )  # fmt: skip
        if norm.kind == LIMIT:
            figure.add_scatter(
                x=[norm.high], y=[at], mode="markers", hovertemplate=said,
                marker={"symbol": "line-ns", "size": 20, "line": {"width": 4, "color": ink}},
            )  # fmt: skip
        if norm.mean is not None:
            figure.add_scatter(
                x=[norm.mean], y=[at], mode="markers", hovertemplate=said,
                marker={"symbol": "circle", "size": 9, "color": ink},
            )  # fmt: skip
    figure.add_vrect(
        x0=area - REPEATABLE_MM2, x1=area + REPEATABLE_MM2, fillcolor=theme.POINT, opacity=0.25, line_width=0
    )
    figure.add_vline(x=area, line={"color": theme.POINT, "width": 3})
    figure.add_annotation(
        x=area, y=1.0, yref="paper", yanchor="bottom", showarrow=False, text=f"this nerve {area:.1f} mm²"
    )
    figure.update_yaxes(
        tickvals=list(range(len(found)))[::-1],
        ticktext=names,
        range=[-0.6, len(found) - 0.4],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(title="Cross-sectional area, mm²", rangemode="tozero", zeroline=False)
    figure.update_layout(
        showlegend=False, height=130 + 42 * len(found), margin={"l": 0, "r": 10, "t": 30, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"color": ink},
    )  # fmt: skip
    return finished(figure)
