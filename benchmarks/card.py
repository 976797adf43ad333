"""Write ``checkpoints/NAME/card.md`` from its ``config.json`` and ``metrics.json``.

    python -m benchmarks.card

Every figure is read from the files; what is known of the sets stands in ``SOURCES``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.readme_tables import contours, rate, table, verdict
from nerve_core.config import settings

SOURCES = {
    "usgra": (
        "healthy volunteers; neck, axilla, elbow, groin and popliteal regions, not told apart; Mindray TE7",
        "Kandaouroff T. (tmkand), usgra-seg, 2025. Converted to grey.",
    ),
    "femoral": (
        "femoral nerve block; the contour is the block's target region, looser than the nerve",
        "Huang et al., Ann Transl Med 2019, doi:10.21037/atm.2019.08.61.",
    ),
    "ubpd": ("brachial plexus, two machines", "Ding et al., UBPD, 2022; published for research."),
    "translated": (
        "phantoms made to look real by a network that learned from usgra and femoral",
        "python -m nerve_core generate, method one-sided.",
    ),
    "kaggle": (
        "brachial plexus; contours known to differ between near-identical frames",
        "Ultrasound Nerve Segmentation, Kaggle, 2016.",
    ),
    "phantoms": ("phantoms of every site, for contours alone", "`python -m nerve_core data phantoms`"),
}
"""What the sets show, and where they are from."""

TERMS = {
    "research": "Research use only: some sets allow nothing else. No clinical and no commercial use.",
    "open": "Learned from openly licensed sets alone: CC BY 4.0, with the attributions below. For research "
    "use only all the same, because it was never tested on diagnosed patients.",
}


def main() -> int:
    """Write the card of every checkpoint, each whole or not at all."""
    for config in sorted(settings().checkpoints.glob("*/config.json")):
        partial = config.with_name(".card.md.partial")
        partial.write_text(card(config.parent), encoding="utf-8")
        os.replace(partial, config.with_name("card.md"))
        print(config.with_name("card.md"))
    return 0


def card(folder: Path) -> str:
    """The card in Markdown."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    parts = [
        f"# Weights `{config['name']}` {config['version']}",
        TERMS.get(config["name"], "Research use only; the licences of the sets below apply."),
        "**Learned from simulated pathology on healthy nerves; never tested on diagnosed patients; "
        "research use only, not a medical device.**",
        "## What it is",
        f"An attention U-Net (`{config['architecture']}`, input {config['input_size']} px: scan and click) "
        f"draws the contours. {_judges(config)} from a crop, with features pooled over nerve, rim and the "
        "tissue around. All encoders start from ImageNet.",
        "## What it learned from",
        table(
            ("set", "what", "learned from / chosen by / kept out", "licence", "source"),
            [_set_row(one) for one in config["sets"]],
        ),
        "Split by patient where patients are known, else in contiguous blocks of scan groups. Only usgra "
        "is known to be of healthy volunteers; nerves of the other sets are presumed unaffected.",
        "## What affected means",
        "Swelling, compression, hypoechogenicity, loss of the fascicular pattern, thickening or brightening "
        "of the epineurium and irregular outline were written into one nerve of a scan by a model of what "
        "sonographers look for, at severity 0.3 (mild) to 1 (gross). Shams went through the same machinery "
        "with no pathology.",
        "## How well it does",
        *([config["chosen_on"]] if config.get("chosen_on") else []),
        *_figures(metrics),
        *_calibration(config),
        "## Where not to trust it",
        f"- Contours were validated at: {', '.join(config['sites']) or 'no named site'}. Elsewhere point at "
        "the nerve, and judge the outline first.\n"
        "- On a machine, site or nerve it never saw, contours without a click often fail.\n"
        "- Mild cases are missed more often than the headline says: see sensitivity by severity.\n"
        "- *No nerve found* says nothing about the nerve." + _leak(metrics),
    ]
    return "\n\n".join(parts) + "\n"


def _judges(config: Mapping[str, Any]) -> str:
    if config.get("verdict_architecture") == "nerve_pooled_pair":
        return "Two more with the same encoder, trained apart, judge each nerve together (mean logit)"
    return "A second network with the same encoder judges each nerve"


def _calibration(config: Mapping[str, Any]) -> list[str]:
    """What the probabilities were worth on validation groups held out of their calibration."""
    fitted = config.get("calibration") or {}
    found = fitted.get("cross_fitted")
    if not found or found["slope"] is None:
        return []
    return [
        f"Probabilities are calibrated on {fitted['n']} nerves of {fitted['groups']} validation groups. "
        "Fitted on four fifths of the groups and tried on the rest in turn, the calibration slope is "
        f"{found['slope']:.2f} (1: as sure as right), the intercept {found['intercept']:.2f} (0: neither "
        f"too often affected nor too seldom) and the mean error {100 * found['error']:.1f} percentage points."
    ]


def _leak(metrics: Mapping[str, Any]) -> str:
    """What a classifier that sees nothing but fine speckle can tell: the traces of the simulation."""
    leak = metrics.get("speckle_leak") or {}
    found = (leak.get("sigma_1.0_px") or {}).get("affected_vs_rest")
    if not found:
        return ""
    return (
        "\n- The simulation leaves traces. Shown only the fine speckle around a nerve, a small network tells "
        f"affected from unaffected with AUC {found['network']['auc']:.2f} and texture features with "
        f"{found['texture']['auc']:.2f} (0.5: none; the goal is below 0.6). Part of what the verdict reads "
        "may be the simulation and not the pathology, so expect less on real disease."
    )


def _set_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    what, source = SOURCES.get(one["set"], ("", ""))
    return one["set"], what, f"{one['train']} / {one['val']} / {one['test']}", one["licence"], source


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    if not metrics.get("contours"):
        return ["Not measured yet."]
    parts = [
        f"Measured by `{metrics['regenerate']}` on groups kept out of the training; 95 % intervals by group.",
        contours(metrics),
    ]
    if metrics.get("verdict"):
        parts += ["Verdict at severity 0.5 and more, without abstention:", verdict(metrics)]
        everything = metrics["verdict"].get("all") or {}
        parts += [_by_severity(everything), _by_kind(everything)]
    return [part for part in parts if part]


def _by_severity(figures: Mapping[str, Any]) -> str:
    rows = [
        (f"{one['from']} to {one['to']}", str(one["sensitivity"]["n"]), rate(one["sensitivity"]))
        for one in figures.get("by_severity", [])
    ]
    return table(("severity", "scans", "sensitivity"), rows) if rows else ""


def _by_kind(figures: Mapping[str, Any]) -> str:
    rows = [
        (name.replace("_", " "), str(one["sensitivity"]["n"]), rate(one["sensitivity"]))
        for name, one in figures.get("by_kind", {}).items()
    ]
    return table(("kind, alone or with others", "scans", "sensitivity"), rows) if rows else ""


if __name__ == "__main__":
    raise SystemExit(main())
