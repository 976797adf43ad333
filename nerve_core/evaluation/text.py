"""The figures of an evaluation as a page of text."""

from __future__ import annotations

from typing import Any

from nerve_core.inference.prediction import NOTICE

CONTOURS = (
    ("dice_mean", "Dice", "dice_ci95"),
    ("iou_mean", "IoU", None),
    ("hd95_px", "HD95 (px)", None),
    ("nsd", "surface Dice", None),
    ("detected", "detected", None),
)
VERDICT = (
    ("accuracy", "accuracy", "accuracy_ci95"),
    ("precision", "precision", None),
    ("recall", "sensitivity", "recall_ci95"),
    ("specificity", "specificity", "specificity_ci95"),
    ("f1", "F1", None),
    ("auc", "AUC", "auc_ci95"),
    ("brier", "Brier", "brier_ci95"),
    ("calibration_slope", "calibration slope", None),
)


def as_text(figures: dict[str, Any]) -> str:
    """Readable form of what ``evaluate`` returns; intervals are 95 %, by group."""
    lines = [
        f"{figures['n']} scans in {figures['groups']} groups, {figures['n_contours']} with a true contour"
    ]
    if figures["split"] != "all":
        lines[0] += f", split {figures['split']}"
    if figures["limit"] is not None:
        lines[0] += f", at most {figures['limit']} used"
    if figures["refused"]:
        lines.append(
            f"{figures['refused']} would be refused by the quality gate; contours are scored without it"
        )
    if figures["n_without_mask"]:
        lines.append(
            f"a nerve was reported in {figures['nerve_found_without_mask']} of {figures['n_without_mask']} "
            "scans without a mask"
        )
    lines += _block("Contours", figures, CONTOURS) if figures["n_contours"] else []
    lines += _verdict(figures)
    lines += _pathology(figures["pathology"])
    click = figures["click"]
    if click is not None:
        lines += _block("With one click: contours of all nerves", click, CONTOURS)
        lines += _block("With one click: contour of the nerve pointed at", click["pointed"], CONTOURS)
        lines += _verdict(click, "With one click: ")
    for failed in figures["errors"]:
        lines.append(f"not used: {failed['image']}: {failed['error']}")
    return "\n".join(lines)


def _block(title: str, figures: dict[str, Any], shown: tuple[tuple[str, str, str | None], ...]) -> list[str]:
    return ["", title] + [
        f"  {name:<18} {number(figures[key])}{_interval(figures.get(interval) if interval else None)}"
        for key, name, interval in shown
    ]


def _verdict(figures: dict[str, Any], prefix: str = "") -> list[str]:
    if figures["accuracy"] is None:
        return []
    title = f"{prefix}Verdict on {figures['n_labelled']} labelled scans ({figures['n_affected']} affected)"
    lines = _block(title, figures, VERDICT)
    kept = figures["with_abstention"]
    lines.append(
        f"  leaving out uncertain ones ({1 - kept['coverage']:.1%}): accuracy {number(kept['accuracy'])}, "
        f"sensitivity {number(kept['recall'])}, specificity {number(kept['specificity'])}"
    )
    if figures["n_no_nerve"]:
        lines.append(f"  {figures['n_no_nerve']} without a nerve found, counted as errors")
    return [*lines, f"  {NOTICE}"]


def _pathology(figures: dict[str, Any] | None) -> list[str]:
    if figures is None:
        return []
    headline = figures["headline"]
    lines = ["", f"Simulated pathology of severity ≥ {headline['severity_from']}"]
    for key, name in (
        ("auc", "AUC"),
        ("sensitivity", "sensitivity"),
        ("specificity_originals", "specificity, originals"),
        ("specificity_shams", "specificity, shams"),
    ):
        lines.append(f"  {name:<24} {_rate(headline[key])}")
    lines.append(f"  {'AUC of size alone':<24} {number(headline['size_observer_auc'])}")
    parts = {f"severity {part['from']}–{part['to']}": part for part in figures["by_severity"]}
    for name, part in (parts | figures["by_kind"]).items():
        auc = number(part["auc"]["value"])
        lines.append(f"  {name:<24} {_rate(part['sensitivity'])} sensitivity, AUC {auc}")
    return lines


def number(value: float | None) -> str:
    """Three decimals, or a dash for what is not known."""
    return "–" if value is None else f"{value:.3f}"


def _interval(interval: list[float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:.3f} to {interval[1]:.3f})"


def _rate(part: dict[str, Any]) -> str:
    return f"{number(part['value'])}{_interval(part['ci95'])} n={part['n']}"
