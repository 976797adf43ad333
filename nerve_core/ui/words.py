"""What the pages say: verdicts in plain words, advice, and numbers that always carry their unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import (
    AFFECTED,
    NO_NERVE,
    NOT_ASSESSABLE,
    UNAFFECTED,
    UNCERTAIN,
    Nerve,
    Prediction,
)
from nerve_core.inference.prediction import (
    NOTICE as NOTICE,
)

HEADLINES: dict[str, str] = {
    AFFECTED: "Looks affected",
    UNAFFECTED: "Looks unaffected",
    UNCERTAIN: "Uncertain",
    NO_NERVE: "No nerve found",
    NOT_ASSESSABLE: "Not assessable",
}

MEANINGS: dict[str, str] = {
    AFFECTED: (
        "Inside the outline or at its rim the nerve shows what the model learned to call affected: swelling, "
        "flattening, darkening, a lost fascicle pattern, a thickened or irregular border. Check that the "
        "outline is right, then compare with the other side and with the nerve further along."
    ),
    UNAFFECTED: (
        "Inside the outline the nerve looks like the healthy nerves the model learned from. Mild or early "
        "changes can look the same, so this does not rule disease out. Check that the outline is right."
    ),
    UNCERTAIN: (
        "Neither affected nor unaffected can be ruled out with enough certainty: the model cannot tell. Try "
        "a clearer frame with the probe square to the nerve, or point at the nerve to settle its outline."
    ),
    NO_NERVE: (
        "The model outlined nothing here. That does not mean that the nerve is absent or healthy. If you see "
        "the nerve, click on it in the scan; if you do not, try another frame, depth or gain."
    ),
    NOT_ASSESSABLE: (
        "No verdict is given for this picture. Use a B-mode frame that shows the nerve in cross-section."
    ),
}


def percent(value: float) -> str:
    """A share in [0, 1] as whole percent; never 0 % or 100 %, which no model can claim."""
    shown = round(value * 100)
    if shown < 1:
        return "< 1 %"
    return "> 99 %" if shown > 99 else f"{shown} %"


def area(nerve: Nerve) -> str:
    """Cross-sectional area in mm² where the scale is known, else in px²."""
    return f"{nerve.area_px:,.0f} px²" if nerve.area_mm2 is None else f"{nerve.area_mm2:.1f} mm²"


def depth(nerve: Nerve, scan: Scan) -> str:
    """Depth of the nerve's centre below the top of the ultrasound region, in mm, or px without a scale."""
    x, y = nerve.centroid
    assert scan.region is not None
    spacing = scan.spacing_at(y, x)
    top = next(
        (
            part.box[0]
            for part in scan.calibrated
            if part.box[0] <= y < part.box[2] and part.box[1] <= x < part.box[3]
        ),
        scan.region[0],
    )
    below = max(0.0, y - top)
    return f"{below:.0f} px" if spacing is None else f"{below * spacing[0]:.1f} mm"


def scale(scan: Scan) -> str:
    """One sentence on the millimetre scale of a scan."""
    if scan.spacing_mm is None and not scan.calibrated:
        return "The file states no millimetre scale, so sizes are in pixels."
    spacing = scan.spacing_mm or scan.calibrated[0].spacing_mm
    return f"Scale from the file: {spacing[1]:.3f} mm × {spacing[0]:.3f} mm a pixel (across × down)."


def milliseconds(value: float) -> str:
    """A duration given in ms, in the unit that reads best."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def sentence_of(prediction: Prediction) -> str:
    """One line for a table: the verdict and its probability."""
    if prediction.p_affected is None:
        return HEADLINES[prediction.verdict]
    return f"{HEADLINES[prediction.verdict]} ({percent(prediction.p_affected)})"


def listing(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def engine(device: str, backend: str) -> str:
    """What runs the networks, for readers who do not know the names of engines."""
    where = {"cpu": "the processor", "cuda": "the graphics card", "mps": "the graphics card"}
    name, _, precision = backend.partition("-")
    title = {"torch": "PyTorch", "openvino": "OpenVINO", "onnx": "ONNX Runtime"}[name]
    how = {"": "single precision", "half": "half precision", "int8": "eight bits"}[precision]
    return f"{where.get(device.split(':')[0], device)} with {title} in {how}"


def validated_on(sites: Sequence[str]) -> str:
    """The sentence on validated sites that stands before every verdict."""
    if not sites:
        return "No site is stated on which the outlines were checked: judge the outline before reading on."
    return (
        f"Outlines were checked on scans of the {listing(list(sites))}. Elsewhere, point at the nerve and "
        "judge the outline before reading the verdict."
    )


def adapted_to(config: Mapping[str, Any]) -> str | None:
    """One sentence on the scans that weights were fitted to without contours; None where they were not."""
    how = config.get("adapted")
    if not how:
        return None
    named = listing([str(one["set"]) for one in how.get("sets", [])])
    return (
        f"These weights are {how['from']}, adapted to {how['scans']:,} scans without contours"
        f"{f' ({named})' if named else ''}."
    )


def uncalibrated(config: Mapping[str, Any]) -> str | None:
    """What to say beside every verdict of weights whose probabilities were not checked; else None."""
    if config.get("calibration", {}).get("valid", True):
        return None
    why = adapted_to(config)
    return (
        f"**Do not rely on this probability.** {f'{why} ' if why else ''}How often a verdict of these "
        "weights is right was not measured: the probability is not calibrated for them, and figures stated "
        "for other weights do not hold. Judge the outline yourself and take the verdict as a hint."
    )
