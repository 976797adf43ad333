"""Write docs/benchmark.md from the published results.

python -m benchmarks.benchmark_table
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nerve_core.config import ROOT
from nerve_core.evaluation.methods import known_methods
from nerve_core.evaluation.published import published, published_costs
from nerve_core.evaluation.result_text import COSTS, labelled, markdown
from nerve_core.evaluation.tables import (
    contour_table,
    mean_over_sets,
    pooled_sets,
    robustness_curves,
    unchanged,
    verdict_table,
)

PAGE = ROOT / "docs" / "benchmark.md"

INTRO = """# Every method on the same scans

`python -m nerve_core benchmark run --data DIR` measures, image by image, what its store does not hold yet;
`benchmark publish` writes what the pages and this one show (`benchmarks/results/benchmark-*`), and `python
-m benchmarks.benchmark_table` writes this page. `python -m nerve_core benchmark methods` lists all methods.

Networks are trained alike for a short time and at a small size, stated beside each, so that they compare;
these are not the figures of the shipped weights, which stand beside them (the research weights on every
test scan, the others on as many as n says). Classical methods are fitted on the training groups and tuned
on the validation groups (`python -m benchmarks.classical`). All are scored on groups that none of them
learned from. Intervals are 95 % by resampling groups; p is of a paired Wilcoxon test of group means against
the best of the set, corrected by Holm. Verdicts are on pathology simulated in real scans of healthy nerves:
research use only."""

CONTOURS = (
    "method",
    "n",
    "groups",
    "dice",
    "dice_ci95",
    "iou",
    "hd95_px",
    "nsd",
    "precision",
    "recall",
    "ms",
    "p_best",
)
VERDICTS = ("method", "n", "groups", "accuracy", "recall", "specificity_originals", "specificity_shams",
            "auc", "auc_ci95", "brier", "calibration_slope")  # fmt: skip


def main() -> int:
    """Rewrite the page, whole or not at all."""
    partial = PAGE.with_name(".benchmark.md.partial")
    partial.write_text(page(), encoding="utf-8")
    os.replace(partial, PAGE)
    return 0


def page() -> str:
    """The page, of what is published."""
    parts = [INTRO, *contours(), *verdicts(), *robustness()]
    if costs := published_costs():
        parts += ["## Cost", "On this processor; MACs are multiply-accumulate operations of one scan."]
        parts.append(markdown(COSTS, titled({"method": name, **figures} for name, figures in costs.items())))
    return "\n\n".join(parts) + "\n"


def contours() -> list[str]:
    """Means over sets and a table a set, on the test groups; then the leaky split."""
    frame = published("contours")
    if frame is None:
        return ["Nothing is measured yet."]
    setups = sorted({setup for setup in frame["setup"] if setup})
    frame = labelled(frame)
    parts = ["## Contours", f"Trainings and limits: {'; '.join(setups)}."]
    for prefix, words in (("", "without a click"), ("click_", "with one click inside the largest nerve")):
        lines = contour_table(frame[frame["split"] == "test"], prefix=prefix)
        sets = sorted({line["set"] for line in lines})
        means = mean_over_sets(lines, "dice", sets)
        parts.append(f"### Mean Dice over {', '.join(sets)}, {words}")
        parts.append(markdown(("method", "dice"), titled({"method": k, "dice": v} for k, v in means.items())))
        for name in sets if not prefix else ():
            parts.append(f"### {name}, {words}")
            parts.append(markdown(CONTOURS, titled(line for line in lines if line["set"] == name)))
    return parts + leak(frame)


def leak(frame: Any) -> list[str]:
    """The same training split by image and by group."""
    both = frame[frame["split"].isin(["image", "test"])]
    methods = set(both[both["split"] == "image"]["method"])
    lines = contour_table(both[both["method"].isin(methods)], ("method", "set", "split"))
    if not lines:
        return []
    lines.sort(key=lambda line: (line["method"], line["set"], line["split"]))
    shown = [{**line, "split": "by image" if line["split"] == "image" else "by group"} for line in lines]
    return [
        "### What a split by image does",
        "The same network, trained as long; only the split differs. Split by image, frames of one patient "
        "are on both sides, so the figure is of scans that are nearly those learned from.",
        markdown(("method", "set", "split", "n", "groups", "dice", "dice_ci95"), titled(shown)),
    ]


def verdicts() -> list[str]:
    """All sets together, with and without shams."""
    frame = published("verdict")
    if frame is None:
        return []
    pooled = pooled_sets(labelled(frame))
    return [
        "## Verdict, severity 0.5 and more, all sets together",
        markdown(VERDICTS, titled(verdict_table(pooled))),
        "### The same without sham controls in the test",
        "Shams went through the same machinery without any pathology. Leaving them out flatters a network "
        "that recognises the machinery.",
        markdown(
            tuple(name for name in VERDICTS if name != "specificity_shams"),
            titled(verdict_table(pooled, shams=False)),
        ),
    ]


def robustness() -> list[str]:
    """Loss of Dice at half and full strength of each shift."""
    frame, plain = published("robustness"), published("contours")
    if frame is None or plain is None:
        return []
    import pandas as pd

    same = unchanged(plain, frame)
    curves = robustness_curves(frame if same is None else pd.concat([frame, same.assign(split="none 0")]))
    lines = []
    for method in sorted({line["method"] for line in curves}):
        for shift in sorted({line["shift"] for line in curves}):
            own = {c["strength"]: c for c in curves if (c["method"], c["shift"]) == (method, shift)}
            lines.append(
                {
                    "method": method,
                    "shift": shift,
                    "n": max(one["n"] for one in own.values()),
                    **{f"loss at {strength:g}": one["loss"] for strength, one in sorted(own.items())},
                }
            )
    columns = ("method", "shift", "n", *[name for name in lines[0] if name.startswith("loss")])
    return [
        "## Robustness",
        "Dice lost under shifts of graded strength, mean over sets:",
        markdown(columns, titled(lines)),
    ]


def titled(lines: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Lines with what a method is in place of its name."""
    known = known_methods()
    return [{**line, "method": known.get(line["method"], line["method"])} for line in lines]


if __name__ == "__main__":
    raise SystemExit(main())
