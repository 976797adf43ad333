"""Which scans a clinician should see first, by rules that can be read out.

========  =====================================================================
urgency   what
========  =====================================================================
5         an alert that the site set
4         likely affected, and larger than the norms of this nerve at this site
3         likely affected
2         larger than the norms
1         uncertain, no nerve found, not assessable, or no verdict yet
0         none of these
========  =====================================================================

Within a level, the probability decides. It orders the work; it is no diagnosis.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from statistics import median
from typing import Any

from nerve_core.clinical.norms import LIMIT, RANGE, norms_of
from nerve_core.inference.prediction import AFFECTED, NO_NERVE, NOT_ASSESSABLE, UNCERTAIN
from nerve_core.records.errors import RecordsError

ALERT = 5
"""Urgency from which an alert sounds."""

MOST_ALERTS = 50
"""Most alerts a site may set."""


@dataclass(frozen=True)
class Alert:
    """A rule of the site's own: a scan that meets every limit given stands first.

    Attributes:
        name: as it is shown beside the scan.
        nerve, site: of the scans it is for; empty for any.
        area_above_mm2: cross-sectional area above which it sounds; None for any.
        p_above: probability of looking affected, 0 to 1, above which it sounds; None for any.
    """

    name: str
    nerve: str = ""
    site: str = ""
    area_above_mm2: float | None = None
    p_above: float | None = None

    def __post_init__(self) -> None:
        limits = (self.area_above_mm2, self.p_above)
        if not self.name.strip() or len(self.name) > 80:
            raise RecordsError("An alert needs a name of at most 80 letters.")
        if limits == (None, None):
            raise RecordsError(f"The alert {self.name!r} has no limit; give an area, a probability, or both.")
        if self.area_above_mm2 is not None and not 0 < self.area_above_mm2 < 10_000:
            raise RecordsError(f"The area of the alert {self.name!r} must lie between 0 and 10,000 mm².")
        if self.p_above is not None and not 0 <= self.p_above < 1:
            raise RecordsError(f"The probability of the alert {self.name!r} must lie between 0 and 1.")

    def sounds(self, nerve: str, site: str, area_mm2: float | None, p_affected: float | None) -> bool:
        """Whether a scan meets it; an unknown area or probability meets no limit."""
        return (
            self.nerve in ("", nerve)
            and self.site in ("", site)
            and (self.area_above_mm2 is None or (area_mm2 or 0.0) > self.area_above_mm2)
            and (self.p_above is None or (p_affected or 0.0) > self.p_above)
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def alerts_from(value: Any) -> tuple[Alert, ...]:
    """Alerts from their JSON.

    Raises:
        RecordsError: one of them is none.
    """
    try:
        return tuple(Alert(**one) for one in value or ())
    except TypeError:
        raise RecordsError(
            "The alerts are not in their form: each has a name and any of nerve, site, area_above_mm2, "
            "p_above."
        ) from None


@cache
def usual_limit(nerve: str, site: str) -> float | None:
    """mm² above which an area is called large here: the median of the upper ends that sources give.

    Sources that measured themselves go before those that quote others; None where neither gives any.
    """
    found = [norm for norm in norms_of(nerve, site) if norm.kind in (RANGE, LIMIT) and norm.high is not None]
    own = [norm.high for norm in found if not norm.secondary]
    ends = own or [norm.high for norm in found]
    return median(ends) if ends else None


def urgency_of(
    nerve: str,
    site: str,
    verdict: str | None,
    p_affected: float | None,
    area_mm2: float | None,
    alerts: Iterable[Alert] = (),
) -> tuple[float, list[str]]:
    """How urgent a scan is, 0 to below 6, and why, in words.

    Args:
        nerve, site: as recorded; empty where not said.
        verdict: the model's, None where there is none.
        p_affected: of the nerve that looks most affected, 0 to 1.
        area_mm2: of that nerve; None when the scale is unknown.
        alerts: of the site.
    """
    reasons = [f"alert: {alert.name}" for alert in alerts if alert.sounds(nerve, site, area_mm2, p_affected)]
    limit = usual_limit(nerve, site) if nerve and site else None
    large = area_mm2 is not None and limit is not None and area_mm2 > limit
    affected = verdict == AFFECTED
    level = ALERT if reasons else 0
    if affected:
        level = max(level, 4 if large else 3)
        reasons.append(
            f"likely affected (p {p_affected:.2f})" if p_affected is not None else "likely affected"
        )
    if large:
        level = max(level, 2)
        reasons.append(f"large: {area_mm2:.1f} mm², published upper limits about {limit:g} mm²")
    if verdict in (UNCERTAIN, NO_NERVE, NOT_ASSESSABLE, None):
        level = max(level, 1)
        reasons.append(verdict or "no verdict yet")
    return level + 0.99 * (p_affected or 0.0), reasons


def as_json(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    """The alerts as they are kept."""
    return [alert.to_dict() for alert in alerts]
