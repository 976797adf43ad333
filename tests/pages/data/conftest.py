"""A small set with known contents, and the Data page opened on it."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nerve_core.ui import data_sets
from tests.pages.conftest import png, texts

CIRCLE = cv2.circle(np.zeros((160, 200), np.uint8), (100, 70), 20, 255, -1)


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


def other(page: AppTest, path: str) -> AppTest:
    page.selectbox(key="data-set").set_value(data_sets.OTHER).run()
    page.text_input(key="data-path").set_value(path).run()
    assert not page.exception
    return page
