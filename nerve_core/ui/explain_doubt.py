"""The tab *How sure*: labels that cannot be ruled out, expected Dice, the area's interval, doubt by pixel."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from nerve_core.config import settings
from nerve_core.inference.prediction import Nerve, Prediction
from nerve_core.ui import verdict, words

if TYPE_CHECKING:
    from nerve_core.explain.doubt import Doubt, NerveDoubt
    from nerve_core.imaging.scan import Scan
    from nerve_core.inference.predictor import Predictor

KEPT = 4
"""Most scans whose looks a session keeps."""
COLOURS = "cividis"
"""Dark blue to yellow: read alike by every common colour vision."""
FULL = 0.3
"""Spread of the looks' probabilities that is drawn as full doubt."""


def show(scan: Scan, prediction: Prediction, predictor: Predictor, click: tuple[float, float] | None) -> None:
    """Everything about how sure the model is of one scan.

    Args:
        scan: what was judged.
        prediction: what was said of it.
        predictor: who said it.
        click: (x, y) px, where the user pointed, or None.
    """
    if not prediction.nerves:
        st.info(
            "No nerve is outlined in this scan, so there is nothing to be sure of; point at the nerve on the "
            "Diagnose page.",
            icon=":material/help:",
        )
        verdict.notice()
        return
    doubt, judged = looks(scan, prediction, predictor, click)
    number = 0
    if len(prediction.nerves) > 1:
        number = st.selectbox(
            "Nerve", range(len(prediction.nerves)), format_func=lambda k: f"Nerve {k + 1}", key="doubt-nerve"
        )
    nerve, own = prediction.nerves[number], judged[number]
    picture, said = st.columns([3, 2], gap="medium")
    with picture:
        _picture(scan, nerve, doubt)
    with said:
        _contour(scan, prediction, predictor, nerve, doubt, own)
        _chance(nerve, own)
    _labels(nerve, predictor)
    verdict.notice()


def looks(
    scan: Scan, prediction: Prediction, predictor: Predictor, click: tuple[float, float] | None
) -> tuple[Doubt, list[NerveDoubt]]:
    """The scan looked at several ways, with a progress bar; kept for the session's last few scans."""
    from nerve_core.explain.doubt import LOOKS, judge_again, look_again, nerve_masks, versions

    digest = hashlib.sha256(scan.pixels.tobytes()).hexdigest()
    key = (digest, scan.region, click, predictor.name, predictor.version, prediction.mask.tobytes())
    kept: dict[Any, Any] = st.session_state.setdefault("doubts", {})
    if key not in kept:
        masks = nerve_masks(prediction)
        steps = LOOKS + len(masks)
        bar = st.progress(0.0, "Looking at the scan in several ways")
        doubt = look_again(predictor, scan, click, lambda done, _: bar.progress(done / steps))
        judged = []
        for mask in masks:
            judged.append(judge_again(predictor, scan, mask, versions(doubt, mask)))
            bar.progress((LOOKS + len(judged)) / steps, "Judging each version of the contour")
        bar.empty()
        kept[key] = doubt, judged
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))
    return kept[key]


def _picture(scan: Scan, nerve: Nerve, doubt: Doubt) -> None:
    from nerve_core.explain.report import overlay
    from nerve_core.ui.explain_picture import bar, framed

    heat = np.clip(doubt.spread / FULL, 0, 1)
    whole = st.toggle("Whole scan", key="doubt-whole")
    picture = overlay(scan.pixels, heat, COLOURS, 0.8)
    mask = (doubt.maps[0] >= 0.5).astype(np.uint8)
    if not mask.any():
        whole = True
    st.image(framed(picture, mask, nerve.contour, whole), width="stretch")
    bar(COLOURS, "looks agree", "looks disagree")
    st.caption(
        f"Where the outline is in doubt: standard deviation of the probability over {len(doubt.maps)} "
        "looks at the same scan (as it is, mirrored, magnified, brighter, darker)."
    )


