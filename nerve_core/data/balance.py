"""Which row is drawn next: rules that keep a large set, a common site or the healthy from drowning others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from nerve_core.data.manifest import Row

BALANCES = ("root", "none", "set", "site", "set_and_site")
"""Rules by which rows are drawn.

``root``: a set counts by the square root of its size. ``none``: every row alike. ``set``: every set alike.
``site``: every body site alike. ``set_and_site``: every set alike, and in it every site alike.
"""

GOLDEN = (5**0.5 - 1) / 2
"""Steps of this size along the unit interval leave no gaps, wherever one begins and stops."""


def is_made(row: Row) -> bool:
    """Whether a row was simulated or drawn by a generator; neither may stand in a figure on real scans."""
    return row.get("simulated") == "1" or row.get("generated") == "1"


def sampling_weights(
    rows: Sequence[Row],
    balance: str = "root",
    emphasis: Mapping[str, float] | None = None,
    affected_weight: float = 1.0,
) -> np.ndarray:
    """Probability of each row, float64, summing to 1.

    Args:
        rows: with ``set`` and, where known, ``site`` and ``label``.
        balance: one of ``BALANCES``.
        emphasis: factors by which some sets count more or less than the rule says.
        affected_weight: how much more often than the others the rows labelled *affected* are drawn,
            simulated and generated ones included; what a set or site counts as a whole does not change.
    """
    sets = [row.get("set", "") for row in rows]
    keys = strata(rows, balance)
    size, of_set = Counter(keys), Counter(sets)
    sites = Counter(name for name, _ in set(zip(sets, keys, strict=True)))
    rule = {
        "none": lambda name, key: 1.0,
        "root": lambda name, key: of_set[name] ** -0.5,
        "set": lambda name, key: 1 / size[key],
        "site": lambda name, key: 1 / size[key],
        "set_and_site": lambda name, key: 1 / size[key] / sites[name],
    }[balance]
    base = np.array([rule(name, key) for name, key in zip(sets, keys, strict=True)])
    base *= [(emphasis or {}).get(name, 1.0) for name in sets]
    shifted = base * [affected_weight if row.get("label") == "affected" else 1.0 for row in rows]
    before, after = Counter(), Counter()
    for key, one, other in zip(keys, base, shifted, strict=True):
        before[key] += one
        after[key] += other
    weights = shifted * [before[key] / after[key] for key in keys]
    return weights / weights.sum()


def strata(rows: Sequence[Row], balance: str) -> list[str]:
    """What each row is counted under: its set, its site or both."""
    sets, sites = ([row.get(column, "") for row in rows] for column in ("set", "site"))
    if balance == "site":
        return sites
    if balance == "set_and_site":
        return [f"{name}\n{site}" for name, site in zip(sets, sites, strict=True)]
    return sets


class Draw:
    """Draws rows by a rule.

    Under a rule that says *every ... alike* consecutive draws take the sets or sites in turn, by their
    shares, so that every batch is balanced and not only the epoch.

    Args:
        rows, balance, emphasis, affected_weight: see :func:`sampling_weights`.
        seed: of the turn that each epoch begins with.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        balance: str = "root",
        emphasis: Mapping[str, float] | None = None,
        affected_weight: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.weights = sampling_weights(rows, balance, emphasis, affected_weight)
        self.seed, self.in_turn = seed, balance not in ("root", "none")
        keys = np.array(strata(rows, balance))
        self.members = [np.flatnonzero(keys == key) for key in sorted(set(keys.tolist()))]
        shares = [self.weights[own].sum() for own in self.members]
        self.ends = np.cumsum(shares) / np.sum(shares)

    def __call__(self, epoch: int, index: int, rng: np.random.Generator) -> int:
        """Index of the row for one sample of an epoch."""
        if not self.in_turn:
            return int(rng.choice(len(self.weights), p=self.weights))
        begin = np.random.default_rng([self.seed, epoch]).random()
        place = (begin + GOLDEN * index) % 1
        own = self.members[min(int(np.searchsorted(self.ends, place, "right")), len(self.members) - 1)]
        return int(rng.choice(own, p=self.weights[own] / self.weights[own].sum()))
