"""The weights in short: outlines, verdict, and the claims of the thesis beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from nerve_core.evaluation.tables import CLEAR, contour_table
from nerve_core.evaluation.verdicts import THRESHOLD
from nerve_core.ui import metrics_results as results
from nerve_core.ui import metrics_table
from nerve_core.ui.metrics_numbers import Cases, at_threshold, cases_of, mean_of_sets, ranking
from nerve_core.ui.metrics_table import SCANS, Column


@dataclass(frozen=True)
class Claim:
    """One figure of the thesis: ``key`` of ours, what it is called, what it means, and what is claimed."""

    key: str
    name: str
    meaning: str
    claimed: float


CLAIMS = (
    Claim("accuracy", "Accuracy", "share of all images that are called right", 0.945),
    Claim("auc", "AUC", "how well affected are ranked above healthy: 0.5 chance, 1 perfect", 0.97),
    Claim("precision", "Precision", "share of the images called affected that are affected", 0.928),
    Claim("recall", "Recall (sensitivity)", "share of the affected that are found", 0.906),
    Claim("f1", "F1", "precision and recall in one figure", 0.917),
)
CLAIMED_MS = 22
THEIRS = (
    "**The thesis’ claims** are its own figures on images of its own patients. Neither the images nor their "
    "diagnoses are published, so nobody can check them; its time is of a GPU."
)
OURS = (
    f"**Measured here:** pathology of severity {CLEAR:g} and more, simulated in real scans of patients and "
    "scan groups that were kept out of the training, against the same scans as they are and against controls "
    "that went through the simulation without any pathology. Affected means simulated: no diagnosed patient "
    "is among them. The two columns are therefore of different things, and neither confirms nor refutes the "
    "other."
)
OUTLINES = (
    Column("set", "Scan set"),
    *SCANS,
    Column("dice", "Dice, no click"),
    Column("click_dice", "Dice, one click"),
)


def show(method: str, contours: pd.DataFrame | None, verdict: pd.DataFrame | None) -> None:
    """The four figures to remember, the verdict beside the claims, the outlines by set."""
    if contours is None and verdict is None:
        results.empty()
        st.page_link("pages/about.py", label="Figures stored with the weights", icon=":material/fact_check:")
    lines = outline_lines(contours) if contours is not None else []
    cases = cases_of(verdict, CLEAR, shams=True) if verdict is not None else None
    figures = _verdict(cases, results.mark("verdict"), method) if cases is not None and cases.both else {}
    _cards(lines, figures)
    st.subheader("Verdict, and what the thesis claims", anchor=False)
    if verdict is None and contours is not None:
        st.caption("No verdict is measured for this method.")
    claims = claim_lines(figures, _time(contours))
    columns = [
        Column("figure", "Figure"),
        Column("claimed", "Thesis claims", 3),
        Column("value", "Measured here (95 % CI)", 3),
        *SCANS,
        Column("meaning", "In words"),
    ]
    metrics_table.show("claims", columns, claims)
    st.markdown(f"- {THEIRS}\n- {OURS}")
    if not lines:
        return
    st.subheader("Outlines", anchor=False)
    metrics_table.show("outlines", OUTLINES, lines)
    st.caption(
        "Dice: overlap with the outline drawn by hand, 0 none to 1 the same; the 95 % interval in brackets. "
        "One click: the thickest point of the largest nerve was given. Published, two experts agree with "
        "each other to 0.48 over nerve-block regions and to 0.92 at the wrist."
    )


def outline_lines(contours: pd.DataFrame) -> list[dict[str, Any]]:
    """A line a set, then the mean of the sets: ``set, n, groups``, ``dice`` and ``click_dice`` with 95 %."""
    clicked = {line["set"]: line for line in contour_table(contours, prefix="click_")}
    lines = []
    for line in contour_table(contours):
        other = clicked.get(line["set"], {})
        kept = {key: line[key] for key in ("set", "n", "groups", "dice", "dice_ci95")}
        lines.append(kept | {f"click_{key}": other.get(key) for key in ("dice", "dice_ci95")})
    if len(lines) > 1:
        lines.append(
            {**(mean_of_sets(contours, "click_dice") or {}), **(mean_of_sets(contours, "dice") or {})}
        )
    return lines


@st.cache_data(max_entries=8, show_spinner=False)
def _verdict(_cases: Cases, changed: int, method: str) -> dict[str, Any]:
    return headline(_cases)


def headline(cases: Cases) -> dict[str, Any]:
    """Every figure of the verdict without abstention, its interval, ``n`` and ``groups``; ``sham`` too."""
    auc, auc_ci95 = ranking(cases)
    controls = cases.sham
    sham = Cases(cases.p[controls], cases.labels[controls], cases.groups[controls], cases.sham[controls])
    right = at_threshold(sham, THRESHOLD).figures
    return {
        **at_threshold(cases, THRESHOLD).figures,
        "auc": auc,
        "auc_ci95": auc_ci95,
        "sham": right["specificity"],
        "sham_ci95": right["specificity_ci95"],
        "n": len(cases.labels),
        "groups": len(set(cases.groups)),
    }


def claim_lines(figures: dict[str, Any], milliseconds: float | None) -> list[dict[str, Any]]:
    """The thesis' claims, each with the figure measured here, None where there is none."""
    lines: list[dict[str, Any]] = []
    for claim in CLAIMS:
        lines.append(
            {
                "figure": claim.name,
                "claimed": claim.claimed,
                "value": figures.get(claim.key),
                "value_ci95": figures.get(f"{claim.key}_ci95"),
                "n": figures.get("n"),
                "groups": figures.get("groups"),
                "meaning": claim.meaning,
            }
        )
    lines.append(
        {
            "figure": "Time a scan",
            "claimed": f"{CLAIMED_MS} ms, GPU",
            "value": None if milliseconds is None else f"{milliseconds:.0f} ms",
            "meaning": "median of the benchmark; timed alone on “Model and limits”",
        }
    )
    return lines


def _time(contours: pd.DataFrame | None) -> float | None:
    times = None if contours is None else results.column(contours, "ms").dropna()
    return None if times is None or not len(times) else float(times.median())


def _cards(lines: Sequence[dict[str, Any]], figures: dict[str, Any]) -> None:
    last: dict[str, Any] = lines[-1] if lines else {}
    over = "mean of sets" if len(lines) > 1 else str(last.get("set", ""))
    cards = (
        (f"Outline, no click (Dice, {over})", last.get("dice"), last.get("dice_ci95")),
        ("Outline, one click (Dice)", last.get("click_dice"), last.get("click_dice_ci95")),
        ("Affected against healthy (AUC)", figures.get("auc"), figures.get("auc_ci95")),
        ("Controls called healthy", figures.get("sham"), figures.get("sham_ci95")),
    )
    with st.container(horizontal=True):
        for name, value, ci95 in cards:
            if value is not None:
                st.metric(
                    name,
                    f"{value:.2f}",
                    f"95 % CI {ci95[0]:.2f}–{ci95[1]:.2f}" if ci95 else None,
                    delta_color="off",
                    delta_arrow="off",
                    border=True,
                )
    counts = [
        f"{what}: n = {found['n']:,} images of {found['groups']:,} groups (patients or scan groups)"
        for what, found in (("Outlines", last), ("Verdict", figures))
        if found
    ]
    if counts:
        st.caption(
            "; ".join(counts) + ". CI: the interval that holds the true figure in 95 of 100 such tests."
        )
