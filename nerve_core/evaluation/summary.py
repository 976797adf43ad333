"""Figures over many scored rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nerve_core.evaluation.bootstrap import mean_ci95
from nerve_core.evaluation.contours import ContourScore
from nerve_core.evaluation.scoring import Answer, Scored
from nerve_core.evaluation.verdicts import verdict_figures

CONTOUR_KEYS = (
    "n",
    "groups",
    "dice_mean",
    "dice_ci95",
    "dice_median",
    "iou_mean",
    "hd95_px",
    "hd95_n",
    "nsd",
    "detected",
)
"""Figures of contours that are kept in files of results."""


def summarise(scored: Sequence[Scored]) -> dict[str, Any]:
    """The figures of ``evaluate`` without a click, by the contract of the command.

    Rows that could not be used are in ``errors`` and in nothing else.
    """
    used = [one for one in scored if one.answer is not None]
    answers = [one.answer for one in used]
    outside = [one.answer for one in used if one.has_nerve is None]
    return {
        "n": len(used),
        "groups": len({one.group for one in used}),
        **contour_figures([answer.contour for answer in answers], used),
        **verdict_summary(used, answers),
        "n_without_mask": len(outside),
        "nerve_found_without_mask": sum(answer.p_affected is not None for answer in outside),
        "refused": sum(one.refused is not None for one in scored),
        "errors": [{"image": one.listed["image"], "error": one.error} for one in scored if one.error],
    }


def summarise_click(scored: Sequence[Scored]) -> dict[str, Any] | None:
    """The same figures with one click inside the largest true nerve; None when no click was made.

    ``dice_mean`` and the figures beside it are of all nerves in the image, as without a click, so that the
    two compare; those of the nerve that was pointed at alone are under ``pointed``.
    """
    used = [one for one in scored if one.click_answer is not None]
    if not used:
        return None
    answers = [one.click_answer for one in used]
    return {
        "n": len(used),
        "groups": len({one.group for one in used}),
        **contour_figures([answer.contour for answer in answers], used),
        "pointed": contour_figures([answer.pointed for answer in answers], used),
        **verdict_summary(used, answers),
    }


def click_figures(scored: Sequence[Scored]) -> dict[str, Any] | None:
    """Contour figures with a click: of all nerves, and under ``pointed`` of the clicked one alone."""
    click = summarise_click(scored)
    if click is None:
        return None
    pointed = {key: value for key, value in click["pointed"].items() if key in CONTOUR_KEYS}
    return {key: click[key] for key in CONTOUR_KEYS} | {"pointed": pointed}


def contour_figures(scores: Sequence[ContourScore | None], rows: Sequence[Scored]) -> dict[str, Any]:
    """Means over the rows with a mask, each None when there is none.

    Returns:
        ``dice_mean, dice_ci95, dice_median, iou_mean, hd95_px`` (mean over the ``hd95_n`` images in which
        both masks show a nerve), ``nsd``, ``detected`` (share of the images with a true nerve in which
        what was found touches it) and ``n_contours``.
    """
    pairs = [(score, row) for score, row in zip(scores, rows, strict=True) if score is not None]
    dice = np.array([score.dice for score, _ in pairs])
    distances = np.array([score.hd95_px for score, _ in pairs])
    distances = distances[~np.isnan(distances)]
    touched = [score.dice > 0 for score, row in pairs if row.has_nerve]

    def mean(values: Sequence[float] | np.ndarray) -> float | None:
        return float(np.mean(values)) if len(values) else None

    return {
        "dice_mean": mean(dice),
        "dice_ci95": mean_ci95(dice, [row.group for _, row in pairs]),
        "dice_median": float(np.median(dice)) if len(dice) else None,
        "iou_mean": mean([score.iou for score, _ in pairs]),
        "hd95_px": mean(distances),
        "hd95_n": len(distances),
        "nsd": mean([score.nsd for score, _ in pairs]),
        "detected": mean(touched),
        "n_contours": len(pairs),
    }


def verdict_summary(rows: Sequence[Scored], answers: Sequence[Answer]) -> dict[str, Any]:
    """``verdict_figures`` of the rows that have a label."""
    labelled = [(row, answer) for row, answer in zip(rows, answers, strict=True) if row.label is not None]
    return verdict_figures(
        labels=[row.label for row, _ in labelled],
        p_affected=[answer.p_affected for _, answer in labelled],
        groups=[row.group for row, _ in labelled],
        uncertain=[answer.uncertain for _, answer in labelled],
    )
