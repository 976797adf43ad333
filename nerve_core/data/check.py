"""What is wrong with a set of scans, before anything is learned from it.

The table is judged first, from its text alone; then every image is opened once, one after the other, and
only a fingerprint of it is kept, so that a long manifest costs time but hardly memory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nerve_core.data.manifest import LABELS, Row, is_simulated

MAX_RATIO = 4.0
"""How many times more frequent one label may be than the other before the set counts as unbalanced."""
NAMED = 5
"""How many groups or files a message names before it says how many more there are."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth a look.

    Attributes:
        kind: ``unreadable``, ``size-mismatch``, ``empty-mask``, ``near-duplicate``, ``straddling``,
            ``imbalance``, ``burnt-in-text``, ``duplicate-row`` or ``missing-group``.
        serious: whether figures or weights from this set could not be trusted.
        message: one sentence or two for the user, with what to do.
        rows: indices into the rows that were checked, ascending; empty where the whole set is meant.
    """

    kind: str
    serious: bool
    message: str
    rows: tuple[int, ...] = ()


def check_rows(rows: Sequence[Row], progress: Callable[[float], None] | None = None) -> list[Finding]:
    """Everything that can be found in a set, serious findings first.

    Args:
        rows: as ``read_manifest`` gives them, paths absolute; an optional ``split`` column is checked too.
        progress: told the share of the images opened, from 0 to 1.

    Returns:
        At most a few findings of each kind, each naming its rows; empty when nothing is wrong.
    """
    from nerve_core.data.check_images import check_images

    return _serious_first(check_table(rows) + check_images(rows, progress))


def check_table(rows: Sequence[Row]) -> list[Finding]:
    """What the table alone shows, with no image opened: repeated rows, groups, splits and labels."""
    return _serious_first([*_duplicate_rows(rows), *_groups(rows), *_straddling(rows), *_imbalance(rows)])


def names(items: Iterable[str]) -> str:
    """The first few of some names in words, and how many more there are."""
    found = list(dict.fromkeys(items))
    more = len(found) - NAMED
    return ", ".join(found[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def amount(count: int, noun: str) -> str:
    """A number with its noun, as in ``1 scan`` and ``2 scans``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _serious_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: not finding.serious)


def _duplicate_rows(rows: Sequence[Row]) -> Iterable[Finding]:
    by_image: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_image[row["image"]].append(index)
    repeated = [members for members in by_image.values() if len(members) > 1]
    if not repeated:
        return
    places = tuple(sorted(index for members in repeated for index in members))
    differ = sum(len({_truth(rows[index]) for index in members}) > 1 for members in repeated)
    yield Finding(
        "duplicate-row",
        True,
        f"{amount(len(repeated), 'image')} listed more than once"
        + (f", {differ:,} of them with differing group, mask or label" if differ else "")
        + "; keep one row an image, or the repeated ones count double.",
        places,
    )


def _truth(row: Row) -> tuple[str, ...]:
    return tuple(row.get(key, "") for key in ("mask", "label", "group", "split"))


def _groups(rows: Sequence[Row]) -> Iterable[Finding]:
    without = tuple(index for index, row in enumerate(rows) if not row.get("group"))
    if without:
        yield Finding(
            "missing-group",
            True,
            f"{amount(len(without), 'row')} without a group; fill in the patient or sweep, "
            "or frames of one person end up on both sides of a split.",
            without,
        )
    real = [index for index, row in enumerate(rows) if row.get("group") and not is_simulated(row)]
    groups = {(rows[index].get("set", ""), rows[index]["group"]) for index in real}
    if len(real) > 1 and len(groups) == len(real):
        yield Finding(
            "missing-group",
            False,
            "Every image is a group of its own; where several show one patient or sweep, give them the "
            "same group, or they end up on both sides of a split.",
        )


def _straddling(rows: Sequence[Row]) -> Iterable[Finding]:
    sides: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.get("group") and row.get("split"):
            sides[row.get("set", ""), row["group"]].add(row["split"])
    torn = {key: found for key, found in sides.items() if len(found) > 1}
    if not torn:
        return
    places = tuple(
        index for index, row in enumerate(rows) if (row.get("set", ""), row.get("group", "")) in torn
    )
    yield Finding(
        "straddling",
        True,
        f"{amount(len(torn), 'group')} on more than one side of the split "
        f"({names(group for _, group in torn)}); split by group, so that no patient is on two sides.",
        places,
    )


def _imbalance(rows: Sequence[Row]) -> Iterable[Finding]:
    counts = Counter(row.get("label", "") for row in rows)
    labelled = {label: counts[label] for label in LABELS}
    (few, fewest), (many, most) = sorted(labelled.items(), key=lambda item: item[1])
    if not most or most <= MAX_RATIO * fewest:
        return
    said = (
        f"All {amount(most, 'labelled image')} are {many}"
        if not fewest
        else f"{most:,} images are {many} and only {fewest:,} {few}, {most / fewest:.1f} to 1"
    )
    places = tuple(index for index, row in enumerate(rows) if row.get("label") == few)
    yield Finding(
        "imbalance", False, f"{said}; add {few} scans, or weigh the classes when training a verdict.", places
    )
