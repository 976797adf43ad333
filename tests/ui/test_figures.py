"""Tables of measured figures."""

from __future__ import annotations

from nerve_core.ui import figures

RATE = {"value": 0.912, "ci95": [0.88, 0.94], "n": 50, "groups": 20}
METRICS = {
    "contours": {
        "neck": {
            "n": 40,
            "groups": 7,
            "dice_mean": 0.7,
            "dice_ci95": [0.65, 0.75],
            "click": {"dice_mean": 0.8},
        }
    },
    "leave_one_set_out": {"neck": {"dice_mean": 0.3, "click": None}},
    "verdict": {
        "neck": {},
        "all": {
            "headline": {
                "auc": RATE,
                "size_observer_auc": 0.7,
                "sensitivity": RATE,
                "specificity_shams": None,
            },
            "by_severity": [{"from": 0.3, "to": 0.5, "auc": RATE, "sensitivity": RATE}],
            "by_kind": {"epineurial_thickening": {"auc": None, "sensitivity": RATE}},
        },
    },
    "bench": {"path_ms": 41.6, "device": "cpu", "threads": 2},
}


def last(text: str | None) -> str:
    assert text is not None
    return text.splitlines()[-1]


def test_outlines_without_and_with_a_click():
    row = "| neck | 40 (7) | 0.70 (0.65–0.75) | 0.80 | 0.30 | – |"
    assert last(figures.outlines(METRICS)) == row


def test_verdict_rows_need_a_headline_and_dash_what_was_not_measured():
    row = "| all together | 0.91 (0.88–0.94) | 0.70 | 0.91 (0.88–0.94) | – | – |"
    assert last(figures.verdicts(METRICS)) == row
    assert "neck" not in figures.verdicts(METRICS)


def test_by_severity_and_kind():
    assert last(figures.by_severity(METRICS)).startswith("| 0.30 to 0.50 | 0.91 (0.88–0.94) |")
    assert last(figures.by_kind(METRICS)) == "| epineurial thickening | – | 0.91 (0.88–0.94) |"


def test_speed_carries_its_unit():
    assert "42 ms on cpu with 2 threads" in figures.speed(METRICS)


def test_nothing_measured_gives_nothing():
    makers = (figures.outlines, figures.verdicts, figures.by_severity, figures.by_kind, figures.speed)
    assert [make({}) for make in makers] == [None] * 5
