"""What the thesis claims of each kind of method, beside what was measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from nerve_core.ui import metrics_headline
from nerve_core.ui.compare_results import bare


@dataclass(frozen=True)
class Claim:
    """One line of the thesis' comparison.

    Attributes:
        method: as the thesis calls it.
        accuracy: share of right verdicts it claims, 0 to 1; None where it gives none.
        ms: time it claims, ms; None where it gives none.
        like: methods of the benchmark of that kind; the best of them stands beside the claim.
    """

    method: str
    accuracy: float | None
    ms: float | None
    like: tuple[str, ...]


_OWN = next(claim.claimed for claim in metrics_headline.CLAIMS if claim.key == "accuracy")

CLAIMS = (
    Claim("Thresholding", 0.65, None, ("threshold", "otsu", "adaptive")),
    Claim("Edge detection", 0.70, None, ("sobel", "prewitt", "canny")),
    Claim("SVM", 0.80, 75.0, ("svm", "verdict:svm_texture", "verdict:svm_deep")),
    Claim("Random Forest", 0.83, None, ("forest", "verdict:forest_texture", "verdict:forest_deep")),
    Claim("U-Net", None, 35.0, ("unet", "unet_full")),
    Claim("ResNet", None, 42.0, ("unet_resnet18", "fcn_resnet18")),
    Claim("Its own network", _OWN, float(metrics_headline.CLAIMED_MS), ("weights:research", "weights:open")),
)
"""Of the thesis; its times are of a GPU."""


def show(contours: Sequence[Mapping[str, Any]], verdicts: Sequence[Mapping[str, Any]]) -> None:
    """Claims and measured figures side by side, with what each was measured on.

    Args:
        contours: means over sets, as :func:`nerve_core.ui.compare_results.mean_lines` gives them.
        verdicts: of all sets together.
    """
    st.markdown(
        "The thesis that this program takes up **claims** the figures in the first three columns. They "
        "cannot be checked: its scans, labels and splits are not published. Those beside them were measured "
        "here, on other scans: accuracy of verdicts on **simulated** pathology and shams, Dice of outlines "
        "drawn by hand. They stand together to be read, not to be subtracted."
    )
    st.dataframe(
        table(contours, verdicts),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "Claimed accuracy, %": st.column_config.NumberColumn(format="%.1f"),
            "Claimed time, ms": st.column_config.NumberColumn(
                format="%.0f", help="The thesis measured on a GPU."
            ),
            "Accuracy here, %": st.column_config.NumberColumn(
                format="%.1f", help="Simulated pathology of severity 0.5 and above, originals and shams."
            ),
            "Dice here": st.column_config.NumberColumn(
                format="%.2f", help="Mean over the sets, unseen groups, no click."
            ),
            "Time here, ms": st.column_config.NumberColumn(
                format="%.0f", help="A scan on the processor of the benchmark's machine."
            ),
        },
        alt="The thesis' claimed figures beside those measured here",
    )


def table(contours: Sequence[Mapping[str, Any]], verdicts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A line a claim; of several methods of a kind the best stands for all."""
    rows = []
    for claim in CLAIMS:
        outline = _best(claim, contours, "dice")
        verdict = _best(claim, verdicts, "accuracy")
        rows.append(
            {
                "Method": claim.method,
                "Claimed accuracy, %": _percent(claim.accuracy),
                "Claimed time, ms": claim.ms,
                "Accuracy here, %": _percent(verdict.get("accuracy")),
                "Dice here": outline.get("dice"),
                "Time here, ms": outline.get("ms"),
                "Measured here with": ", ".join(
                    dict.fromkeys(line["method"] for line in (verdict, outline) if line)
                ),
            }
        )
    numbers = ["Claimed accuracy, %", "Claimed time, ms", "Accuracy here, %", "Dice here", "Time here, ms"]
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _best(claim: Claim, lines: Sequence[Mapping[str, Any]], metric: str) -> Mapping[str, Any]:
    own = [line for line in lines if bare(line["method"]) in claim.like and line.get(metric) is not None]
    return max(own, key=lambda line: line[metric], default={})
