"""Tables of methods from a results store: means with intervals by group, paired tests against the best."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nerve_core.evaluation.bootstrap import mean_ci95
from nerve_core.evaluation.verdicts import verdict_figures

if TYPE_CHECKING:
    import pandas as pd

ALL = "mean of sets"
"""Name of the column that weighs every set alike, however many scans it has."""

CONTOUR_METRICS = ("dice", "iou", "nsd", "hd95_px", "precision", "recall")
CLEAR = 0.5
"""Severity from which a case enters the verdict's table."""


def contour_table(
    frame: pd.DataFrame, by: Sequence[str] = ("method", "set"), prefix: str = ""
) -> list[dict[str, Any]]:
    """One line for each method and set, the best method by mean Dice of each set first.

    Args:
        frame: ``ResultsStore.frame("contours")``; several seeds or folds of a method are pooled by image.
        by: columns that make a line; the first is compared, the others hold one comparison each.
        prefix: ``""`` without a click, ``click_`` with one, ``pointed_`` for the clicked nerve alone.

    Returns:
        ``by``, ``n, groups``, a mean of each of ``CONTOUR_METRICS``, ``dice_ci95`` (95 %, by group),
        ``detected``, ``ms``, ``best`` and ``p_best``: the two-sided Wilcoxon signed-rank test of the groups'
        mean Dice against the best method on the scans both have, corrected by Holm (1979) within the table;
        None for the best itself and where there are fewer than six groups.
    """
    lines: list[dict[str, Any]] = []
    dice = f"{prefix}dice"
    frame = frame[frame[dice].notna()] if dice in frame else frame[:0]
    for rest, part in _parts(frame, by[1:]):
        own = [
            _contour_line(dict(zip(by, (method, *rest), strict=True)), group, prefix)
            for method, group in part.groupby(by[0], sort=False)
        ]
        own.sort(key=lambda line: -line["dice"])
        best = part[part[by[0]] == own[0][by[0]]]
        for line in own:
            line["best"] = line is own[0]
            line["p_best"] = None if line["best"] else paired_p(part[part[by[0]] == line[by[0]]], best, dice)
        lines += own
    _holm(lines)
    return lines


def _parts(frame: pd.DataFrame, columns: Sequence[str]) -> Iterable[tuple[tuple[Any, ...], pd.DataFrame]]:
    return frame.groupby(list(columns), sort=True) if columns else [((), frame)] if len(frame) else []


def _contour_line(names: Mapping[str, Any], rows: pd.DataFrame, prefix: str) -> dict[str, Any]:
    groups = rows["group"].tolist()
    found = rows[f"{prefix}dice"] > 0
    seen = rows["has_nerve"] == 1
    return {
        **names,
        "n": len(rows),
        "groups": len(set(groups)),
        **{name: _mean(rows.get(f"{prefix}{name}")) for name in CONTOUR_METRICS},
        "dice_ci95": mean_ci95(rows[f"{prefix}dice"].to_numpy(), groups),
        "detected": _mean(found[seen]),
        "ms": None if prefix == "pointed_" else _median(rows.get(f"{prefix}ms")),
    }


def paired_p(one: pd.DataFrame, other: pd.DataFrame, metric: str) -> float | None:
    """Two-sided p of a paired Wilcoxon signed-rank test on group means; None with fewer than six groups.

    Frames of a patient are not independent, so each group counts once, by its mean over the images both have.
    """
    from scipy.stats import wilcoxon

    keys = ["set", "image", "frame"]
    means = [part.groupby([*keys, "group"])[metric].mean() for part in (one, other)]
    both = means[0].to_frame("one").join(means[1].to_frame("other"), how="inner")
    gap = (both["one"] - both["other"]).groupby(["set", "group"]).mean().to_numpy()
    if len(gap) < 6:
        return None
    return 1.0 if not np.abs(gap).max() > 1e-9 else float(wilcoxon(gap).pvalue)


def _holm(lines: Sequence[dict[str, Any]]) -> None:
    """Correct ``p_best`` of all lines for their number, in place."""
    tested = sorted((line for line in lines if line["p_best"] is not None), key=lambda line: line["p_best"])
    largest = 0.0
    for rank, line in enumerate(tested):
        largest = max(largest, min(1.0, line["p_best"] * (len(tested) - rank)))
        line["p_best"] = largest


