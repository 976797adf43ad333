"""What a map of evidence says, in one sentence a clinician reads."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

RIM = 0.12
"""Half width of the edge zone as a share of the nerve's diameter."""

CLEAR = 0.5
"""Share of the evidence from which a zone is said to hold most of it."""

ONE_SIDE = 0.55
"""Share from which one side is named: more than half, and not by a hair."""

SIDES = ("superficial", "deep", "left", "right")


@dataclass(frozen=True)
class Reading:
    """Where the evidence lies.

    Attributes:
        inside, edge, around: shares of it in the three zones, adding to 1.
        side: the side of the nerve with the largest share, one of ``SIDES``; as seen in the picture.
        side_share: that share; each side is a quarter of the directions, 0.25 for evidence all around.
        centred: whether the evidence lies near the middle of the nerve.
        sentence: the reading in words.
    """

    inside: float
    edge: float
    around: float
    side: str
    side_share: float
    centred: bool
    sentence: str


def read(heat: np.ndarray, mask: np.ndarray, towards: str = "affected") -> Reading:
    """Read a map.

    Args:
        heat: (H, W), ≥ 0, in the scan's own pixels; up is superficial.
        mask: (H, W), nonzero in the nerve.
        towards: what the evidence speaks for.
    """
    nerve = (np.asarray(mask) > 0).astype(np.uint8)
    total = float(heat.sum())
    if total <= 0 or not nerve.any():
        nothing = f"Nothing in this nerve or around it speaks for {towards}."
        return Reading(0.0, 0.0, 0.0, SIDES[0], 0.0, False, nothing)
    x, y, wide, high = cv2.boundingRect(nerve)
    diameter = 2 * float(np.sqrt(nerve.sum() / np.pi))
    out, depth = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (1 - nerve, nerve))
    edge = np.maximum(out, depth - 1) <= max(RIM * diameter, 1.0)
    shares = {
        "inside": float(heat[(nerve > 0) & ~edge].sum()) / total,
        "edge": float(heat[edge].sum()) / total,
        "around": float(heat[(nerve == 0) & ~edge].sum()) / total,
    }
    rows, columns = np.nonzero(heat > 0)
    weight = heat[rows, columns] / total
    # Directions are measured in units of the nerve's own width and height: a flat nerve has four sides too.
    right = (columns - (x + (wide - 1) / 2)) / max(wide / 2, 0.5)
    down = (rows - (y + (high - 1) / 2)) / max(high / 2, 0.5)
    upright = np.abs(down) >= np.abs(right)
    by_side = {
        "superficial": weight[upright & (down < 0)].sum(),
        "deep": weight[upright & (down >= 0)].sum(),
        "left": weight[~upright & (right < 0)].sum(),
        "right": weight[~upright & (right >= 0)].sum(),
    }
    side = max(by_side, key=lambda name: by_side[name])
    middle = float(np.hypot((weight * right).sum(), (weight * down).sum()))
    centred = bool(middle < 0.2 and by_side[side] < ONE_SIDE)
    sentence = _say(shares, side, float(by_side[side]), centred, towards)
    return Reading(**shares, side=side, side_share=float(by_side[side]), centred=centred, sentence=sentence)


def _say(shares: dict[str, float], side: str, share: float, centred: bool, towards: str) -> str:
    zone = max(shares, key=lambda name: shares[name])
    if shares[zone] < CLEAR:
        places = {"inside": "inside", "edge": "at its edge", "around": "around"}
        parts = ", ".join(f"{_percent(shares[name])} {place}" for name, place in places.items())
        where = f", mostly on the {_side(side)}" if share >= ONE_SIDE else ""
        return f"The evidence for {towards} is spread over nerve and surroundings ({parts}){where}."
    most = f"Most of the evidence for {towards} ({_percent(shares[zone])}) lies"
    if zone == "edge":
        if share >= ONE_SIDE:
            return f"{most} on the {side} edge of the nerve."
        return f"{most} on the edge of the nerve, on several sides."
    if zone == "inside":
        part = f"in its {side} part" if share >= ONE_SIDE else "in several parts"
        part = "near its middle" if centred else part
        return f"{most} inside the nerve, {part}."
    beside = {"superficial": "above", "deep": "below", "left": "to the left of", "right": "to the right of"}
    place = beside[side] if share >= ONE_SIDE else "around"
    return f"{most} in the tissue {place} the nerve, not in the nerve itself: look at it with doubt."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _side(side: str) -> str:
    return f"{side} side"
