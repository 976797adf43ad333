"""When the verdict stays open: sets of labels whose promise was calibrated, and the word that follows.

Split-conformal prediction by label: at the level 1 - a, each label is left out of the set only where the
probability speaks more strongly against it than in all but a share a of the nerves of that label on which
the thresholds were set (:mod:`nerve_core.evaluation.conformal`). A set of one label is a verdict; both
labels, or none, is *uncertain*. So is a set of one label that the probability itself (0.5) speaks against,
which only makes the promise safer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nerve_core.inference.prediction import AFFECTED, UNAFFECTED, UNCERTAIN


@dataclass(frozen=True)
class Abstention:
    """Thresholds of some weights.

    Attributes:
        level: the one in force, between 0 and 1.
        thresholds: by level (affected_from, unaffected_to): *affected* belongs to the set from the first
            probability on, *unaffected* up to the second.
    """

    level: float
    thresholds: Mapping[float, tuple[float, float]]

    def labels(self, p_affected: float, level: float | None = None) -> frozenset[str]:
        """Labels that cannot be ruled out at a level (by default the one in force)."""
        affected_from, unaffected_to = self.thresholds[self.level if level is None else level]
        kept = {AFFECTED: p_affected >= affected_from, UNAFFECTED: p_affected <= unaffected_to}
        return frozenset(label for label, held in kept.items() if held)

    def verdict(self, p_affected: float, level: float | None = None) -> str:
        """The one label left, where the probability speaks for it too; else *uncertain*."""
        favoured = AFFECTED if p_affected >= 0.5 else UNAFFECTED
        return favoured if self.labels(p_affected, level) == {favoured} else UNCERTAIN

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Abstention | None:
        """What the config of some weights says under ``conformal``; None where nothing was calibrated, or
        where the calibration no longer holds."""
        found = config.get("conformal")
        if not found or config.get("calibration", {}).get("valid", True) is False:
            return None
        thresholds = {row["level"]: (row["affected_from"], row["unaffected_to"]) for row in found["levels"]}
        return cls(found["level"], thresholds) if found["level"] in thresholds else None
