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
    split = ["train"] * len(rows)
    for name, members in sorted(_by_set(rows).items()):
        side = _sides(_sizes(rows, members), np.random.default_rng([seed, *name.encode()]))
        for index in members:
            split[index] = side[rows[index]["group"]]
    return split


def assign_fold(rows: Sequence[Row], fold: int, folds: int, seed: int = 0) -> list[str]:
    """``train``, ``val`` or ``test`` for each row in one fold of a cross-validation by group.

    Every row is tested in exactly one of the folds. The next fold's test side is this one's validation side.

    Args:
        rows: of one or several sets; each set is dealt out by itself.
        fold: from 0 to ``folds`` - 1.
        folds: at least 3.
        seed: of the order in which groups are dealt out.
    """
    part = [0] * len(rows)
    for name, members in sorted(_by_set(rows).items()):
        sizes = _sizes(rows, members)
        blocks = _blocks(sizes)
        order = np.random.default_rng([seed, *name.encode()]).permutation(len(blocks))
        filled = [0] * folds
        # The largest first, each to the emptiest part, so that parts are alike even with few patients.
        home: dict[str, int] = {}
        for index in sorted(order, key=lambda k: -sum(sizes[group] for group in blocks[k])):
            least = int(np.argmin(filled))
            filled[least] += sum(sizes[group] for group in blocks[index])
            home.update(dict.fromkeys(blocks[index], least))
        for index in members:
            part[index] = home[rows[index]["group"]]
    names = {fold: "test", (fold + 1) % folds: "val"}
    return [names.get(number, "train") for number in part]


def assign_by_image(rows: Sequence[Row], seed: int = 0) -> list[str]:
    """``train``, ``val`` or ``test`` for each row, image by image: the leaky split, kept to show its effect.

    Frames of one patient fall on every side, so the test side holds near-copies of what was trained on.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    ends = np.cumsum([round(share * len(rows)) for share in SHARES.values()])
    split = ["train"] * len(rows)
    for start, end, name in zip([0, *ends], ends, SHARES, strict=False):
        for index in order[start:end]:
            split[index] = name
    return split


def _by_set(rows: Sequence[Row]) -> dict[str, list[int]]:
    by_set: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_set[row.get("set", "")].append(index)
    return by_set


def _sizes(rows: Sequence[Row], members: Sequence[int]) -> dict[str, int]:
    """How many rows each group has."""
    sizes: dict[str, int] = defaultdict(int)
    for index in members:
        sizes[rows[index]["group"]] += 1
    return sizes


def _blocks(sizes: dict[str, int]) -> list[list[str]]:
    """Groups that stay together."""
    groups = sorted(sizes, key=natural)
    block = BLOCK if np.median(list(sizes.values())) <= 2 and len(groups) > 4 * BLOCK else 1
    return [groups[start : start + block] for start in range(0, len(groups), block)]


def _sides(sizes: dict[str, int], rng: np.random.Generator) -> dict[str, str]:
    blocks = _blocks(sizes)
    order = rng.permutation(len(blocks))
    total = sum(sizes.values())
    side = dict.fromkeys(sizes, "train")
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
