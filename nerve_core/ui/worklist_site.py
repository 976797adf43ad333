"""What a site sets, measures and takes over all its records: alerts, agreement, corrections to train from."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from nerve_core.clinical import norms
from nerve_core.errors import NerveCoreError
from nerve_core.records.agreement import Agreement
from nerve_core.records.records import Alert, Records
from nerve_core.ui import records as shown
from nerve_core.ui import theme, verdict

TYPES = {
    "name": st.column_config.TextColumn("Name", required=True, max_chars=80),
    "nerve": st.column_config.TextColumn("Nerve"),
    "site": st.column_config.TextColumn("Site"),
    "area_above_mm2": st.column_config.NumberColumn("Area above, mm²", min_value=0.0, max_value=9999.0),
    "p_above": st.column_config.NumberColumn("Probability above", min_value=0.0, max_value=0.99),
}
KINDS = {"name": str, "nerve": object, "site": object, "area_above_mm2": float, "p_above": float}


def alerts(records: Records) -> None:
    """The site's alerts; to be changed by those who may."""
    kept = records.alerts()
    st.markdown(
        "A scan that meets every limit of an alert stands first in the worklist. Alerts order the work; they "
        "are no diagnosis."
    )
    choices, columns = records.choices(), dict(TYPES)
    for name, title, known in (
        ("nerve", "Nerve", {*choices.nerves, *norms.nerves()}),
        ("site", "Site", {*choices.sites, *(norm.site for norm in norms.norms())}),
    ):
        columns[name] = st.column_config.SelectboxColumn(title, options=sorted(known), help="Empty: any")
    own = pd.DataFrame([each.to_dict() for each in kept], columns=list(TYPES)).astype(KINDS)
    own[["nerve", "site"]] = own[["nerve", "site"]].replace("", None)
    if not shown.may("settings"):
        st.dataframe(own, hide_index=True, column_config=columns, placeholder="any")
        st.caption("Alerts are set by an administrator.")
        return
    edited = st.data_editor(
        own, num_rows="dynamic", hide_index=True, column_config=columns, key="alerts-table", placeholder="any"
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
    with st.spinner("Comparing readings …"):
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


def corrections(records: Records) -> None:
    """Readers' outlines and conclusions as a set to train from, without identities."""
    st.markdown(
        "Every scan with a reader's outline, with its mask and the reader's conclusion, as a folder with a "
        "manifest to train from: no pseudonyms, names or days, nothing outside the ultrasound, one group a "
        "patient."
    )
    key = "corrections-made"
    if st.button("Make the set", icon=":material/folder_zip:", type="primary", key="corrections-make"):
        with tempfile.TemporaryDirectory() as folder:
            made = records.corrections(Path(folder) / "corrections")
            packed = Path(shutil.make_archive(str(Path(folder) / "set"), "zip", folder, "corrections"))
            st.session_state[key] = (made, packed.read_bytes())
    if key in st.session_state:
        made, content = st.session_state[key]
        st.success(
            f"{made.images:,} scans of {made.patients:,} patients; {made.corrected:,} outlines corrected by "
            "hand, the others the model's as readers approved them."
        )
        st.download_button(
            "Download it (ZIP)",
            content,
            "corrections.zip",
            "application/zip",
            icon=":material/download:",
            on_click=lambda: st.session_state.pop(key, None),
            key="corrections-take",
        )
        st.caption("Unpack it, then: `python -m nerve_core train --manifest corrections`")
    st.caption(
        "Who takes the set is logged, and each patient's record notes that their data was handed out, so "
        "that an erasure can say so."
    )
