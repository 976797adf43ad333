"""The little CSS of the Data page."""

from __future__ import annotations

import streamlit as st

_PICTURES = "[class*='st-key-play-']"
_BLOCK, _COLUMN = "[data-testid='stHorizontalBlock']", "[data-testid='stColumn']"

_STYLE = f"""<style>
.st-key-data-set {{ min-width: min(100%, 18rem); }}
@media (max-width: 640px) {{
  .st-key-data-filters [data-testid='stElementContainer']:has([data-testid='stMultiSelect']) {{
    width: calc(50% - 0.5rem) !important; min-width: 0;
  }}
  {_BLOCK}:has({_PICTURES}) {{ flex-wrap: wrap-reverse; }}
  {_PICTURES} {_BLOCK}:has(> {_COLUMN}) {{ flex-wrap: nowrap; gap: 0.4rem; }}
  {_PICTURES} {_COLUMN} {{ min-width: 0; }}
  {_PICTURES} [data-testid='stImageCaption'] {{ line-height: 1.25; }}
}}
</style>"""


def apply() -> None:
    """On a phone, the name of the set on a line of its own and a simulator's pictures before its controls."""
    st.html(_STYLE)


def pictures(name: str) -> str:
    """Key of the container with a simulator's pictures: on a phone it comes before the controls, in one row,
    so that a slider and what it does are seen together."""
    return f"play-{name}"
