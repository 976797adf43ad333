"""Which kinds are drawn together, and where they are signs of disease at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nerve_core.data.pathology.kinds import KINDS
from nerve_core.errors import DataError

ECHO_ONLY = frozenset({"hypoechogenicity", "fascicle_loss"})

_FASCICULAR: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.20, ("swelling", "hypoechogenicity", "fascicle_loss")),  # entrapment
    (0.12, ("swelling", "hypoechogenicity")),
    (0.08, ("swelling", "fascicle_loss")),
    (0.08, ("swelling",)),
    (0.06, ("compression", "swelling")),  # notch with the swelling next to it
    (0.06, ("compression", "hypoechogenicity")),
    (0.08, ("compression",)),
    (0.06, ("hypoechogenicity", "fascicle_loss")),
    (0.04, ("hypoechogenicity",)),
    (0.04, ("fascicle_loss",)),
    (0.07, ("swelling", "thickening")),  # inflammation
    (0.03, ("thickening",)),
    (0.05, ("irregular", "hypoechogenicity", "fascicle_loss")),  # neuroma
    (0.03, ("irregular", "swelling", "hypoechogenicity")),
)
_DARK: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.24, ("swelling",)),
    (0.20, ("swelling", "hypoechogenicity")),
    (0.18, ("swelling", "thickening")),
    (0.12, ("compression",)),
    (0.06, ("compression", "swelling")),
    (0.08, ("irregular", "swelling", "hypoechogenicity")),
    (0.06, ("irregular", "swelling")),
    (0.06, ("thickening",)),
)


def dark_by_nature(site: str, mean: float, around: float) -> bool:
    """Whether darkness is no sign here: a plexus at the neck, or a nerve darker than its surroundings."""
    where = site.lower()
    return "neck" in where or "plexus" in where or mean < around - 4


def draw_kinds(rng: np.random.Generator, dark: bool) -> tuple[str, ...]:
    """A combination seen in practice; ``dark`` for nerves that are dark and of one fascicle by nature."""
    table = _DARK if dark else _FASCICULAR
    weights = np.array([weight for weight, _ in table])
    return table[int(rng.choice(len(table), p=weights / weights.sum()))][1]


def check_kinds(kinds: Sequence[str], dark: bool) -> tuple[str, ...]:
    """The kinds asked for, in the order they are applied.

    Where the nerve is dark by nature, darkness or loss of fascicles alone would be no sign, so swelling is
    added to them. Raises DataError for an unknown or an empty list.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise DataError(
            f"Unknown kind of pathology {', '.join(unknown) or '(none)'}: choose from {', '.join(KINDS)}."
        )
    wanted = set(kinds)
    if dark and wanted <= ECHO_ONLY:
        wanted.add("swelling")
    return tuple(kind for kind in KINDS if kind in wanted)
