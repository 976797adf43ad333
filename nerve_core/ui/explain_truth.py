"""Is the map true? What was measured of each method on real scans with a change of known extent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from nerve_core.config import settings
from nerve_core.errors import DataError
from nerve_core.explain.methods import DEFAULT, METHODS
from nerve_core.ui import figures, theme
from nerve_core.ui.explain_subject import Subject

KINDS = {
    "rim": "Bright part of the rim",
    "fascicle": "One dark fascicle",
    "dent": "Dent from one side",
    "bulge": "Dark bulge",
}
MEASURE = "python -m benchmarks.explain --data DIR"

Figures = Mapping[str, Any]


def measured(weights: str) -> Figures | None:
    """Figures of these weights on test groups; None where there are none.

    Raises:
        DataError: the file of results is damaged.
    """
    path = settings().results / "explain.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))[weights]["test"]
        return found if found["methods"] else None
    except KeyError:
        return None
    except (OSError, ValueError, TypeError):
        raise DataError(
            f"The results in {path.name} are damaged; write them again with `{MEASURE}`."
        ) from None


def sentence(weights: str, method: str) -> str:
    """How far one method's maps can be trusted, in a sentence."""
    try:
        found = (measured(weights) or {}).get("methods", {}).get(method)
    except DataError as error:
        return str(error)
    if found is None:
        return f"Whether maps of {METHODS[method].title} are true was not measured for these weights."
    return (
        f"Measured on {found['n']} unseen scans with a small change of known place: the brightest place of "
        "this "
        f"map lay on the change in {100 * found['pointing']['value']:.0f} %, and the change was "
        f"{found['density']['value']:.1f} times as bright as the rest of the nerve (1 times: no idea)."
    )


def show(subject: Subject) -> None:
    """Tables, and what they mean."""
    st.markdown(
        "The verdict is pooled from the nerve, so **every** map lies on the nerve, a wrong one too. What "
        "counts is "
        "whether it points at the part that is changed. So a small change was written into part of a nerve "
        "of real "
        "scans that the network had not seen, its pixels known exactly, and each map was held against "
        "them. Only "
        "verdicts that the change turned were explained."
    )
    found = measured(subject.predictor.name)
    if found is None:
        st.info(f"Not measured yet for these weights: `{MEASURE}`.", icon=":material/science:")
        return
    methods = {name: found["methods"][name] for name in METHODS if name in found["methods"]}
    best = methods.get(DEFAULT)
    if best is not None:
        first, second, third = st.columns(3)
        first.metric(
            "Brightest place on the change", f"{100 * best['pointing']['value']:.0f} %", help="Pointing game."
        )
        second.metric(
            "Change over rest of the nerve", f"{best['density']['value']:.1f} ×", help="Heat by area."
        )
        chance = best.get("random_weights")
        if chance:
            third.metric(
                "The same, random weights", f"{chance['density']['value']:.1f} ×", help="1 ×: no idea."
            )
        st.caption(
            f"{METHODS[DEFAULT].title}, the default. n = {best['n']} verdicts of {best['groups']} groups "
            "of scans, "
            "none of them learned from; goals: 90 %, 3 ×, near 1 ×."
        )
    with st.container(key=theme.table_key("explain-methods")):
        st.markdown(_methods(methods) or "")
    st.caption(
        "In brackets 95 % intervals by group. *Brightest place*: on the changed pixels or within 5 % of the "
        "nerve's diameter. *Change undone*: how much of the verdict's change goes when the places with the "
        "most "
        "heat, 5 % to 50 % of the nerve, are given back as they were. *Random weights*: the same method on a "
        "network that has learned nothing."
    )
    if best is not None and best.get("kinds"):
        st.markdown(f"**{METHODS[DEFAULT].title}, by kind of change**")
        with st.container(key=theme.table_key("explain-kinds")):
            st.markdown(_kinds(best["kinds"], found.get("cases", {})) or "")
        st.caption(
            "*Turned*: changes that turned the verdict, of those written. What does not turn the verdict, "
            "such "
            "as one dark fascicle in a nerve that is dark by nature, the network does not see, and no map "
            "can show."
        )


def _methods(methods: Mapping[str, Figures]) -> str | None:
    head = ("Method", "n", "Brightest place on the change", "Change over the rest", "Change undone",
            "Random weights")  # fmt: skip
    rows = []
    for name, one in methods.items():
        chance = one.get("random_weights")
        rows.append(
            (
                METHODS[name].title,
                str(one["n"]),
                _interval(one["pointing"], 100, "%"),
                _interval(one["density"], 1, "×"),
                _interval(one["undone"], 100, "%") if "undone" in one else figures.MISSING,
                figures.MISSING if not chance else f"{chance['density']['value']:.1f} ×",
            )
        )
    return figures.table(head, rows)


def _kinds(kinds: Mapping[str, Figures], cases: Mapping[str, Figures]) -> str | None:
    head = ("Change", "Turned", "Brightest place on it", "Over the rest of the nerve")
    rows = []
    for name, one in kinds.items():
        count = cases.get(name)
        turned = f"{count['turned']} of {count['tried']}" if count else str(one["n"])
        rows.append(
            (
                KINDS.get(name, name),
                turned,
                _interval(one["pointing"], 100, "%"),
                _interval(one["density"], 1, "×"),
            )
        )
    return figures.table(head, rows)


def _interval(figure: Figures, scale: float, unit: str) -> str:
    digits = 0 if scale == 100 else 1
    value, ci95 = figure["value"] * scale, figure.get("ci95")
    text = f"{value:.{digits}f} {unit}"
    return text if not ci95 else f"{text} ({ci95[0] * scale:.{digits}f}–{ci95[1] * scale:.{digits}f})"
