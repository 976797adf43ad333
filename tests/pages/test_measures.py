"""Size and norms on the Diagnose page: in pixels, with the user's own scale, beside published sizes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.access.roles import Actor, Role
from nerve_core.clinical import presets
from nerve_core.clinical.measure import measure_outline
from nerve_core.clinical.norms import norms_of
from nerve_core.imaging.scan import CalibratedRegion, Scan
from nerve_core.ui import measures, scale
from nerve_core.ui.session_items import View
from tests.pages.conftest import KnownPredictor, png, texts
from tests.pages.test_diagnose import upload, view


@pytest.fixture
def opened(diagnose: AppTest) -> AppTest:
    """A scan whose nerve is a circle of 20 px, with the panel open."""
    diagnose.session_state["measures"] = True
    return upload(diagnose, ("scan.png", png()))


def test_without_a_scale_sizes_are_in_pixels_and_norms_ask_for_one(opened: AppTest):
    said = " ".join(texts(opened))
    assert "| Width × height | 42 × 40 px |" in said and "px²" in said
    opened.selectbox(key="norm-nerve").set_value("median").run()
    assert not opened.exception
    assert any("states no scale" in info.value for info in opened.info)


def test_two_clicks_and_a_length_give_millimetres(opened: AppTest, known: KnownPredictor):
    own = view(opened)
    own.ruling = True
    scale.clicked(own, (10.0, 10.0))
    assert own.ruling and scale.distance(own) is None
    scale.clicked(own, (10.0, 110.0))
    assert not own.ruling and scale.distance(own) == 100
    opened.run()
    opened.number_input[0].set_value(10.0).run()
    next(button for button in opened.button if button.label == "Use it").click().run()
    assert own.mm_per_px == pytest.approx(0.1)
    said = " ".join(texts(opened))
    assert "| Width × height | 4.2 × 4.0 mm |" in said and "Your scale: 0.1000 mm a pixel." in said
    assert "13.2 mm²" in said
    opened.selectbox(key="norm-nerve").set_value("median").run()
    opened.selectbox(key="norm-site-median").set_value("wrist").run()
    said = " ".join(texts(opened))
    assert "above the range of 7 to 13 mm²" in said and "above the limit of 11 mm² " in said
    assert "Evidence beside the verdict" in said and "carpal tunnel syndrome" in said
    next(button for button in opened.button if button.label == "Forget the scale").click().run()
    assert own.mm_per_px is None and "42 × 40 px" in " ".join(texts(opened)) and not opened.exception


def test_ends_that_are_too_near_are_refused(opened: AppTest):
    own = view(opened)
    own.ruler = ((10.0, 10.0), (15.0, 10.0))
    opened.run()
    assert any("only 5 px apart" in warning.value for warning in opened.warning)
    assert not any(button.label == "Use it" for button in opened.button)


def test_a_scale_kept_for_a_machine_serves_the_next_scan(opened: AppTest):
    own = view(opened)
    own.ruler, own.mm_per_px = ((0.0, 0.0), (0.0, 100.0)), 0.1
    opened.run()
    next(field for field in opened.text_input if "Keep it" in field.label).set_value("TE7, 4 cm").run()
    next(button for button in opened.button if button.label == "Keep").click().run()
    next(button for button in opened.button if button.label == "Forget the scale").click().run()
    kept = next(box for box in opened.selectbox if "kept before" in box.label)
    kept.set_value("TE7, 4 cm").run()
    assert own.mm_per_px == 0.1 and "4.2 × 4.0 mm" in " ".join(texts(opened))
    assert presets.load()["TE7, 4 cm"] == presets.Preset("TE7, 4 cm", 0.1, 160, 200)
    next(button for button in opened.button if button.label == "Remove it from the list").click().run()
    assert presets.load() == {} and own.mm_per_px == 0.1 and not opened.exception


def test_a_kept_scale_is_refused_for_a_picture_of_another_size(opened: AppTest):
    presets.keep(presets.Preset("TE7, 4 cm", 0.1, 600, 800))
    opened.run()
    next(box for box in opened.selectbox if "kept before" in box.label).set_value("TE7, 4 cm").run()
    assert view(opened).mm_per_px is None
    assert any("800 × 600 px; this one has 200 × 160 px" in error.value for error in opened.error)


def test_only_an_administrator_keeps_a_scale_for_everybody(opened: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.access.actor", lambda: Actor("someone", Role.CLINICIAN))
    own = view(opened)
    own.ruler, own.mm_per_px = ((0.0, 0.0), (0.0, 100.0)), 0.1
    opened.run()
    next(field for field in opened.text_input if "Keep it" in field.label).set_value("TE7").run()
    next(button for button in opened.button if button.label == "Keep").click().run()
    opened.run()
    assert presets.load() == {} and any("kept before" in box.label for box in opened.selectbox)
    presets.keep(presets.Preset("shared", 0.2, 160, 200))
    opened.run()
    next(box for box in opened.selectbox if "kept before" in box.label).set_value("shared").run()
    assert own.mm_per_px == 0.2 and not any(each.label.startswith("Remove it") for each in opened.button)


def test_where_nothing_may_be_stored_the_session_keeps_it(opened: AppTest, tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NERVE_RECORDS", str(tmp_path / "file"))
    own = view(opened)
    own.ruler, own.mm_per_px = ((0.0, 0.0), (0.0, 100.0)), 0.1
    opened.run()
    next(field for field in opened.text_input if "Keep it" in field.label).set_value("TE7").run()
    next(button for button in opened.button if button.label == "Keep").click().run()
    assert any("until this window closes" in warning.value for warning in opened.warning)
    opened.run()
    assert any("kept before" in box.label for box in opened.selectbox)


def test_the_files_own_scale_is_never_replaced():
    file = Scan(np.zeros((100, 100), np.uint8), spacing_mm=(0.2, 0.2))
    part = Scan(np.zeros((100, 100), np.uint8), calibrated=(CalibratedRegion((0, 0, 50, 50), (0.2, 0.2)),))
    own = View(mm_per_px=0.1)
    assert scale.with_ruler(file, own) is file and scale.with_ruler(part, own) is part
    assert scale.with_ruler(Scan(np.zeros((9, 9), np.uint8)), own).spacing_mm == (0.1, 0.1)


def test_the_file_holds_every_figure_with_its_unit():
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    outline = np.column_stack([50 + 20 * np.cos(angle), 50 + 20 * np.sin(angle)])
    pixels = np.random.default_rng(0).integers(20, 200, (100, 100)).astype(np.uint8)
    sizes = measure_outline(Scan(pixels, spacing_mm=(0.1, 0.1)), outline)
    rows = {row["measurement"]: row for row in csv.DictReader(io.StringIO(measures.as_csv(sizes).decode()))}
    assert float(rows["area"]["value"]) == pytest.approx(12.55, abs=0.05) and rows["area"]["unit"] == "mm2"
    assert rows["depth"]["unit"] == "mm" and rows["flattening"]["unit"] == ""
    assert 0 < float(rows["hypoechoic_fraction_yen"]["value"]) < 1


def test_a_row_a_source_and_none_is_called_a_limit_that_is_not():
    found = norms_of("median", "wrist")
    table = measures.as_table(found, 12.0)
    assert table.count("\n") == 1 + len(found)
    assert "| within the range of 7 to 13 mm² | +1.7 | healthy Asian adults, n = 107 |" in table
    assert "says nothing of limits | – |" in table and "†" in table
