"""The little CSS of the Data page."""

from __future__ import annotations

import streamlit as st

_STYLE = """<style>
[data-testid='stCaptionContainer'], [data-testid='stImageCaption'] { color: var(--st-text-color, inherit); }
[data-testid='stCaptionContainer'] { opacity: 0.85; }
.st-key-data-set { min-width: min(100%, 18rem); }
</style>"""


def apply() -> None:
    """Captions that are read easily, and on a phone the name of the set on a line of its own."""
    st.html(_STYLE)
