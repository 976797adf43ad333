"""Counterfactuals, the sensitivity table and the page to take away."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from nerve_core.data import samples
from nerve_core.errors import DataError
from nerve_core.explain import counterfactual
from nerve_core.explain.counterfactual import change_nerve, known_original
from nerve_core.explain.report import COLOUR_MAPS, Page, close_up, overlay, page
from nerve_core.explain.sensitivity import Row, said, sensitivity
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.contours import Selection, outline
from nerve_core.inference.prediction import Nerve, Prediction, verdict_of
from tests.explain.conftest import nerve, scan


@pytest.mark.parametrize("size", [0.6, 1.5, 2.0])
def test_the_area_becomes_what_was_asked(size: float) -> None:
    made = change_nerve(scan(), nerve(), size)
    assert made.size == pytest.approx(size, rel=0.12)
    assert made.mask.sum() == pytest.approx(made.size * nerve().sum())


@pytest.mark.parametrize("echo", [-40, 40])
def test_the_nerve_alone_becomes_darker_or_brighter(echo: int) -> None:
    made = change_nerve(scan(), nerve(), echo=echo)
    gap = made.pixels.astype(float) - scan()
    inner = cv2.erode(nerve(), np.ones((9, 9))) > 0
    assert gap[inner].mean() == pytest.approx(echo, rel=0.35)
    assert abs(gap[cv2.dilate(nerve(), np.ones((41, 41))) == 0].mean()) < 1
    assert np.array_equal(made.mask, nerve())


def test_nothing_asked_changes_nothing() -> None:
    made = change_nerve(scan(), nerve())
    assert np.array_equal(made.pixels, scan()) and np.array_equal(made.mask, nerve())


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(DataError, match="Ask for an area"):
        change_nerve(scan(), nerve(), 9)
    tiny = np.zeros_like(nerve())
    tiny[5, 5:8] = 1
    with pytest.raises(DataError, match="3 px in area, too small"):
        change_nerve(scan(), tiny, 1.5)


@pytest.mark.parametrize("form", ["png", "capture"])
def test_the_known_original_of_a_sample(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    recipe = samples.Recipe(3, "wrist", 0.8, form, (192, 224))
    monkeypatch.setattr(counterfactual, "RECIPES", (recipe,))
    after, mask_after = counterfactual._drawn(recipe, 0, True)
    found = known_original(f"{recipe.stem}.png", 0, after)
    assert found is not None and found.pixels.shape == after.shape and found.severity == 0.8
    assert np.array_equal(found.mask_after, mask_after)
    assert (
        not np.array_equal(found.pixels, after) and found.mask.sum() < found.mask_after.sum()
    )  # it was swollen
    away = cv2.dilate(mask_after | found.mask, np.ones((61, 61))) == 0
    gap = np.abs(found.pixels.astype(float) - after)
    assert gap[away].mean() < 0.4 * gap[mask_after > 0].mean()  # the same anatomy around
    assert known_original(f"{recipe.stem}.png", 0, 255 - after) is None
    assert known_original("holiday.png") is None


class Circles:
    """Finds one circle; calls it affected where the scan is bright."""

    preprocess = Preprocess()
    selection = Selection()

    def p_affected(self, pixels: np.ndarray, mask: np.ndarray) -> float:
        return float(np.clip(pixels[mask > 0].mean() / 255, 0, 1))

    def predict(self, scan: Scan, click=None, preprocess=None, gate=True) -> Prediction:
        mask = (cv2.GaussianBlur(scan.pixels, (0, 0), 2) > 100).astype(np.uint8)
        if not mask.any():
            return Prediction(np.float32(mask), mask, (), "no nerve found", None, "m")
        p = self.p_affected(scan.pixels, mask)
        if preprocess is not None and preprocess.clahe_clip:
            p = 0.1
        found = Nerve(outline(mask), (0.0, 0.0), float(mask.sum()), None, 1.0, p)
        return Prediction(np.float32(mask), 255 * mask, (found,), verdict_of(p), p, "m")


def test_each_change_is_judged_alone() -> None:
    pixels = np.full((120, 160), 40, np.uint8)
    cv2.circle(pixels, (70, 60), 20, 200, -1)
    whole = Scan(pixels, n_frames=3, frame=1)
    found = Circles().predict(whole)
    blank = Scan(np.full((120, 160), 40, np.uint8))
    steps: list[tuple[int, int]] = []
    rows = sensitivity(
        Circles(), whole, found, found.nerves[0], frames={-1: replace(whole), 1: blank},
        progress=lambda done, of: steps.append((done, of)),
    )  # fmt: skip
    by_name = {row.change: row for row in rows}
    assert {row.group for row in rows} == {"outline", "picture", "processing", "frame"}
    assert steps[-1] == (len(rows), len(rows))
    assert by_name["Mirror image"].shift == pytest.approx(0, abs=1e-3) and not by_name["Mirror image"].turned
    assert by_name["Frame 1 earlier"].shift == pytest.approx(0, abs=1e-6)
    assert by_name["Frame 1 later"].p_affected is None and by_name["Frame 1 later"].turned
    clahe = by_name["Local contrast (CLAHE, clip limit 2)"]
    assert clahe.p_affected == 0.1 and clahe.turned and clahe.verdict == "unaffected"
    wider = next(row for name, row in by_name.items() if "wider" in name)
    assert wider.shift < -0.02  # dark tissue comes in
    assert "2 of" in said(rows) or "3 of" in said(rows)


def test_a_firm_verdict_is_said_to_be_firm() -> None:
    rows = [Row("outline", "Wider", 0.9, "affected", 0.02, False)]
    assert said(rows).startswith("None of 1 small changes turns this verdict")
    assert "by 2 points of a hundred" in said(rows)


def test_where_there_is_no_heat_the_scan_is_seen() -> None:
    heat = np.zeros(scan().shape, np.float32)
    assert np.array_equal(overlay(scan(), heat), np.repeat(scan()[..., None], 3, 2))
    heat[10, 10] = 1
    for colours in COLOUR_MAPS:
        assert overlay(scan(), heat, colours).shape == (*scan().shape, 3)
    rows, columns = close_up(nerve())
    assert nerve()[rows, columns].sum() == nerve().sum()


@pytest.mark.parametrize(("form", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_one_page_to_take_away(form: str, start: bytes) -> None:
    rows = [Row("outline", f"Change {k}", 0.5, "uncertain", 0.1, True) for k in range(16)]
    content = Page(
        "Looks affected (81 %)", ["one", "two"], scan(), outline(nerve()), np.float32(nerve()), "Most.",
        "3 times.", [*rows, Row("frame", "None", None, "no nerve found", None, True)],
    )  # fmt: skip
    made = page(content, form)
    assert made.startswith(start) and made == page(content, form)
    if form == "pdf":
        assert made.count(b"/Type /Page ") + made.count(b"/Type /Page\n") == 1
    with pytest.raises(ValueError, match="pdf or png"):
        page(content, "doc")
