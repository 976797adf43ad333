"""What a site sets and measures over all its records: alerts of the worklist, and how far readers agree."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.records.agreement import Agreement
from nerve_core.records.records import Alert, Records
from nerve_core.ui import records as shown
from nerve_core.ui import theme, verdict

COLUMNS = {
    "name": st.column_config.TextColumn("Name", required=True, max_chars=80),
    "nerve": st.column_config.TextColumn("Nerve", help="Empty: any"),
    "site": st.column_config.TextColumn("Site", help="Empty: any"),
    "area_above_mm2": st.column_config.NumberColumn("Area above, mm²", min_value=0.0, max_value=9999.0),
    "p_above": st.column_config.NumberColumn("Probability above", min_value=0.0, max_value=0.99),
}


def alerts(records: Records) -> None:
    """The site's alerts; to be changed by those who may."""
    kept = records.alerts()
    st.markdown(
        "A scan that meets every limit of an alert stands first in the worklist. Alerts order the work; they "
        "are no diagnosis."
    )
    own = pd.DataFrame([each.to_dict() for each in kept], columns=list(COLUMNS)).astype(
        {"name": str, "nerve": str, "site": str, "area_above_mm2": float, "p_above": float}
    )
    if not shown.may("settings"):
        st.dataframe(own, hide_index=True, column_config=COLUMNS, placeholder="–")
        st.caption("Alerts are set by an administrator.")
        return
    edited = st.data_editor(
        own, num_rows="dynamic", hide_index=True, column_config=COLUMNS, key="alerts-table", placeholder="any"
    )
    if st.button(
        "Set these alerts", icon=":material/notifications_active:", type="primary", key="alerts-set"
    ):
        try:
            sounding = records.set_alerts([alert_of(row) for row in edited.to_dict("records")])
        except NerveCoreError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.success(f"Set. {sounding:,} saved scan{' meets' if sounding == 1 else 's meet'} one of them.")


def alert_of(row: dict) -> Alert:
    """An alert from a row of the table; empty cells are any. Raises RecordsError."""
    text = {name: "" if pd.isna(row[name]) else str(row[name]).strip() for name in ("name", "nerve", "site")}
    limits = {
        name: None if pd.isna(row[name]) else float(row[name]) for name in ("area_above_mm2", "p_above")
    }
    return Alert(**text, **limits)


def agreement(records: Records) -> None:
    """How far second readings agree with first ones, and readers with the model."""
    blind = st.toggle("Only second readings given blinded", True, key="agreement-blind")
    between, model = records.agreement(blinded_only=blind), records.model_agreement()
    with st.container(key=theme.table_key("agreement")):
        st.markdown(
            agreement_table({"Second with first reader": between, "First reader with the model": model})
        )
    st.caption(
        "Kappa (Cohen 1960) is agreement beyond chance; a dash stands where it is not defined. First readers "
        "had seen the model's verdict, so their agreement with it is no independent check. Scans you have "
        "still to read blinded are left out."
    )
    verdict.notice()


def agreement_table(found: dict[str, Agreement]) -> str:
    """A row a comparison, every figure with how many scans it rests on."""
    rows = [
        "| | Scans (patients) | Same conclusion | Kappa | Outlines, median Dice | Area, mean difference (95 "
        "% limits) |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for name, each in found.items():
        dice = "–" if each.dice is None else f"{each.dice:.2f} (n = {each.n_contours})"
        area = "–"
        if each.area_bias_mm2 is not None:
            ends = each.area_limits_mm2
            limits = "" if ends is None else f" ({ends[0]:+.1f} to {ends[1]:+.1f})"
            area = f"{each.area_bias_mm2:+.1f} mm²{limits} (n = {each.n_areas})"
        cells = (
            name,
            f"{each.n:,} ({each.patients:,})",
            "–" if each.percent is None else f"{each.percent:.0f} %",
            "–" if each.kappa is None else f"{each.kappa:.2f}",
            dice,
            area,
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)
