"""A grid of pictures that fits itself to the width: many on a wide screen, three on a phone."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st

_STYLE = """<style>
.pictures { display: grid; gap: 0.75rem; margin: 0;
  grid-template-columns: repeat(auto-fill, minmax(min(30%, 11rem), 1fr)); }
.pictures figure { margin: 0; min-width: 0; }
.pictures img { display: block; width: 100%; border-radius: 0.3rem; background: #000; }
.pictures figcaption { font-size: 0.8rem; line-height: 1.35; padding-top: 0.25rem; }
</style>"""


def grid(pictures: Sequence[tuple[np.ndarray, str]]) -> None:
    """Show pictures with a line below each.

    Args:
        pictures: (uint8 (H, W, 3) RGB or (H, W) grey, words) each.
    """
    figures = "".join(
        f'<figure><img src="{data_url(picture)}" alt="{html.escape(words, quote=True)}">'
        f"<figcaption>{html.escape(words)}</figcaption></figure>"
        for picture, words in pictures
    )
    st.html(f'{_STYLE}<div class="pictures">{figures}</div>')


def data_url(picture: np.ndarray) -> str:
    """A picture as a ``data:`` address, JPEG of quality 88."""
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(coded.tobytes()).decode("ascii")
