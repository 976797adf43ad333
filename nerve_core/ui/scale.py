"""The millimetre scale of a scan that states none: two clicks and a known length, or one kept before."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from nerve_core.access.roles import allowed
from nerve_core.clinical import presets
from nerve_core.clinical.presets import Preset
from nerve_core.errors import DataError
from nerve_core.imaging.scan import Scan
from nerve_core.ui import access, words
from nerve_core.ui.session_items import Point, View

SHORTEST = 20.0
"""Least distance of the two ends, px: nearer ones would make every size uncertain by a tenth and more."""


def states_none(scan: Scan) -> bool:
    """Whether the file gives no scale, so that the user may."""
    return scan.spacing_mm is None and not scan.calibrated


def with_ruler(scan: Scan, view: View) -> Scan:
    """The scan with the user's scale where the file states none."""
    if view.mm_per_px is None or not states_none(scan):
        return scan
    return replace(scan, spacing_mm=(view.mm_per_px, view.mm_per_px))


def said(scan: Scan, view: View) -> str:
    """One sentence on the scale of a scan as the user looks at it."""
    if view.mm_per_px is not None:
        return f"Your scale: {view.mm_per_px:.4f} mm a pixel."
    return words.scale(scan)


def clicked(view: View, point: Point) -> None:
    """Take a click as an end of the ruler; the second one ends the asking."""
    view.ruler = (*view.ruler, point)[-2:]
    view.ruling = len(view.ruler) < 2


def distance(view: View) -> float | None:
    """Distance of the ruler's ends, px; None before both are there."""
    if len(view.ruler) < 2:
        return None
    (x, y), (u, v) = view.ruler
    return float(((x - u) ** 2 + (y - v) ** 2) ** 0.5)


def panel(scan: Scan, view: View, key: str) -> None:
    """Set, keep and use a scale; nothing where the file states its own."""
    if not states_none(scan) and view.mm_per_px is None:
        return
    with st.popover("Set the scale", icon=":material/straighten:"):
        st.markdown(
            "Click on the two ends of something of known length, such as the depth marks at the side of the "
            "picture, and say how long it is. Pixels must be square."
        )
        if st.button("Click the two ends now", key=f"ruler-{key}", icon=":material/ads_click:"):
            view.ruling, view.ruler = True, ()
            st.rerun()
        _length(view, key)
        if view.mm_per_px is not None:
            _keep(scan, view, key)
            if st.button("Forget the scale", key=f"ruler-forget-{key}", icon=":material/delete:"):
                view.ruler, view.mm_per_px = (), None
                _unchoose(key)
                st.rerun()
        _kept_before(scan, view, key)
    if view.ruling:
        end = "first" if not view.ruler else "second"
        st.info(f"Click on the {end} end of the known length in the scan.", icon=":material/straighten:")


def _length(view: View, key: str) -> None:
    """The length between the ends, once both are there."""
    between = distance(view)
    if between is None:
        return
    if between < SHORTEST:
        st.warning(f"The two ends are only {between:.0f} px apart; choose a longer distance and click again.")
        return
    length = st.number_input(
        "Length between them, mm", 0.1, 500.0, 10.0, 0.5, key=f"ruler-mm-{key}", format="%.1f"
    )
    st.caption(f"{between:.0f} px = {length:.1f} mm: {length / between:.4f} mm a pixel.")
    if st.button("Use it", key=f"ruler-use-{key}", type="primary"):
        view.mm_per_px = length / between
        st.rerun()


def _kept() -> dict[str, Preset]:
    """Scales of the site's file, and those of this session where nothing may be stored."""
    own: dict[str, Preset] = st.session_state.setdefault("scales", {})
    try:
        return presets.load() | own
    except DataError as error:
        st.warning(str(error), icon=":material/warning:")
        return dict(own)


def _keep(scan: Scan, view: View, key: str) -> None:
    """A name under which the scale is kept for this machine, depth and picture size."""
    height, width = scan.pixels.shape
    name = st.text_input(
        "Keep it for this machine and depth as",
        placeholder="Machine, probe and depth; never a name",
        max_chars=presets.LONGEST,
        key=f"ruler-name-{key}",
        help=f"Holds for pictures of {width} × {height} px. An administrator's is kept for everybody, "
        "another's until this window closes.",
    )
    if not st.button("Keep", key=f"ruler-keep-{key}", disabled=not name.strip()):
        return
    try:
        preset = Preset(name.strip(), float(view.mm_per_px or 0), height, width)
    except DataError as error:
        st.error(str(error), icon=":material/error:")
        return
    if not _for_everybody():
        st.session_state.setdefault("scales", {})[preset.name] = preset
        st.caption(f":material/check: Kept as “{preset.name}” until this window closes.")
        return
    try:
        presets.keep(preset)
        st.caption(f":material/check: Kept as “{preset.name}”.")
    except DataError as error:
        st.session_state.setdefault("scales", {})[preset.name] = preset
        st.warning(f"{error} It is kept until this window closes.", icon=":material/warning:")


def _kept_before(scan: Scan, view: View, key: str) -> None:
    """A choice of the scales kept, those for this size of picture first; another size is refused."""
    kept, size = _kept(), scan.pixels.shape
    if not kept:
        return
    names = sorted(kept, key=lambda name: (kept[name].refusal(*size) is not None, name))
    chosen = st.selectbox(
        "Or use one kept before",
        names,
        index=None,
        format_func=lambda name: f"{name} ({kept[name].width} × {kept[name].height} px)",
        key=f"ruler-kept-{key}",
    )
    if chosen is None:
        return
    if refusal := kept[chosen].refusal(*size):
        st.error(refusal, icon=":material/error:")
    elif st.session_state.get(f"ruler-taken-{key}") != chosen:
        st.session_state[f"ruler-taken-{key}"] = chosen
        view.ruler, view.mm_per_px = (), kept[chosen].mm_per_px
        st.rerun()
    if _for_everybody() or chosen in st.session_state.get("scales", {}):
        st.button(
            "Remove it from the list",
            key=f"ruler-remove-{key}",
            icon=":material/delete:",
            on_click=_remove,
            args=(chosen, key),
        )


def _remove(name: str, key: str) -> None:
    st.session_state.get("scales", {}).pop(name, None)
    _unchoose(key)
    if not _for_everybody():
        return
    try:
        presets.forget(name)
    except DataError as error:
        st.toast(str(error), icon=":material/error:")


def _for_everybody() -> bool:
    """Whether what the actor sets holds for everybody."""
    return allowed(access.actor(), "settings")


def _unchoose(key: str) -> None:
    for name in ("kept", "taken"):
        st.session_state.pop(f"ruler-{name}-{key}", None)