def _contour(
    scan: Scan,
    prediction: Prediction,
    predictor: Predictor,
    nerve: Nerve,
    doubt: Doubt,
    own: NerveDoubt,
) -> None:
    """Expected Dice and the area's interval, where they are calibrated for these weights."""
    from nerve_core.explain.doubt import area_interval
    from nerve_core.explain.expected_dice import expected_dice, figures_of

    fitted = predictor.config.get("expected_dice")
    if fitted:
        rated = expected_dice(figures_of(prediction, doubt), fitted)
        st.metric("Expected quality of the outline (Dice)", f"{rated:.2f}", border=True)
        if found := _measured(predictor.name).get("expected_dice", {}).get("all"):
            st.caption(
                f"On {found['n']} unseen scans the expectation was {found['error']:.2f} off on average; rank "
                f"correlation with the true Dice {found['spearman']:.2f}. 1 is a perfect outline."
            )
    reach = predictor.config.get("area_reach")
    if reach:
        unit, area = ("px²", nerve.area_px) if nerve.area_mm2 is None else ("mm²", nerve.area_mm2)
        low, high = area_interval(area, own.spread, reach["reach"])
        digits = ".0f" if unit == "px²" else ".1f"
        st.metric("Area", f"{area:,{digits}} {unit}", border=True)
        st.caption(
            f"Between **{low:,{digits}} and {high:,{digits}} {unit}** with {reach['level']:.0%} certainty, "
            "from how far the looks disagree."
        )
    if not fitted and not reach:
        st.info("Expected quality and intervals are not calibrated for these weights.")


def _chance(nerve: Nerve, own: NerveDoubt) -> None:
    low, high = own.chance_range
    st.metric("Probability of looking affected", words.percent(nerve.p_affected), border=True)
    st.caption(
        f"Between **{words.percent(low)} and {words.percent(high)}** when the contour is that of another "
        "look or one of the networks judges alone."
    )
    with st.expander("Each look and network"):
        rows = ["| Changed | Probability |", "|:--|--:|"]
        rows += [f"| {name} | {words.percent(chance)} |" for name, chance in own.chances.items()]
        st.markdown("\n".join(rows))


def _labels(nerve: Nerve, predictor: Predictor) -> None:
    """Labels that cannot be ruled out at a level the user sets, and what such promises were worth."""
    from nerve_core.inference.abstention import Abstention

    rule = Abstention.from_config(predictor.config)
    st.markdown("#### Which verdict can be ruled out")
    if rule is None:
        st.info("The verdict's promise is not calibrated for these weights; read its probability with care.")
        return
    offered = sorted({rule.level, 0.9, 0.95, 0.98} & set(rule.thresholds))
    level = st.segmented_control(
        "How often the truth must be among the answers",
        offered,
        default=rule.level,
        format_func=lambda value: f"{value:.0%}",
        key="doubt-level",
    )
    level = rule.level if level is None else level
    labels = sorted(rule.labels(nerve.p_affected, level))
    told = {
        0: "Neither *affected* nor *unaffected* fits this nerve well: **uncertain**.",
        1: f"Only **{(labels or [''])[0]}** is left.",
        2: "Neither *affected* nor *unaffected* can be ruled out: **uncertain**.",
    }
    st.markdown(told[len(labels)])
    st.caption(f"The verdict on the Diagnose page uses {rule.level:.0%}.")
    measured = _measured(predictor.name).get("conformal")
    if measured:
        rows = ["| Promised | Measured | 95 % interval | Left uncertain | Nerves |", "|--:|--:|:--|--:|--:|"]
        for each in measured:
            found, range_ = each["coverage"], each["coverage"]["ci95"]
            within = "–" if range_ is None else f"{range_[0]:.0%} to {range_[1]:.0%}"
            rows.append(
                f"| {each['promised']:.0%} | {found['value']:.0%} | {within} | "
                f"{each['abstained']['value']:.0%} | {found['n']} |"
            )
        st.markdown("\n".join(rows))
        st.caption("Measured on unseen scans with pathology written in, intervals by patient or scan group.")


def _measured(weights: str) -> dict[str, Any]:
    """Figures of these weights on test groups; empty where there are none or the file is damaged."""
    try:
        text = (settings().results / "trust.json").read_text(encoding="utf-8")
        found = json.loads(text).get(weights)
    except (OSError, ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