def verdict_table(
    frame: pd.DataFrame, by: Sequence[str] = ("method", "set"), severity: float = CLEAR, shams: bool = True
) -> list[dict[str, Any]]:
    """One line for each method and set: the verdict on cases of at least ``severity`` against healthy scans.

    Args:
        frame: ``ResultsStore.frame("verdict")``.
        by: columns that make a line.
        severity: milder cases are left out.
        shams: whether shams count among the healthy; without them the figures look better than they are.

    Returns:
        ``by``, ``n``, ``groups``, the figures of :func:`nerve_core.evaluation.verdicts.verdict_figures`
        without abstention, and ``specificity_originals``, ``specificity_shams``.
    """
    lines = []
    if "label" not in frame:
        return lines
    kept = frame[(frame["label"] == 0) | (frame["severity"] >= severity)]
    kept = kept if shams else kept[kept["sham"] != 1]
    for names, rows in _parts(kept, by):
        chances = [None if value != value else float(value) for value in rows["p_affected"]]
        figures = verdict_figures(
            labels=rows["label"].astype(int).tolist(),
            p_affected=chances,
            groups=(rows["set"] + "/" + rows["group"]).tolist(),
            uncertain=[False] * len(rows),
        )
        figures.pop("with_abstention", None)
        right = rows["p_affected"] < 0.5  # an image without a nerve (NaN) is never right
        sham = rows["sham"] == 1
        healthy = rows["label"] == 0
        lines.append(
            {
                **dict(zip(by, names if isinstance(names, tuple) else (names,), strict=True)),
                "n": len(rows),
                "groups": int((rows["set"] + rows["group"]).nunique()),
                **figures,
                "specificity_originals": _mean(right[healthy & ~sham]),
                "specificity_shams": _mean(right[healthy & sham]),
            }
        )
    return sorted(lines, key=lambda line: (*(line[name] for name in by[1:]), -(line["auc"] or 0.0)))


def pooled_sets(frame: pd.DataFrame) -> pd.DataFrame:
    """All sets as one named ``all``, groups told apart by their set."""
    return frame.assign(set="all", group=frame["set"] + "/" + frame["group"])


def unchanged(contours: pd.DataFrame, shifted: pd.DataFrame) -> pd.DataFrame | None:
    """Of the scans that were shifted, the lines of the same methods and setups on the scans as they are.

    Args:
        contours, shifted: frames of the two tasks.

    Returns:
        Lines of ``contours``; None where no method has them.
    """
    import pandas as pd

    contours = contours[(contours["split"] == "test") & contours["dice"].notna()]
    # A sweep is shifted by its first frame alone.
    contours = contours[contours["frame"].isin(["", "0"])]
    found = []
    for (method, name), rows in shifted.groupby(["method", "set"]):
        own = contours[(contours["method"] == method) & (contours["set"] == name)]
        setups = {_setup(setup) for setup in rows["setup"]}
        same = own[own["setup"].map(lambda setup, setups=setups: _setup(setup) in setups)]
        own = same if len(same) else own
        named = rows.get("source_image", rows["image"])
        sources = named.where(named != "", rows["image"]).unique()
        wanted = own["image"].map(lambda image, sources=sources: _among(image, sources)).astype(bool)
        found.append(own[wanted])
    every = pd.concat(found) if found else contours[:0]
    return every if len(every) else None


def _setup(setup: str) -> str:
    """A setup without how many scans were scored, which differs between the tasks."""
    return re.sub(r"(, )?at most \d+$", "", setup)


def _among(image: str, sources: Sequence[str]) -> bool:
    return any(source == image or source.endswith(f"/{image}") for source in sources)


def robustness_curves(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean Dice by method, shift and strength, every set alike, and what it loses against strength 0.

    Args:
        frame: ``ResultsStore.frame("robustness")``, where ``split`` names shift and strength, with the
            scans as they are (``frame("contours")`` of the same images) as ``none 0``.

    Returns:
        ``method, shift, strength, n, groups, dice, dice_ci95, loss``.
    """
    names = frame["split"].str.rsplit(n=1).str
    frame = frame.assign(shift=names[0], strength=names[1].astype(float))
    plain = frame[frame["strength"] == 0].groupby(["method", "set"])["dice"].mean()
    lines = []
    for (method, shift, strength), rows in frame[frame["strength"] > 0].groupby(
        ["method", "shift", "strength"]
    ):
        dice = rows.groupby("set")["dice"].mean().mean()
        start = plain[[(method, name) for name in rows["set"].unique() if (method, name) in plain.index]]
        sizes = rows.groupby("set")["dice"].transform("size")
        # Each set weighs alike, as in the mean; the draws are of groups.
        values = (rows["dice"] / sizes * len(rows) / rows["set"].nunique()).to_numpy()
        lines.append(
            {
                "method": method,
                "shift": shift,
                "strength": strength,
                "n": len(rows),
                "groups": int((rows["set"] + rows["group"]).nunique()),
                "dice": float(dice),
                "dice_ci95": mean_ci95(values, (rows["set"] + "/" + rows["group"]).tolist()),
                "loss": None if len(start) < rows["set"].nunique() else float(start.mean() - dice),
            }
        )
    return lines


def mean_over_sets(lines: Sequence[Mapping[str, Any]], metric: str, sets: Sequence[str]) -> dict[str, float]:
    """Mean of a figure over ``sets`` by method, of the methods that have all of them, best first."""
    found: dict[str, dict[str, float]] = {}
    for line in lines:
        if line["set"] in sets and line[metric] is not None:
            found.setdefault(line["method"], {})[line["set"]] = line[metric]
    means = {
        method: float(np.mean(list(own.values()))) for method, own in found.items() if len(own) == len(sets)
    }
    return dict(sorted(means.items(), key=lambda item: -item[1]))


def _mean(values: Any) -> float | None:
    return _statistic(values, np.nanmean)


def _median(values: Any) -> float | None:
    return _statistic(values, np.nanmedian)


def _statistic(values: Any, of: Callable[[np.ndarray], float]) -> float | None:
    if values is None:
        return None
    numbers = np.asarray(values, float)
    return float(of(numbers)) if np.isfinite(numbers).any() else None
