"""The parts of the Data page that can be judged without a page."""

from __future__ import annotations

import numpy as np
import pytest

from nerve_core.data.statistics import ScanNumbers
from nerve_core.ui import (
    data_measure,
    data_overview,
    data_pathology,
    data_picture,
    data_plots,
    data_scan,
    data_wall,
)
from nerve_core.ui.data_sets import ScanSet, simulated, values
from nerve_core.ui.theme import rgb

ROWS = [
    {"image": "a", "group": "1", "label": "affected", "site": "<script>", "mask": "m"},
    {"image": "b", "group": "1", "label": "", "site": "neck"},
    {"image": "c", "group": "2", "label": "unaffected", "site": "neck", "mask": "m"},
    {"image": "d", "group": "3", "label": "", "site": ""},
]


def test_values_are_ordered_by_frequency_with_the_unknown_last():
    assert values(ROWS, "site") == ["neck", "<script>", ""] and values(ROWS, "device") == [""]


def test_bars_show_text_of_a_manifest_as_text():
    drawn = data_overview.bars(ROWS, "site")
    assert "&lt;script&gt;" in drawn and "<script>" not in drawn and "2 (50 %)" in drawn


def test_every_filter_has_to_pass_and_an_empty_one_lets_all_through():
    assert data_wall.passing(ROWS, {"site": ["neck"], "label": []}) == [1, 2]
    assert data_wall.passing(ROWS, {"site": ["neck"], "label": ["unaffected"]}) == [2]
    assert data_wall.passing(ROWS, {"site": ["", "<script>"]}) == [0, 3]


@pytest.mark.parametrize("label", ["affected", "unaffected", ""])
def test_contours_have_the_colour_of_the_label(label: str):
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:60] = True
    grey = np.full(mask.shape, 90, np.uint8)
    picture = data_picture.outlined(grey, mask, label, 320)
    assert picture.shape == (240, 320, 3)
    colours = {tuple(int(part) for part in pixel) for pixel in picture.reshape(-1, 3)}
    assert rgb(data_picture.colour(label)) in colours
    plain = data_picture.outlined(grey, None, label, 320)
    assert np.ptp(plain) == 0


def test_text_of_a_manifest_does_not_act_as_markdown():
    assert data_scan.plain("a_b [x](y) $z$") == r"a\_b \[x\]\(y\) \$z\$"


def test_facts_carry_their_units():
    numbers = ScanNumbers("", 0, 1, 480, 400, 1, 2000, 0.0104, 7.5, 0.5, 0.25, 6.0, 120.0, 60.0, 80.0)
    said = dict(data_scan.measured(numbers))
    assert said["Nerve area"] == "2,000 px², 1.04 % of the ultrasound region, 7.5 mm²"
    assert said["Depth of centre"] == "6.0 mm, 25 % of the region's height"
    assert said["Size"] == "480 × 400 px" and "grey levels" in said["Mean echo"]
    assert dict(data_scan.measured(ScanNumbers(width_px=4, height_px=3)))["Contour"] == "none"


def test_a_point_of_a_chart_leads_to_its_scan():
    numbers = [
        ScanNumbers(area_share=0.01 * n, x_share=0.5, depth_share=0.3, echo_inside=9.0, echo_ring=8.0)
        for n in range(1, 4)
    ] + [ScanNumbers(problem="The file is empty.")]
    table = data_measure.prepared(ScanSet("x", ROWS), range(4), numbers)
    assert list(table["index"]) == [0, 1, 2] and len(table) == 3
    for chart in ("Size", "Position", "Brightness"):
        drawn = data_plots.drawn(table, data_plots.CHARTS[chart], "site")
        points = {
            int(i): trace for trace in drawn.data if trace.customdata is not None for i in trace.customdata
        }
        assert set(points) == {0, 1, 2}
        assert points[0].name == "&lt;script&gt; (n = 1)"
    medians = data_plots.summary(table, data_plots.CHARTS["Size"], "site").set_index("Site")["Median"]
    assert medians["neck"] == 2.5


def test_rare_values_share_a_colour():
    rows = [{"image": str(n), "group": str(n), "site": f"site {n // 3}"} for n in range(60)]
    numbers = [ScanNumbers(area_share=0.01)] * 60
    table = data_measure.prepared(ScanSet("x", rows), range(60), numbers)
    lines = data_plots.summary(table, data_plots.CHARTS["Size"], "site")
    assert len(lines) == data_plots.MANY and lines["Scans (n)"].sum() == 60


@pytest.mark.parametrize("spot", [(5, 5), (150, 100), (90, 190)])
def test_the_close_view_holds_the_nerve_and_stays_inside(spot: tuple[int, int]):
    mask = np.zeros((160, 200), np.uint8)
    mask[spot[0] - 4 : spot[0] + 5, spot[1] - 4 : spot[1] + 5] = 255
    rows, columns = data_pathology.around(mask, mask.shape)
    assert mask[rows, columns].sum() == mask.sum()
    assert rows.stop - rows.start == columns.stop - columns.start == 96


def test_only_phantoms_count_as_simulated():
    assert simulated({"simulated": "1"}) and simulated({"source": "simulated by nerve_core.data.phantom"})
    assert not simulated({"source": "somewhere"}) and not ScanSet("x", ROWS).simulated
