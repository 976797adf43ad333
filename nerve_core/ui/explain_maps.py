"""Where it looks: the map of evidence of one nerve, read in a sentence."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nerve_core.errors import NerveCoreError
from nerve_core.explain import DEFAULT, METHODS, explain
from nerve_core.explain.cams import layers_of
from nerve_core.explain.contour_maps import KINDS, contour_layers, contour_map
from nerve_core.explain.reading import read
from nerve_core.explain.report import COLOUR_MAPS
from nerve_core.ui import explain_picture, explain_subject, explain_truth
from nerve_core.ui.explain_subject import Subject

LAYERS = {
    "mixed": "Mixed features, from which the verdict is pooled (1/4)",
    "fine": "Fine features (1/4 of the crop's side)",
    "finest": "Finest features (1/2)",
    "coarse": "Coarse features (1/8)",
    "last": "Last convolution",
    "first": "First convolution",
}
VIEWS = ("Side by side", "Overlay", "Difference of two methods")


@st.fragment
def show(subject: Subject) -> None:
    """Controls, the map, and what it says."""
    controls, pictures = st.columns([2, 5], gap="large")
    with controls:
        what = st.segmented_control(
            "Explain", ["The verdict", "The outline"], default="The verdict", key="explain-what"
        )
        of_outline = what == "The outline"
        names = list(KINDS) if of_outline else list(METHODS)
        key = "outline" if of_outline else "verdict"
        method, layer = _method(subject, names, key, of_outline)
        towards = "affected"
        if not of_outline:
            towards = st.selectbox(
                "Evidence for",
                ["affected", "unaffected"],
                int(subject.nerve.p_affected < 0.5),
                key=f"explain-towards-{subject.item.id}-{subject.number}",
                help="What speaks for one verdict is another place than what speaks for the other.",
            )
        view = st.selectbox("View", VIEWS, key="explain-view")
        other = None
        if view == VIEWS[2]:
            rest = [name for name in names if name != method]
            other = st.selectbox(
                "Compared with",
                rest,
                format_func=lambda name: METHODS[name].title,
                key=f"explain-other-{key}",
            )
        colours = st.selectbox(
            "Colours", list(COLOUR_MAPS), format_func=COLOUR_MAPS.get, key="explain-colours"
        )
        opacity = st.slider("Opacity of the map", 0.1, 1.0, 0.6, 0.05, key="explain-opacity")
        whole = st.toggle("Whole scan", key="explain-whole")
    with pictures:
        try:
            heat = heat_of(subject, method, layer, towards, of_outline)
            second = None if other is None else heat_of(subject, other, None, towards, of_outline)
        except NerveCoreError as error:
            st.error(str(error), icon=":material/error:")
            return
        _draw(subject, heat, second, view, colours, opacity, whole)
        if second is not None and other is not None:
            explain_picture.bar(explain_picture.DIFFERENCE, METHODS[method].title, METHODS[other].title)
        else:
            explain_picture.bar(colours, "less evidence", "more")
        if of_outline:
            st.markdown("The map shows which parts of the scan made the network draw this outline.")
        else:
            st.markdown(f"**{read(heat, subject.mask, towards).sentence}**")
            st.caption(explain_truth.sentence(subject.predictor.name, method))
        st.caption(f"{METHODS[method].how} Left and right are those of the picture; superficial is up.")


def heat_of(
    subject: Subject, method: str, layer: str | None, towards: str, of_outline: bool = False
) -> np.ndarray:
    """A map of the subject, float32 (H, W), 0 to 1; drawn once a session.

    Raises:
        NerveCoreError: the method does not fit, or the nerve is too small.
    """
    judge = explain_subject.judge(subject.predictor)

    def make() -> np.ndarray:
        with st.spinner(f"Drawing {METHODS[method].title} …", show_time=METHODS[method].slow):
            if of_outline:
                view = subject.view
                return contour_map(
                    judge, subject.scan, subject.mask, method, layer, view.point, view.settings
                )
            return explain(judge, subject.scan.pixels, subject.mask, method, layer, towards).heat

    return explain_subject.kept(subject, ("map", method, layer, towards, of_outline), make)


def _method(subject: Subject, names: list[str], key: str, of_outline: bool) -> tuple[str, str | None]:
    method = st.selectbox(
        "Method",
        names,
        names.index(DEFAULT) if DEFAULT in names else 0,
        format_func=lambda name: METHODS[name].title + (" (takes seconds)" if METHODS[name].slow else ""),
        key=f"explain-method-{key}",
    )
    if not of_outline and not METHODS[method].layer:
        return method, None
    try:
        judge = explain_subject.judge(subject.predictor)
        with judge.lend("contour" if of_outline else "verdict") as network:
            layers = list(contour_layers(network) if of_outline else layers_of(network))
    except NerveCoreError:
        return method, None  # the map itself says what is wrong
    own = METHODS[method].layer
    start = layers.index(own) if own in layers and not of_outline else 0
    layer = st.selectbox(
        "Layer of the network",
        layers,
        start,
        format_func=lambda name: LAYERS.get(name, name.capitalize()),
        key=f"explain-layer-{key}-{method}",
        help="Fine layers show small places, coarse ones whole regions.",
    )
    return method, layer


def _draw(
    subject: Subject,
    heat: np.ndarray,
    second: np.ndarray | None,
    view: str,
    colours: str,
    opacity: float,
    whole: bool,
) -> None:
    mapped = explain_picture.drawn(subject, heat, colours, opacity, whole)
    if view == VIEWS[1]:
        st.image(mapped, caption="Map over the scan, outline in white", width=explain_picture.SIDE)
        return
    left, right = st.columns(2)
    if second is None:
        plain = explain_picture.drawn(subject, None, colours, opacity, whole)
        left.image(plain, caption="Scan, outline in white", width="stretch")
        right.image(mapped, caption="Map over the scan", width="stretch")
        return
    both = explain_picture.difference(subject, heat, second, opacity, whole)
    left.image(mapped, caption="First method", width="stretch")
    right.image(both, caption="Difference: orange the first has more, purple the second", width="stretch")
