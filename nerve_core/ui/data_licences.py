"""Where the scans of a set come from, under which licence, and how to cite them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd
import streamlit as st

from nerve_core.data.catalog import Entry, catalogue
from nerve_core.data.manifest import Row, is_open
from nerve_core.errors import DataError
from nerve_core.ui.data_overview import NONE
from nerve_core.ui.data_scan import plain
from nerve_core.ui.data_sets import ScanSet

MOST = 200
"""Different sources listed."""


def show(chosen: ScanSet) -> None:
    """Licences and sources as the manifest states them."""
    found = licences(chosen.rows)
    unstated = int(found.loc[found["Licence"] == NONE, "Scans (n)"].sum())
    if unstated:
        st.warning(
            f"{unstated:,} scans state no licence: treat them as for research only, and fill in the column "
            "`licence`.",
            icon=":material/gavel:",
        )
    st.dataframe(found, hide_index=True, height="content")
    st.caption(
        "“Open weights” says whether weights learned from these scans may be passed on freely; "
        "`train --licence open` uses those alone. The words of the licence itself decide."
    )
    known = known_sets()
    _cited([known[name] for name in sorted({row.get("set", "") for row in chosen.rows}) if name in known])
    origins = sources(chosen.rows)
    st.subheader(f"Sources (n = {len(origins):,})", anchor=False)
    st.dataframe(origins.head(MOST), hide_index=True, height="content" if len(origins) <= 10 else 400)
    if not known:
        return
    with st.expander("Known public sets of nerve scans", icon=":material/public:"):
        st.caption("`python -m nerve_core data add NAME` converts one of them; it says the licence first.")
        st.dataframe(public(known.values()), hide_index=True, height="content")


def known_sets() -> dict[str, Entry]:
    """The known public sets; none, and a sentence on the page, where the list is damaged."""
    try:
        return catalogue()
    except DataError as error:
        st.warning(str(error))
        return {}


def _cited(entries: Sequence[Entry]) -> None:
    """How to cite the sets that are in the catalogue, with their terms in their own words."""
    for entry in entries:
        with st.container(border=True):
            st.markdown(f"**{plain(entry.title)}.** {plain(entry.what)}")
            st.markdown(f"Licence, in its own words: {plain(entry.licence)}")
            st.markdown(f"Cite as: {plain(entry.citation)}")
            if entry.notes:
                st.caption(plain(entry.notes))


def public(entries: Iterable[Entry]) -> pd.DataFrame:
    """The catalogue as a table."""
    return pd.DataFrame(
        {
            "Name": entry.name,
            "Set": entry.title,
            "Images (n)": entry.images,
            "Groups": entry.groups,
            "Licence": entry.licence,
            "Citation": entry.citation,
            "Source": entry.source,
        }
        for entry in entries
    )


def licences(rows: Sequence[Row]) -> pd.DataFrame:
    """Scans and groups by set and licence."""
    scans: Counter[tuple[str, str]] = Counter()
    groups: dict[tuple[str, str], set[str]] = {}
    free: dict[tuple[str, str], bool] = {}
    for row in rows:
        key = row.get("set", ""), row.get("licence", "").strip()
        scans[key] += 1
        groups.setdefault(key, set()).add(row["group"])
        free[key] = is_open(row)
    return pd.DataFrame(
        {
            "Set": name,
            "Licence": licence or NONE,
            "Scans (n)": count,
            "Groups (n)": len(groups[name, licence]),
            "Open weights": "yes" if free[name, licence] else "no",
        }
        for (name, licence), count in scans.most_common()
    )


def sources(rows: Sequence[Row]) -> pd.DataFrame:
    """Where the scans come from: the source up to the file within it."""
    found = Counter(row.get("source", "").split(":", 1)[0].strip() or NONE for row in rows)
    return pd.DataFrame({"Source": source, "Scans (n)": count} for source, count in found.most_common())
