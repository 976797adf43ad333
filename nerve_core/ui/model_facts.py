"""The parts of the page on the model: what it is, what was measured, licences, privacy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from nerve_core.config import ROOT, settings
from nerve_core.ui import words

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor


def in_short(model: Predictor) -> None:
    """Name, device, sites and the limits that matter most."""
    st.markdown(
        f"**{model.name}**, version {model.version}, running on {model.device} with {model.backend}. "
        f"{words.validated_on(model.config.get('sites', []))}"
    )
    st.markdown(
        "- **What affected means here.** No public set of nerve scans with diagnoses exists. The model "
        "learned from scans of healthy nerves into which swelling, flattening, darkening, lost fascicles, a "
        "thick or irregular border were written by a simulation, with control pictures that went through the "
        "same steps without any pathology.\n"
        "- **Never tested on diagnosed patients.** How often it is right on real disease is unknown.\n"
        "- **Site and machine matter.** On a site, nerve or machine it never saw, outlines often fail "
        "without a click. Pointing at the nerve helps everywhere.\n"
        "- **No nerve found** and **not assessable** are never counted as unaffected.\n"
        "- **Sizes** are in mm² only when the file states its scale; otherwise in pixels."
    )


def measured(model: Predictor) -> None:
    """Every figure of metrics.json, one table a group of figures."""
    if not model.metrics:
        st.info("No measurements are stored with these weights.")
        return
    st.markdown("On scans of people and scan groups that were kept out of the training.")
    loose = {name: value for name, value in model.metrics.items() if not isinstance(value, dict | list)}
    if loose:
        _table({"": loose})
    for name, value in model.metrics.items():
        if isinstance(value, dict):
            st.subheader(_words(name), anchor=False)
            nested = {key: each for key, each in value.items() if isinstance(each, dict)}
            flat = {key: each for key, each in value.items() if not isinstance(each, dict)}
            if flat:
                _table({"": flat})
            if nested:
                _table(nested)


def _table(rows: dict[str, dict[str, Any]]) -> None:
    import pandas as pd

    shown = {
        _words(row): {_words(name): _value(value) for name, value in values.items()}
        for row, values in rows.items()
    }
    frame = pd.DataFrame.from_dict(shown, orient="index")
    if list(shown) == [""]:
        frame = frame.T.rename(columns={"": "value"})
    st.dataframe(frame.astype("string"))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: Any) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, bool) or not isinstance(value, int | float | list):
        return str(value)
    if isinstance(value, list):
        return " to ".join(_value(each) for each in value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def licences(model: Predictor) -> None:
    """Licence of the code and of the weights."""
    sets = model.config.get("sets", [])
    if sets:
        st.markdown(f"These weights were trained on: {words.listing([str(each) for each in sets])}.")
    for name in ("NOTICE", "LICENSE"):
        path = ROOT / name
        if path.is_file():
            with st.expander(name.capitalize(), expanded=name == "NOTICE"):
                st.text(path.read_text(encoding="utf-8"))


def privacy() -> None:
    """What happens to scans."""
    st.markdown(
        "- The dashboard answers only this computer unless an administrator opens it.\n"
        "- Scans uploaded on the Diagnose page stay in memory, are seen by your tab alone, and go when it "
        "closes.\n"
        "- No scan, patient name or file name is written to a log. No usage statistics are sent."
    )
    folder = settings().upload_dir
    if folder is None:
        st.markdown("- Scans sent to the REST service are not kept.")
    else:
        st.warning(
            "Scans sent to the REST service are kept in a folder of this installation, as set by its "
            "administrator."
        )
