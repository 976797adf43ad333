"""Numbers of scans: known answers on drawn pictures, and one sentence for what cannot be measured."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from nerve_core.data import statistics
from nerve_core.data.manifest import read_manifest
from nerve_core.data.statistics import ScanNumbers, measure, measure_row, measure_rows, spacing_of, spread
from nerve_core.errors import DataError
from nerve_core.imaging.scan import CalibratedRegion, Scan

REGION = (10, 20, 110, 220)


def square() -> tuple[np.ndarray, np.ndarray]:
    """Grey 50 tissue with a nerve of grey 120, 20 × 10 px, its centre at x 69.5, y 34.5."""
    pixels = np.full((120, 240), 50, np.uint8)
    mask = np.zeros(pixels.shape, bool)
    mask[30:40, 60:80] = True
    pixels[mask] = 120
    return pixels, mask


def test_known_answers_on_a_square_nerve() -> None:
    pixels, mask = square()
    found = measure(Scan(pixels, region=REGION), mask)
    assert (found.width_px, found.height_px, found.nerves, found.area_px) == (240, 120, 1, 200)
    assert found.area_share == pytest.approx(200 / (100 * 200))
    assert found.x_share == pytest.approx((70 - 20) / 200)
    assert found.depth_share == pytest.approx((35 - 10) / 100)
    assert (found.echo_inside, found.echo_ring) == (120, 50)
    assert found.area_mm2 is None and found.depth_mm is None


def test_millimetres_come_from_the_scan_before_the_manifest() -> None:
    pixels, mask = square()
    stated = measure(Scan(pixels, region=REGION), mask, (0.2, 0.1))
    assert stated.area_mm2 == pytest.approx(4.0) and stated.depth_mm == pytest.approx(5.0)
    own = Scan(pixels, region=REGION, calibrated=(CalibratedRegion(REGION, (0.4, 0.1)),))
    assert measure(own, mask, (0.2, 0.1)).depth_mm == pytest.approx(10.0)


def test_position_is_that_of_the_largest_nerve_and_area_of_all() -> None:
    pixels, mask = square()
    mask[100:103, 200:203] = True
    found = measure(Scan(pixels, region=REGION), mask)
    assert found.nerves == 2 and found.area_px == 209 and found.x_share == pytest.approx(0.25)


@pytest.mark.parametrize("mask", [None, np.zeros((120, 240), bool)])
def test_without_a_contour_only_the_picture_is_described(mask: np.ndarray | None) -> None:
    found = measure(Scan(square()[0], region=REGION), mask)
    assert found.nerves == 0 and found.area_share is None and found.echo_inside is None
    assert found.width_px == 240 and found.echo_region > 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", None), ("0.1", (0.1, 0.1)), ("0.1 0.2", (0.1, 0.2)), ("[0.1, 0.2]", (0.1, 0.2))],
)
def test_spacing_of_a_row(text: str, expected: tuple[float, float] | None) -> None:
    assert spacing_of({"spacing_mm": text}) == expected


@pytest.mark.parametrize("text", ["fine", "-1", "0", "1 2 3", "nan", "250"])
def test_spacing_that_is_no_scale_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="mm per px"):
        spacing_of({"spacing_mm": text})


@pytest.fixture
def row(tmp_path: Path) -> dict[str, str]:
    noise = np.random.default_rng(0).normal(90, 40, (160, 200)).clip(5, 250).astype(np.uint8)
    image, mask = str(tmp_path / "scan.png"), str(tmp_path / "mask.png")
    cv2.imwrite(image, cv2.GaussianBlur(noise, (0, 0), 1.0))
    cv2.imwrite(mask, cv2.circle(np.zeros((160, 200), np.uint8), (100, 70), 20, 255, -1))
    return {"image": image, "mask": mask, "group": "a", "label": ""}


def test_what_cannot_be_measured_says_why_and_the_others_are_measured(row: dict[str, str], tmp_path: Path):
    (tmp_path / "notes.png").write_text("no picture")
    rows = [
        row,
        row | {"image": str(tmp_path / "gone.png")},
        row | {"image": str(tmp_path / "notes.png")},
        row | {"mask": str(tmp_path / "gone.png")},
        row | {"spacing_mm": "wide"},
    ]
    found = measure_rows(rows)
    assert found[0].problem == "" and found[0].nerves == 1
    assert all(each.problem.endswith(".") and str(tmp_path) not in each.problem for each in found[1:])


def test_a_scan_is_read_once_until_it_changes(row: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    reads, steps = [], []
    monkeypatch.setattr(statistics, "measure_row", lambda each: reads.append(each) or ScanNumbers())
    known: dict = {}
    measure_rows([row, row], known, lambda done, of: steps.append((done, of)))
    measure_rows([row], known)
    assert len(reads) == 1 and steps == [(0, 2)]
    os.utime(row["mask"], ns=(1, 1))
    measure_rows([row], known)
    assert len(reads) == 2


def test_a_loop_is_measured_in_its_middle_frame(row: dict[str, str], tmp_path: Path) -> None:
    first = Image.open(row["image"])
    loop, masks = tmp_path / "loop.tif", tmp_path / "masks.tif"
    first.save(loop, save_all=True, append_images=[first, first])
    pages = [Image.fromarray(np.full((160, 200), 0, np.uint8)) for _ in range(3)]
    pages[1].paste(255, (50, 50, 60, 70))
    pages[0].save(masks, save_all=True, append_images=pages[1:])
    found = measure_row({"image": str(loop), "mask": str(masks)})
    assert (found.problem, found.frame, found.n_frames, found.area_px) == ("", 1, 3, 200)
    short = measure_row({"image": str(loop), "mask": row["mask"]})
    assert "page" in short.problem


def test_every_shipped_sample_can_be_measured() -> None:
    from nerve_core.config import ROOT

    rows = read_manifest(ROOT / "data" / "samples")
    table = statistics.frame_of(rows, measure_rows(rows))
    assert not table["problem"].any() and (table["nerves"] > 0).all()
    assert table["area_mm2"].between(1, 200).all() and table["depth_mm"].between(1, 45).all()
    assert table["x_share"].between(0, 1).all() and set(table["site"]) >= {"wrist", "neck"}


def test_spread_is_even_and_whole_where_it_fits() -> None:
    rows = [{"image": str(n)} for n in range(101)]
    assert spread(rows, 3) == [0, 50, 100] and spread(rows, 101) == list(range(101))
