"""How sure the model is of a scan, as a table of its report; made when asked for, for it takes a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nerve_core.clinical.report import Table
from nerve_core.inference.abstention import Abstention
from nerve_core.inference.prediction import Nerve
from nerve_core.ui import explain_doubt, words
from nerve_core.ui.figures import MISSING
from nerve_core.ui.session_items import Outcome, View

if TYPE_CHECKING:
    from nerve_core.explain.doubt import NerveDoubt
    from nerve_core.inference.predictor import Predictor

COLUMNS = ("Of the model's outline", "Probability, over looks and networks", "Not ruled out", "Area")


def table(outcome: Outcome, view: View, predictor: Predictor) -> Table:
    """A row a nerve: the range of its probability, the verdicts left at the promised certainty, its area's
    interval; below it the outline's expected quality."""
    from nerve_core.explain.expected_dice import expected_dice, figures_of

    found, scan = outcome.before or outcome.prediction, outcome.scan
    assert found is not None and scan is not None
    doubt, judged = explain_doubt.looks(scan, found, predictor, view.point)
    rule, config = Abstention.from_config(predictor.config), predictor.config
    rows = [
        row(number, nerve, own, rule, config.get("area_reach"))
        for number, (nerve, own) in enumerate(zip(found.nerves, judged, strict=True), 1)
    ]
    note = f"From {len(doubt.maps)} looks at the same scan, and from each network by itself."
    if rule is not None:
        note += (
            f" Verdicts left: the truth is among them in {rule.level:.0%} of cases, on simulated pathology."
        )
    if config.get("area_reach"):
        note += f" Areas with {config['area_reach']['level']:.0%} certainty."
    if fitted := config.get("expected_dice"):
        rated = expected_dice(figures_of(found, doubt), fitted)
        note += f" Expected quality of the outline (Dice, 1 is perfect): {rated:.2f}."
    return Table("How sure the model is", COLUMNS, rows, (3, 4, 4, 3), note)


def row(
    number: int, nerve: Nerve, own: NerveDoubt, rule: Abstention | None, reach: dict | None
) -> tuple[str, str, str, str]:
    """The cells of one nerve; a dash where the weights are not calibrated for a figure."""
    from nerve_core.explain.doubt import area_interval

    low, high = (words.percent(each) for each in own.chance_range)
    left = MISSING
    if rule is not None:
        left = words.listing(sorted(rule.labels(nerve.p_affected, rule.level))) or "neither fits well"
    area = MISSING
    if reach:
        size, unit = (nerve.area_px, "px²") if nerve.area_mm2 is None else (nerve.area_mm2, "mm²")
        ends = area_interval(size, own.spread, reach["reach"])
        digits = 1 if unit == "mm²" else 0
        area = f"{ends[0]:,.{digits}f} to {ends[1]:,.{digits}f} {unit}"
    return f"Nerve {number}", f"{words.percent(nerve.p_affected)} ({low} to {high})", left, area
