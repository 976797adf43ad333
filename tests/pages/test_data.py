"""The Data page: what it shows of a set, and what it says when the set is not as hoped."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.config import ROOT
from nerve_core.data.augment import Augment
from nerve_core.data.manifest import read_manifest
from nerve_core.errors import DataError
from nerve_core.ui import data_scan, data_sets, examples
from nerve_core.ui.data_augment_controls import control_of
from nerve_core.ui.data_plots import CHARTS
from tests.pages.conftest import png, texts

CIRCLE = cv2.circle(np.zeros((160, 200), np.uint8), (100, 70), 20, 255, -1)
SECTIONS = (
    "Overview",
    "Images",
    "Distributions",
    "Split and leakage",
    "Augmentation",
    "Pathology simulator",
    "Phantom simulator",
    "Real and made",
    "What data adds",
    "Licences",
)


def write_set(folder: Path, count: int = 6) -> Path:
    """A small set with contours, two sites and a scan that cannot be read."""
    folder.mkdir(parents=True)
    rows = []
    for number in range(count):
        (folder / f"{number}.png").write_bytes(png(number))
        cv2.imwrite(str(folder / f"{number}-mask.png"), CIRCLE)
        rows.append(
            {
                "image": f"{number}.png",
                "mask": f"{number}-mask.png",
                "group": f"p{number // 2}",
                "label": ("affected", "unaffected", "")[number % 3],
                "site": ("wrist", "neck")[number % 2],
                "nerve": "median",
                "device": "<b>probe</b>",
                "spacing_mm": "0.1",
                "licence": "CC0-1.0" if number else "",
                "source": "somewhere:0",
            }
        )
    (folder / "broken.png").write_text("no picture")
    rows.append(rows[0] | {"image": "broken.png", "mask": "", "group": "p9"})
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose samples are the small set."""
    monkeypatch.setenv("NERVE_SAMPLES", str(tmp_path / "data" / "samples"))
    return write_set(tmp_path / "data" / "samples")


@pytest.fixture
def data(app: AppTest, folder: Path) -> AppTest:
    """The dashboard at the Data page."""
    app.run()
    return app.switch_page("pages/data.py").run()


def at(page: AppTest, section: str) -> AppTest:
    page.session_state["data-section"] = section
    page.run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    return " ".join(texts(page))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_works_on_the_samples(data: AppTest, section: str):
    page = at(data, section)
    assert not page.error or section == "Split and leakage"
    assert page.title[0].value == "Data"


def test_overview_counts_scans_and_groups(data: AppTest):
    shown = {metric.label: metric.value for metric in data.metric}
    assert shown == {"Scans": "7", "Groups": "4", "Scans a group, at most": "2", "With a contour": "6"}
    table = data.dataframe[0].value
    (wrist,) = table[(table["By"] == "Site") & (table["Value"] == "wrist")].to_dict("records")
    assert (wrist["Scans (n)"], wrist["With contour (n)"], wrist["Affected (n)"]) == (4, 3, 2)


def test_images_are_filtered(data: AppTest):
    page = at(data, "Images")
    (site,) = [each for each in page.multiselect if each.label == "Site"]
    site.set_value(["neck"]).run()
    assert "Scans 1 to 3 of 3 (n = 7 in the set)" in said(page)


def test_a_scan_opens_large_and_goes_on_to_diagnose(data: AppTest, folder: Path, known):
    page = at(data, "Images")
    page.session_state[data_scan.ASKED] = (read_manifest(folder), 1)
    page.run()
    shown = said(page)
    assert "scan 2 of 7" in shown and "mm²" in shown and "grey levels" in shown and "<b>" not in shown
    page.session_state[data_scan.ASKED] = (read_manifest(folder), 1)
    page.run()
    (button,) = [each for each in page.button if each.label == "Open in Diagnose"]
    known.calls.clear()
    button.click()
    page.session_state[data_scan.ASKED] = (read_manifest(folder), 1)
    page.run()
    assert not page.exception and page.title[0].value == "Diagnose"
    assert known.calls[-1][0].name == "1.png"


