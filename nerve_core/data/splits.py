"""Splits by group, so that no patient and no neighbouring scan stands on both sides."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from nerve_core.data.manifest import Row

SHARES = {"test": 0.1, "val": 0.1}
"""Share of the images of each set; the rest is for training (80/10/10)."""

BLOCK = 8
"""Consecutive scan groups kept together where patients are not known."""


def assign(rows: Sequence[Row], seed: int = 0) -> list[str]:
    """``train``, ``val`` or ``test`` for each row, by group and set by set.

    Where groups hold many frames they are patients, and each may fall on either side. Where most groups
    hold one or two images they are only scan groups, and neighbouring numbers are probably one person: then
    contiguous blocks of ``BLOCK`` groups stay together. The same rows and seed give the same split.
    """
    by_set: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_set[row.get("set", "")].append(index)
    split = ["train"] * len(rows)
    for name, members in sorted(by_set.items()):
        sizes: dict[str, int] = defaultdict(int)
        for index in members:
            sizes[rows[index]["group"]] += 1
        side = _sides(sizes, np.random.default_rng([seed, *name.encode()]))
        for index in members:
            split[index] = side[rows[index]["group"]]
    return split


def _sides(sizes: dict[str, int], rng: np.random.Generator) -> dict[str, str]:
    groups = sorted(sizes, key=natural)
    block = BLOCK if np.median(list(sizes.values())) <= 2 and len(groups) > 4 * BLOCK else 1
    blocks = [groups[start : start + block] for start in range(0, len(groups), block)]
    order = rng.permutation(len(blocks))
    total = sum(sizes.values())
    side = dict.fromkeys(groups, "train")
    taken = 0
    for name, share in SHARES.items():
        count = 0
        while taken < len(order) - 1 and count < share * total:
            members = blocks[order[taken]]
            side.update(dict.fromkeys(members, name))
            count += sum(sizes[group] for group in members)
            taken += 1
    return side


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts ``scan-9`` before ``scan-10``."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in parts if part)
