"""The Data page: what it shows of a set, and what it says when the set is not as hoped."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.data.manifest import read_manifest
from nerve_core.errors import DataError
from nerve_core.ui import data_scan, data_sets
from nerve_core.ui.data_plots import CHARTS
from tests.pages.conftest import png, texts

CIRCLE = cv2.circle(np.zeros((160, 200), np.uint8), (100, 70), 20, 255, -1)
SECTIONS = (
    "Overview",
    "Images",
    "Distributions",
    "Split and leakage",
    "Pathology simulator",
    "Phantom simulator",
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


def test_a_scan_opens_large_and_goes_on_to_diagnose(data: AppTest, known):
    page = at(data, "Images")
    page.session_state[data_scan.ASKED] = 1
    page.run()
    shown = said(page)
    assert "scan 2 of 7" in shown and "mm²" in shown and "grey levels" in shown and "<b>" not in shown
    page.session_state[data_scan.ASKED] = 1
    page.run()
    (button,) = [each for each in page.button if each.label == "Open in Diagnose"]
    known.calls.clear()
    button.click()
    page.session_state[data_scan.ASKED] = 1
    page.run()
    assert not page.exception and page.title[0].value == "Diagnose"
    assert known.calls[-1][0].name == "1.png"


def test_a_scan_that_cannot_be_read_says_so_when_opened(data: AppTest):
    data.session_state[data_scan.ASKED] = 6
    data.run()
    assert not data.exception and data.error[0].value.startswith("The file is not a picture")


def test_distributions_state_their_number_and_what_is_left_out(data: AppTest):
    page = at(data, "Distributions")
    assert "n = 6 scans" in said(page) and "1 scans could not be measured" in page.warning[0].value
    table = page.dataframe[0].value
    assert table["Scans (n)"].sum() == 6 and (table["Median"] > 0).all()


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "Size"])
def test_every_distribution_is_drawn(data: AppTest, folder: Path, name: str):
    page = at(data, "Distributions")
    page.session_state[f"data-chart-{data_sets._read('', folder).mark}"] = name
    page.run()
    assert not page.exception and CHARTS[name].y_title in set(page.dataframe[0].value["Quantity"])


def test_a_large_set_is_measured_and_checked_only_when_asked(data: AppTest, monkeypatch):
    monkeypatch.setattr("nerve_core.ui.data_plots.AT_ONCE", 3)
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
    assert "before" in said(page) and "px²" in said(page)
    page.multiselect(key="pathology-kinds").set_value([]).run()
    assert any("at least one kind" in info.value for info in page.info)


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
