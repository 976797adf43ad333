"""The images of a method by set, site, nerve, size, depth, brightness, device, severity and pathology."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from nerve_core.evaluation.severity import BINS, kinds_of
from nerve_core.ui.metrics_results import column

NOT_STATED = "not stated"
BY = {
    "set": "Set",
    "site": "Site",
    "nerve": "Nerve",
    "size": "Nerve size",
    "depth": "Nerve depth",
    "brightness": "Brightness",
    "device": "Device",
    "severity": "Severity",
    "kind": "Kind of pathology",
}
"""Ways to divide the images."""
THIRDS = {
    "size": (("small", "medium", "large"), 100.0, " % of the picture"),
    "depth": (("shallow", "halfway", "deep"), 100.0, " % of the picture's depth"),
    "brightness": (("dark", "middling", "bright"), 1.0, " grey levels"),
}
"""Figures of a scan that divide the images into thirds: what each is called, its scale and its unit."""
OF_PATHOLOGY = ("severity", "kind")
"""Those that divide the affected alone; each part stands against all the healthy images."""
MEANING = {
    "size": "Thirds of the scans by the share of the picture that the largest nerve takes, as scanned.",
    "depth": "Thirds of the scans by how far down the largest nerve lies; no set states millimetres.",
    "brightness": "Thirds of the scans by the mean grey level of the picture, 0 black to 255 white.",
    "severity": "0.3 is the mildest a sonographer might call, 0.5 a clear case, 1 gross. Affected images of "
    "each step against all healthy images, milder cases too.",
    "kind": "Affected images that show the kind, alone or with others, against all healthy images.",
}


def choose(rows: pd.DataFrame, key: str) -> str:
    """The way to divide the images of a method, chosen on the page; a key of ``BY``."""
    st.subheader("By part", anchor=False)
    known = ways(rows)
    by = st.segmented_control("Divide by", known, format_func=BY.get, default="set", required=True, key=key)
    by = by if by in known else "set"
    if by in MEANING:
        st.caption(MEANING[by])
    return by


def ways(frame: pd.DataFrame) -> list[str]:
    """The ways in which the images of a frame differ; by set always."""
    found = ["set"]
    for by in BY:
        if by in ("site", "nerve", "device"):
            several = frame[by].nunique() > 1
        elif by in THIRDS:
            several = column(frame, by).nunique() > 2
        else:
            affected = column(frame, "label") == 1
            several = bool(affected.any()) and (by == "severity" or frame.loc[affected, by].nunique() > 1)
        if several and by != "set":
            found.append(by)
    return found


def parts(frame: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """Images by the name of their part, in the order in which the parts are read.

    Args:
        frame: of one method.
        by: key of ``BY``. Parts by severity or kind hold every healthy image too.
    """
    if by in THIRDS:
        return _by_thirds(frame, by)
    if by in OF_PATHOLOGY:
        healthy = frame[column(frame, "label") == 0]
        affected = frame[column(frame, "label") == 1]
        found = _by_severity(affected) if by == "severity" else _by_kind(affected)
        return {name: pd.concat([healthy, rows]) for name, rows in found.items()}
    named = frame[by].replace("", NOT_STATED)
    names = sorted(named.unique(), key=lambda name: (name == NOT_STATED, name))
    return {name: frame[named == name] for name in names}


def _by_severity(affected: pd.DataFrame) -> dict[str, pd.DataFrame]:
    severity, found = column(affected, "severity") + 1e-6, {}
    for low, high in BINS:
        inside = (severity >= low) & ((severity < high) | (high == BINS[-1][1]))
        if inside.any():
            found[f"{low:g} to {high:g}"] = affected[inside]
    return found


def _by_kind(affected: pd.DataFrame) -> dict[str, pd.DataFrame]:
    kinds = affected["kind"].map(kinds_of)
    names = sorted({name for each in kinds for name in each})
    return {name.replace("_", " "): affected[[name in each for each in kinds]] for name in names}


def _by_thirds(frame: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    values = as_scanned(frame, by)
    low, high = np.quantile(values.dropna(), [1 / 3, 2 / 3])
    words, scale, unit = THIRDS[by]
    names = (
        f"{words[0]} (below {scale * low:.1f}{unit})",
        f"{words[1]} ({scale * low:.1f} to {scale * high:.1f}{unit})",
        f"{words[2]} (from {scale * high:.1f}{unit})",
    )
    sides: Sequence[pd.Series] = (values < low, (values >= low) & (values < high), values >= high)
    return {name: frame[side] for name, side in zip(names, sides, strict=True) if side.any()}


def as_scanned(frame: pd.DataFrame, name: str) -> pd.Series:
    """A figure of the scan before any pathology was written into it.

    Swelling makes a nerve larger: by its size afterwards, the large third would hold the affected.
    """
    own = column(frame, name)
    if "source_image" not in frame:
        return own
    written = frame["source_image"] != ""  # scans as they are have no other source
    plain = written & (column(frame, "label") == 0) & (column(frame, "sham") != 1)
    if not plain.any():
        return own
    keys = frame["set"] + "\n" + frame["source_image"]
    return keys.map(own[plain].groupby(keys[plain]).first()).where(written).fillna(own)
