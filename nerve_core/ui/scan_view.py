"""The clickable scan: original beside overlay, with outline/filled switch, opacity and a place to point.

Image and outlines are layered in the browser (``scan_view.js``), so switching them needs no rerun; only
a click comes back. Works with mouse, touch and keyboard.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import streamlit as st

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Nerve, Prediction
from nerve_core.ui import theme

MAX_SHOWN = 1600
"""Longest side, in px, of the picture sent to the browser; larger scans are shown reduced."""

_HERE = Path(__file__).parent

_HTML = """
<div class="view">
  <div class="bar">
    <div class="choice" role="group" aria-label="Overlay">
      <button type="button" data-style="outline">Outline</button>
      <button type="button" data-style="filled">Filled</button>
      <button type="button" data-style="off">Off</button>
    </div>
    <label class="slider">Opacity <input class="opacity" type="range" min="5" max="100" value="45"></label>
    <div class="choice" role="group" aria-label="Layout">
      <button type="button" data-layout="both">Both</button>
      <button type="button" data-layout="single">Overlay only</button>
    </div>
    <label class="truth" hidden><input class="show-truth" type="checkbox"> Simulated truth</label>
    <button type="button" class="clear" hidden>Remove point</button>
  </div>
  <div class="panels">
    <figure>
      <svg class="scan original" tabindex="0" role="application"></svg>
      <figcaption>Original</figcaption>
    </figure>
    <figure>
      <svg class="scan overlay" tabindex="0" role="application"></svg>
      <figcaption>With overlay</figcaption>
    </figure>
  </div>
  <p class="hint" aria-live="polite"></p>
</div>
"""

_mount = st.components.v2.component(
    "nerve_core_scan_view",
    html=_HTML,
    css=(_HERE / "scan_view.css").read_text(encoding="utf-8"),
    js=(_HERE / "scan_view.js").read_text(encoding="utf-8"),
)


def scan_view(
    scan: Scan,
    prediction: Prediction | None,
    *,
    key: str,
    point: tuple[float, float] | None = None,
    on_point: Callable[[tuple[float, float] | None], None] | None = None,
    truth: np.ndarray | None = None,
    region: bool = False,
) -> None:
    """Show a scan with what was found in it.

    Args:
        scan: the frame.
        prediction: its prediction, None to show the scan alone.
        key: unique on the page.
        point: (x, y) px where the user pointed.
        on_point: called with the new point, or None when it is taken away; without it the scan
            cannot be clicked.
        truth: (H, W) true mask of a simulated scan, offered as a dotted outline.
        region: draw the ultrasound region.
    """

    def moved() -> None:
        sent = (st.session_state.get(key) or {}).get("point")
        if on_point is None or not isinstance(sent, dict):
            return
        on_point(_accepted(sent, scan))

    picture, picture_width = encoded(scan)
    height, width = scan.pixels.shape
    data = {
        "image": picture,
        "image_width": picture_width,
        "width": width,
        "height": height,
        "label": f"Ultrasound scan, {width} by {height} px."
        + (" Click on a nerve to point at it." if on_point is not None else ""),
        "clickable": on_point is not None,
        "nerves": [_drawn(number, nerve) for number, nerve in enumerate(prediction.nerves, 1)]
        if prediction
        else [],
        "truth": [] if truth is None else [_path(contour) for contour in _contours(truth)],
        "point": None if point is None else list(point),
        "point_colour": theme.POINT,
        "region": list(scan.region) if region and scan.region else None,
        "region_colour": theme.REGION,
    }
    _mount(key=key, data=data, on_point_change=moved)


def _accepted(sent: dict[str, Any], scan: Scan) -> tuple[float, float] | None:
    """The point the browser sent, kept inside the scan; None for a cleared or malformed one."""
    x, y = sent.get("x"), sent.get("y")
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in (x, y)):
        return None
    height, width = scan.pixels.shape
    return float(min(max(x, 0), width - 1)), float(min(max(y, 0), height - 1))


def encoded(scan: Scan) -> tuple[str, int]:
    """Data URL of the frame and the width, in px, at which it is sent."""
    pixels = scan.pixels
    shrink = MAX_SHOWN / max(pixels.shape)
    if shrink < 1:
        pixels = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    # Level 1 is a fifth of the default's time for a tenth more bytes.
    done, png = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode("ascii"), pixels.shape[1]


def _drawn(number: int, nerve: Nerve) -> dict[str, Any]:
    x, y = nerve.contour[nerve.contour[:, 0].argmax()]
    return {
        "number": str(number),
        "path": _path(nerve.contour),
        "colour": theme.VERDICT_COLOURS[nerve.verdict],
        "dash": theme.VERDICT_DASHES[nerve.verdict],
        "label": [float(x), float(y)],
    }


def _path(contour: np.ndarray) -> str:
    """SVG path of a closed polygon (N, 2), px to one decimal."""
    points = " ".join(f"{x:.1f} {y:.1f}" for x, y in contour)
    return f"M{points}Z"


def _contours(mask: np.ndarray) -> Sequence[np.ndarray]:
    found, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [contour[:, 0, :].astype(np.float32) for contour in found]
