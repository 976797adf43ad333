"""The shifts in words: what each does to a scan, and what in practice does the same."""

from __future__ import annotations

SHIFTS: dict[str, str] = {
    "blur": "Blurred: out of focus, a worn probe, a thick patient.",
    "low gain": "Too dark: the gain is set too low.",
    "speckle": "More speckle: an older machine, no compounding.",
    "poor contrast": "Pale: nerve and surroundings closer in grey.",
    "narrow range": "Hard black and white: the dynamic range is set too narrow.",
    "high gain": "Too bright: the gain is set too high, and what exceeds white is lost.",
    "depth gain": "Bright above and dark below: time-gain compensation set wrong.",
    "shadow": "A dark stripe: lost contact, bone or air over a sixth of the probe.",
    "JPEG": "Stored as JPEG of low quality: blocks and lost detail.",
    "resolution": "Fewer pixels: a smaller export, a coarser machine.",
    "rotation": "Turned: the probe held at an angle.",
    "deeper": "Drawn smaller: the depth is set larger.",
    "shallower": "Drawn larger: the depth is set smaller.",
    "curved probe": "Fanned out, as a curved probe draws it.",
}
"""Sentence for each shift of ``nerve_core.evaluation.shifts``."""

APPROXIMATION = (
    "An approximation, drawn from this one scan, of what another machine, probe, setting or hand does: at "
    "strength 1 a sonographer would repeat the scan. It is not a scan of another machine."
)


def title(shift: str) -> str:
    """A shift as a heading."""
    return shift[:1].upper() + shift[1:]


def meaning(shift: str) -> str:
    """What a shift does, one sentence."""
    return SHIFTS.get(shift, "")