def test_a_scan_that_cannot_be_read_says_so_when_opened(data: AppTest, folder: Path):
    data.session_state[data_scan.ASKED] = (read_manifest(folder), 6)
    data.run()
    assert not data.exception and data.error[0].value.startswith("The file is not a picture")


def test_distributions_state_their_number_and_what_is_left_out(data: AppTest):
    page = at(data, "Distributions")
    assert (
        "n = 6 scans" in said(page)
        and "1 scan of “Shipped samples (simulated)” could not" in page.warning[0].value
    )
    table = page.dataframe[0].value
    assert table["Scans (n)"].sum() == 6 and (table["Median"] > 0).all()


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "Size"])
def test_every_distribution_is_drawn(data: AppTest, folder: Path, name: str):
    page = at(data, "Distributions")
    page.session_state[f"data-chart-{data_sets._read('', folder).mark}"] = name
    page.run()
    assert not page.exception and CHARTS[name].y_title in set(page.dataframe[0].value["Quantity"])


def test_a_large_set_is_measured_and_checked_only_when_asked(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_measure.AT_ONCE", 3)
    monkeypatch.setattr("nerve_core.ui.data_split.AT_ONCE", 3)
    page = at(data, "Distributions")
    assert [each.label for each in page.button] == ["Measure 7 scans"] and not page.get("plotly_chart")
    page.button[0].click().run()
    assert page.get("plotly_chart")
    page = at(page, "Split and leakage")
    assert [each.label for each in page.button] == ["Check 7 scans"]


def test_split_and_check(data: AppTest):
    page = at(data, "Split and leakage")
    table = page.dataframe[0].value
    assert table["Scans (n)"].sum() == 7 and table["Groups on another side too (n)"].sum() == 0
    assert any("Unreadable" in error.value for error in page.error)


def test_pathology_enlarges_the_nerve_and_says_by_how_much(data: AppTest):
    page = at(data, "Pathology simulator")
    assert "mm² before" in said(page) and "in the control" in said(page)
    page.multiselect(key="pathology-kinds").set_value([]).run()
    assert any("at least one kind" in info.value for info in page.info)


def test_pathology_shows_what_changed_and_goes_on_to_diagnose(data: AppTest, known):
    page = at(data, "Pathology simulator")
    page.toggle(key="pathology-difference").set_value(True).run()
    assert not page.exception
    (button,) = [each for each in page.button if each.key == "pathology-diagnose"]
    known.calls.clear()
    button.click().run()
    assert not page.exception and page.title[0].value == "Diagnose"
    assert "-simulated-swelling-0.png" in known.calls[-1][0].name
    truth = examples.truth(page.session_state["carried"][-1])
    assert truth.shape == known.calls[-1][0].pixels.shape and truth.any()
    assert "A pathology was written into this scan" in said(page)


def test_the_worked_on_nerve_and_region_are_chosen(data: AppTest, folder: Path):
    two = CIRCLE | cv2.circle(np.zeros_like(CIRCLE), (40, 120), 12, 255, -1)
    cv2.imwrite(str(folder / "1-mask.png"), two)
    page = at(data, "Pathology simulator")
    (scan,) = [each for each in page.selectbox if each.label == "Scan"]
    scan.set_value(1).run()
    (nerve,) = [each for each in page.selectbox if each.label == "Nerve"]
    nerve.set_value(1).run()
    assert "Nerve 2 of 2" in said(page)
    (site,) = [each for each in page.selectbox if each.label == "Region of the body"]
    assert site.value == "neck"
    site.set_value("").run()
    assert not page.exception and not page.error


def test_augmentation_starts_from_the_shipped_weights_and_returns_to_them(data: AppTest):
    page = at(data, "Augmentation")
    trained = json.loads((ROOT / "checkpoints" / "research" / "config.json").read_text())["training"][
        "augment"
    ]

    def rotation() -> float:
        (slider,) = [each for each in page.slider if each.label.startswith("Rotation")]
        return slider.value

    assert rotation() == trained["rotate"]
    page.button(key="augment-off").click().run()
    assert rotation() == 0 and not page.exception
    page.button(key="augment-reset").click().run()
    assert rotation() == trained["rotate"]
    page.button(key="augment-again").click().run()
    assert page.number_input(key="augment-seed").value == 1 and not page.exception


def test_every_strength_has_a_control(data: AppTest):
    page = at(data, "Augmentation")
    titles = {each.label for each in (*page.slider, *page.toggle, *page.text_input)}
    assert {control_of(field.name).title for field in fields(Augment)} <= titles


def test_a_checkpoint_that_says_nothing_of_augmentation_is_named(data: AppTest, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(tmp_path))
    page = at(data, "Augmentation")
    assert "do not say what augmentation" in page.warning[0].value and not page.error


def compare(page: AppTest, path: Path, view: str) -> AppTest:
    page = at(page, "Real and made")
    page.selectbox(key="second-set").set_value(data_sets.OTHER).run()
    page.text_input(key="second-path").set_value(str(path)).run()
    page.session_state["compare-view"] = view
    page.run()
    assert not page.exception and not page.error
    return page


@pytest.fixture
def phantoms(tmp_path: Path) -> Path:
    """A second set, of scans that say they are simulated."""
    made = write_set(tmp_path / "phantoms", 3)
    text = (made / "manifest.csv").read_text().replace("somewhere:0", "simulated by nerve_core")
    (made / "manifest.csv").write_text(text)
    return made


def test_without_a_second_set_it_says_how_to_make_one(data: AppTest):
    assert "nerve_core data phantoms" in at(data, "Real and made").info[0].value


def test_two_sets_stand_side_by_side(data: AppTest, phantoms: Path):
    page = compare(data, phantoms, "Side by side")
    heads = [each.value for each in page.subheader]
    assert heads[0].endswith("(real, n = 7)") and heads[1] == "phantoms (made, n = 4)"


def test_two_sets_are_measured_against_each_other(data: AppTest, phantoms: Path):
    page = compare(data, phantoms, "Distributions")
    assert page.get("plotly_chart")
    table = page.dataframe[0].value.set_index("Quantity")
    assert table.loc["Nerve area, mm²", "Distance"] == 0 and (table["Distance"] <= 1).all()


def test_the_quiz_counts_answers(data: AppTest, phantoms: Path):
    page = compare(data, phantoms, "Which is real?")
    assert "**Which scan is real?** Pair 1." in said(page) and "No answer yet" in said(page)
    (left,) = [each for each in page.button if each.label == "A"]
    key = left.key.removesuffix("-0")
    target = page.session_state[key].question.target
    page.button(key=f"{key}-{target}").click().run()
    assert "**1 of 1 right** (100 %, 95 % CI 21 to 100 %" in said(page)
    page.button(key=f"{key}-next").click().run()
    target = page.session_state[key].question.target
    page.button(key=f"{key}-{1 - target}").click().run()
    assert "**1 of 2 right**" in said(page) and "No: it is " in page.error[0].value
    page.button(key=f"{key}-reset").click().run()
    assert "No answer yet" in said(page) and not page.exception


def test_a_phantom_follows_probe_depth_and_tilt(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(data, "Phantom simulator")
    page.segmented_control(key="phantom-probe").set_value("curved").run()
    assert "Device: simulated curved probe" in said(page) or "Device: simulated microconvex" in said(page)
    page.segmented_control(key="phantom-probe").set_value("linear").run()
    page.toggle(key="phantom-deep").set_value(True).run()
    page.slider(key="phantom-depth-wrist").set_value(30).run()
    assert "30 mm deep" in said(page)
    page.slider(key="phantom-tilt").set_value(20).run()
    assert not page.exception and not page.error


def test_the_look_of_another_scan_is_previewed(data: AppTest):
    page = at(data, "Augmentation")
    page.button(key="augment-off").click().run()
    (style,) = [each for each in page.slider if each.label.startswith("Overall look")]
    style.set_value(100).run()
    assert not page.exception and not page.error


def test_a_phantom_goes_on_to_diagnose_with_its_scale(data: AppTest, known, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(data, "Phantom simulator")
    known.calls.clear()
    page.button(key="phantom-diagnose").click().run()
    assert not page.exception and page.title[0].value == "Diagnose"
    scan = known.calls[-1][0]
    assert scan.name.endswith(".dcm") and scan.spacing_mm is not None
    carried = page.session_state["carried"][-1]
    truth = examples.truth(carried)
    assert truth.shape == scan.pixels.shape and set(np.unique(truth)) == {0, 255}
    assert examples.truth(carried, 1) is None


def test_phantom_follows_its_sliders(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(data, "Phantom simulator")
    assert "| median | unaffected |" in said(page)
    page.selectbox(key="phantom-site").set_value("elbow").run()
    assert not page.exception and "ulnar" in said(page)


def test_licences_name_what_is_open_and_what_is_not_stated(data: AppTest):
    page = at(data, "Licences")
    assert "2 scans state no licence" in page.warning[0].value
    table = page.dataframe[0].value
    assert dict(zip(table["Licence"], table["Open weights"], strict=True)) == {
        "CC0-1.0": "yes",
        "not stated": "no",
    }


def other(page: AppTest, path: str) -> AppTest:
    page.selectbox(key="data-set").set_value(data_sets.OTHER).run()
    page.text_input(key="data-path").set_value(path).run()
    assert not page.exception
    return page


def test_a_typed_manifest_is_shown(data: AppTest, tmp_path: Path):
    made = write_set(tmp_path / "mine", 4)
    assert other(data, str(made / "manifest.csv")).metric[0].value == "5"
    assert other(data, f' "{made}" ').metric[0].value == "5"


@pytest.mark.parametrize(
    "path", ["nowhere.csv", "\0", "~nobody-of-that-name/x", "x" * 5000, "data/README.md", "."]
)
def test_a_wrong_path_gets_one_sentence(data: AppTest, path: str):
    page = other(data, path)
    assert len(page.error) == 1 and page.error[0].value.endswith(".") and not page.metric


def test_a_missing_column_is_named(data: AppTest, tmp_path: Path):
    (tmp_path / "bad.csv").write_text("image,label\na.png,\n")
    page = other(data, str(tmp_path / "bad.csv"))
    assert "'group'" in page.error[0].value


def test_a_damaged_set_does_not_take_the_phantoms_away(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_phantom.SIZE", (96, 96))
    page = at(other(data, "nowhere.csv"), "Phantom simulator")
    assert len(page.error) == 1 and "mm deep" in said(page)


def test_paths_are_only_typed_at_this_computer(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_sets.local", lambda: False)
    data.run()
    assert data_sets.OTHER not in data.selectbox(key="data-set").options


def test_without_any_set_it_says_what_to_do(data: AppTest, folder: Path, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_sets.local", lambda: False)
    (folder / "manifest.csv").unlink()
    data.run()
    assert not data.exception and "python -m nerve_core samples" in data.info[0].value


def test_an_uploaded_list_takes_its_paths_from_the_folder(folder: Path):
    made = data_sets._uploaded("list.csv", (folder / "manifest.csv").read_bytes(), folder)
    assert [row["image"] for row in made.rows] == [row["image"] for row in read_manifest(folder)]
    assert {row["set"] for row in made.rows} == {"samples"}


def test_a_public_set_is_cited_in_its_own_words(data: AppTest, tmp_path: Path):
    page = at(other(data, str(write_set(tmp_path / "femoral"))), "Licences")
    assert "10.21037/atm.2019.08.61" in said(page).replace("\\", "")


def test_a_damaged_catalogue_leaves_the_licences(data: AppTest, monkeypatch):
    def damaged():
        raise DataError("The catalogue catalog.json cannot be read; restore the file.")

    monkeypatch.setattr("nerve_core.ui.data_licences.catalogue", damaged)
    page = at(data, "Licences")
    assert "catalog.json" in " ".join(each.value for each in page.warning) and not page.error
    assert len(page.dataframe) == 2
