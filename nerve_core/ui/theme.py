"""The colours that carry meaning, defined once, and the little CSS the pages need.

Colours are from the palette of Okabe and Ito (2008), which stays apart for every common colour
vision; the outline's dash and the words beside it say the same again without colour.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from nerve_core.inference.prediction import AFFECTED, NO_NERVE, NOT_ASSESSABLE, UNAFFECTED, UNCERTAIN

ICON = Path(__file__).parent / "icon.png"
"""A nerve in cross-section; a file of our own, because Streamlit fetches named icons from the internet."""

POINT = "#CC79A7"
"""Reddish purple: where the user points."""

REGION = "#FFFFFF"
"""White: the rectangle in which the model looks."""

VERDICT_COLOURS: dict[str, str] = {
    AFFECTED: "#D55E00",
    UNAFFECTED: "#56B4E9",
    UNCERTAIN: "#F0E442",
    NO_NERVE: "#7F8C96",
    NOT_ASSESSABLE: "#7F8C96",
}
"""Vermilion, sky blue, yellow; grey where there is no judgement."""

VERDICT_DASHES: dict[str, str] = {AFFECTED: "", UNAFFECTED: "", UNCERTAIN: "7 4"}
"""SVG dash pattern of a nerve's outline by verdict."""

VERDICT_ICONS: dict[str, str] = {
    AFFECTED: ":material/error:",
    UNAFFECTED: ":material/check_circle:",
    UNCERTAIN: ":material/help:",
    NO_NERVE: ":material/search_off:",
    NOT_ASSESSABLE: ":material/block:",
}


def rgb(colour: str) -> tuple[int, int, int]:
    """(red, green, blue), 0 to 255, of a ``#RRGGBB`` colour."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def card_key(verdict: str) -> str:
    """Container key that gives a verdict's card its coloured edge."""
    return "verdict-" + verdict.replace(" ", "-")


def table_key(name: str) -> str:
    """Container key under which a wide table scrolls sideways instead of widening the page."""
    return "table-" + name.lower().replace(" ", "-")


def apply() -> None:
    """Put the shared CSS on the page; call once a run, from the main script."""
    edges = "".join(
        f".st-key-{card_key(verdict)} {{ border-left: 0.5rem solid {colour}; }}"
        for verdict, colour in VERDICT_COLOURS.items()
    )
    st.html(
        "<style>"
        f"{edges}"
        ".block-container { max-width: 1500px; padding-top: 4.5rem; padding-bottom: 3rem; }"
        "[class*='st-key-verdict-'] h3 { padding: 0; }"
        # Streamlit's own grey of small print is too pale for tired eyes and old screens.
        "[data-testid='stCaptionContainer'], [data-testid='stImageCaption']"
        " { color: inherit; opacity: 0.85; }"
        "[class*='st-key-table-'] {"
        " table { display: block; overflow-x: auto; width: fit-content; max-width: 100%; }"
        " :is(th, td) { white-space: nowrap; padding: 0.4rem 0.6rem; }"
        " @media (max-width: 480px) { :is(th, td) { padding: 0.3rem; font-size: 0.8rem; } }"
        "}"
        "</style>"
    )
