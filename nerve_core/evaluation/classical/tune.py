"""Settings by mean Dice on validation groups: a grid, thinned by successive halving."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nerve_core.data.packed import read_mask
from nerve_core.evaluation.classical.learn import Read, Row, dice, rows_on
from nerve_core.evaluation.classical.method import Contour
from nerve_core.evaluation.classical.registry import method_of
from nerve_core.evaluation.contours import largest_nerve
from nerve_core.evaluation.progress import Progress
from nerve_core.imaging.click import thickest_point
from nerve_core.imaging.read import read_scan

HALVINGS = (0.25, 0.5, 1.0)
"""Shares of the scans on which the settings left are compared; a third of them goes on each time."""


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes:
        params: the best settings.
        dice: their mean Dice over the validation scans.
        by_set: the same set by set.
        n: scans.
        tried: settings compared.
    """

    params: Any
    dice: float
    by_set: dict[str, float]
    n: int
    tried: int


def tune(
    contour: Contour,
    rows: Sequence[Row],
    click: bool = False,
    grid: Mapping[str, Sequence[Any]] | None = None,
    read: Read = read_scan,
    progress: Progress | None = None,
) -> Tuned:
    """Choose the settings with the best mean Dice on the validation rows, and on no other.

    The whole grid is tried on every fourth scan, the best third of it on every second, and the best third of
    those on all (Jamieson & Talwalkar 2016). Ties go to the setting that comes first in the grid.

    Args:
        contour: the method; its own settings are tried too.
        rows: with their ``split``; those of other sides are left out.
        click: tune the settings for a click where the largest nerve is thickest; the rest then does not
            count, since the method is asked for that nerve.
        grid: values by name of the setting; None takes the registry's.
        read: makes a scan of a file.
        progress: told after each scan.

    Raises:
        DataError: there is no validation row, or a scan or mask cannot be read.
    """
    chosen = rows_on(rows, "val")
    grid = method_of(contour.name).grid if grid is None else grid
    own = contour.click_params if click else contour.params
    combinations = [
        replace(own, **dict(zip(grid, values, strict=True))) for values in itertools.product(*grid.values())
    ]
    left = list(dict.fromkeys([*combinations, own]))
    tried = len(left)
    values: dict[Any, dict[int, float]] = {params: {} for params in left}
    order = _spread(len(chosen))
    done = 0
    for share in HALVINGS:
        upto = max(1, round(share * len(order)))
        for count in range(done, upto):
            index = order[count]
            prepared, true = _case(contour, chosen[index], click, read)
            for params in left:
                union = np.zeros(true.shape, bool)
                for mask in contour.contours(prepared, params)[1]:
                    union |= mask > 0
                values[params][index] = dice(union, true)
            if progress is not None:
                progress(count + 1, len(order))
        done = upto
        if share < 1:
            left.sort(key=lambda params: -float(np.mean(list(values[params].values()))))
            left = left[: max(1, (len(left) + 2) // 3)]
    best = max(left, key=lambda params: float(np.mean(list(values[params].values()))))
    by_set: dict[str, list[float]] = {}
    for index, value in sorted(values[best].items()):
        by_set.setdefault(chosen[index].get("set", ""), []).append(value)
    return Tuned(
        params=best,
        dice=float(np.mean(list(values[best].values()))),
        by_set={name: float(np.mean(found)) for name, found in sorted(by_set.items())},
        n=len(chosen),
        tried=tried,
    )


def _spread(count: int) -> list[int]:
    """All indices, so that each beginning is spread evenly over them."""
    return [start for step in (range(0, count, 4), range(2, count, 4), range(1, count, 2)) for start in step]


def _case(contour: Contour, row: Row, click: bool, read: Read) -> tuple[Any, np.ndarray]:
    """What a method prepares of one scan, and the true mask, boolean (H, W)."""
    scan = read(row["image"])
    true = read_mask(row["mask"], scan.pixels.shape)
    if not click or not true.any():
        return contour.prepare(scan), true
    true = largest_nerve(true)
    return contour.prepare(scan, thickest_point(true)), true
