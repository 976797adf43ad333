"""A grid of small scans, each a button that opens the scan; mouse, touch and keyboard alike."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from nerve_core.data.manifest import Row
from nerve_core.ui import data_picture, data_scan

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "nerve_core_gallery",
    html='<ul class="gallery"></ul>',
    css=(_HERE / "data_gallery.css").read_text(encoding="utf-8"),
    js=(_HERE / "data_gallery.js").read_text(encoding="utf-8"),
)


def gallery(rows: Sequence[Row], indices: Sequence[int], *, key: str, contour: bool = True) -> None:
    """Show some scans of a set; a click opens one large.

    Args:
        rows: the whole set.
        indices: which of them, in order.
        key: unique on the page.
        contour: draw the contours.
    """
    shown = [rows[index] for index in indices]
    pictures = data_picture.thumbnails(shown, contour)
    tiles = [_tile(row, picture, index) for row, picture, index in zip(shown, pictures, indices, strict=True)]

    def clicked() -> None:
        index = (st.session_state.get(key) or {}).get("open")
        if isinstance(index, int) and 0 <= index < len(rows):
            data_scan.ask_for(rows, index)

    _mount(key=key, data={"tiles": tiles}, on_open_change=clicked)


def _tile(row: Row, picture: bytes | str, index: int) -> dict[str, Any]:
    place = " · ".join(part for part in (row.get("site", ""), row.get("nerve", "")) if part)
    label = row.get("label", "") or "no label"
    name = Path(row["image"]).name
    return {
        "index": index,
        "image": "" if isinstance(picture, str) else _url(picture),
        "problem": picture if isinstance(picture, str) else "",
        "title": place or name,
        "label": label,
        "colour": data_picture.colour(row.get("label", "")),
        "spoken": f"Open {name}: {place or 'place not stated'}, {label}",
    }


def _url(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
