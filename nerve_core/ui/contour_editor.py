"""The outline editor: points, brush, eraser and live wire in the browser; what is drawn is judged here.

Drawing, undoing and the sizes need no server. The parts of the script are modules that lean on each other as
listed in ``PARTS``; a component takes one script, so they are joined.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from nerve_core.clinical.measure import fine_outline
from nerve_core.imaging.scan import Scan
from nerve_core.inference.contours import MOST
from nerve_core.inference.edited import SMALLEST, ContourError, check_contours
from nerve_core.inference.prediction import Nerve, Prediction
from nerve_core.ui import theme, words
from nerve_core.ui.scan_view import encoded
from nerve_core.ui.session_items import Edit

PARTS = ("shape", "paint", "wire", "state", "draw", "tools", "keys", "sight", "editor")
"""The modules of the script, ``contour_NAME.js``, in the order in which they are joined."""

_HERE = Path(__file__).parent


def script() -> str:
    """The modules as one: without what they import from each other."""
    joined = []
    for part in PARTS:
        text = (_HERE / f"contour_{part}.js").read_text(encoding="utf-8")
        text = re.sub(r"^import [^;]*;\n", "", text, flags=re.MULTILINE)
        joined.append(re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE))
    return "\n".join(joined)


_mount = st.components.v2.component(
    "nerve_core_contour_editor",
    html=(_HERE / "contour_editor.html").read_text(encoding="utf-8"),
    css=(_HERE / "contour_editor.css").read_text(encoding="utf-8"),
    js=script(),
)


def contour_editor(
    scan: Scan,
    model: Prediction,
    judged: Prediction,
    edit: Edit,
    on_edit: Callable[[Edit], None],
    *,
    key: str,
    name: str,
) -> None:
    """Show a scan whose outlines can be changed.

    Args:
        scan: the frame.
        model: what the model said of it.
        judged: the same, or what it says of the outlines drawn.
        edit: where the correction stands.
        on_edit: called with every step: outlines that can be used, or those before with the problem.
        key: unique on the page.
        name: of what is looked at; the browser keeps the steps of each.
    """
    outlines = [fine_outline(model, nerve) for nerve in model.nerves]
    look = hashlib.sha256(b"".join([name.encode(), *(each.tobytes() for each in outlines)])).hexdigest()

    def changed() -> None:
        sent = (st.session_state.get(key) or {}).get("edit")
        if isinstance(sent, dict) and sent.get("look") == look:
            on_edit(accepted(sent, scan, edit))

    shown = outlines if edit.contours is None else edit.contours
    url, url_width = encoded(scan)
    height, width = scan.pixels.shape
    data = {
        "look": look,
        "revision": edit.revision,
        "problem": edit.problem,
        "image": url,
        "image_width": url_width,
        "width": width,
        "height": height,
        "label": f"Ultrasound scan, {width} by {height} px. Tab leads to the points of the outline.",
        "parts": [{"box": list(part.box), "spacing": list(part.spacing_mm)} for part in scan.calibrated],
        "spacing": None if scan.calibrated or scan.spacing_mm is None else list(scan.spacing_mm),
        "model": [_listed(outline) for outline in outlines],
        "nerves": [_listed(outline) for outline in shown],
        "corrected": edit.contours is not None,
        "judged": _judgements(judged, shown),
        "unjudged": {"colour": theme.POINT, "dash": "", "said": ""},
        "mark": theme.POINT,
        "most": MOST,
        "smallest": SMALLEST,
    }
    _mount(key=key, data=data, on_edit_change=changed)


def accepted(sent: dict[str, Any], scan: Scan, before: Edit) -> Edit:
    """The step that the browser sent; where it cannot be used, the outlines before it with the reason."""
    revision, contours = sent.get("revision"), sent.get("contours")
    if not isinstance(revision, int):
        return before
    if contours is None:
        return Edit(revision)
    try:
        return Edit(revision, tuple(check_contours([_array(each) for each in contours], scan)))
    except ContourError as error:
        return Edit(revision, before.contours, str(error))
    except (TypeError, ValueError):
        return Edit(revision, before.contours, "These outlines could not be read: undo the last step.")


def _array(points: Any) -> np.ndarray:
    return np.asarray(points, np.float32).reshape(len(points), -1)


def _listed(outline: np.ndarray) -> list[list[float]]:
    return np.round(np.asarray(outline, np.float64), 3).tolist()


def _judgements(judged: Prediction, shown: Sequence[np.ndarray]) -> list[dict[str, str]]:
    """What is said of each outline, in their order; the numbers are those of the rest of the page."""
    if not judged.edited:
        return [_said(number, nerve) for number, nerve in enumerate(judged.nerves, 1)]
    found = []
    for outline in shown:
        place = next(k for k, nerve in enumerate(judged.nerves) if np.array_equal(nerve.contour, outline))
        found.append(_said(place + 1, judged.nerves[place]))
    return found


def _said(number: int, nerve: Nerve) -> dict[str, str]:
    return {
        "number": str(number),
        "colour": theme.VERDICT_COLOURS[nerve.verdict],
        "dash": theme.VERDICT_DASHES[nerve.verdict],
        "said": f"{words.HEADLINES[nerve.verdict]}, {words.percent(nerve.p_affected)}",
    }
