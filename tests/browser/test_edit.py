"""Correcting an outline as a clinician does, in a real browser with the real model, on a calibrated scan."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from nerve_core.clinical import shape
from nerve_core.data.samples import list_samples
from nerve_core.imaging.read import open_scan
from nerve_core.ui.edit import CORRECT
from tests.browser.test_diagnose import upload, verdict

CALIBRATED = next(each for each in list_samples() if each.path.name.endswith("-dicom.dcm"))
CORRECTED = "Outline corrected by hand."


@pytest.fixture
def editor(page: Page) -> Page:
    page.set_viewport_size({"width": 1400, "height": 1500})  # everything in sight: nothing has to scroll
    upload(page, (CALIBRATED.path.name, CALIBRATED.path.read_bytes()))
    expect(verdict(page)).to_be_visible()
    page.get_by_role("radio", name=CORRECT).click()
    expect(page.locator(".chip").first).to_be_visible()
    settle(page)
    page.wait_for_timeout(500)  # what stands above it may still shrink
    return page


def settle(page: Page) -> None:
    """Wait until the server has judged what is drawn."""
    page.wait_for_timeout(100)
    expect(page.locator(".chip .waiting")).to_have_count(0)


def chip(page: Page) -> Locator:
    return page.locator(".chip[aria-pressed=true]")


def size(page: Page) -> float:
    return float(chip(page).get_attribute("data-area"))


def point(page: Page, number: int) -> tuple[float, float]:
    """Middle of a point on the screen."""
    box = page.locator(".handles circle").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def middle(page: Page) -> tuple[float, float]:
    """Middle of the chosen outline on the screen."""
    box = page.locator(".line.chosen").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], by: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + by[0], start[1] + by[1], steps=5)
    page.mouse.up()


def outwards(page: Page, number: int, far: float) -> tuple[float, float]:
    (x, y), (u, v) = point(page, number), middle(page)
    away = ((x - u) ** 2 + (y - v) ** 2) ** 0.5
    return (x - u) / away * far, (y - v) / away * far


def by_hand(page: Page) -> float:
    """mm² of the outline as it is drawn on the screen, reckoned here from the file's own scale."""
    path = page.locator(".line.chosen").get_attribute("d")
    points = [tuple(map(float, pair.split())) for pair in path.strip("MZ").split("L")]
    scan = open_scan(CALIBRATED.path.read_bytes(), name="a.dcm").scan(0)
    x, y = points[0]
    down, across = scan.spacing_at(y, x)
    return shape.area([(a * across, b * down) for a, b in points])


def test_a_dragged_point_changes_the_square_millimetres_and_undo_brings_them_back(editor: Page):
    before, said = size(editor), verdict(editor).text_content()
    assert before == pytest.approx(by_hand(editor), rel=2e-3)
    drag(editor, point(editor, 2), outwards(editor, 2, 25))
    settle(editor)
    after = size(editor)
    assert after > before * 1.01 and after == pytest.approx(by_hand(editor), rel=2e-3)
    expect(editor.get_by_text(CORRECTED)).to_be_visible()
    expect(editor.get_by_role("cell", name=f"{after:.1f} mm²").first).to_be_visible()
    number = chip(editor).locator("b").text_content()
    word = chip(editor).locator(".word").text_content()
    row = editor.locator("tr", has=editor.get_by_role("cell", name=number, exact=True))
    assert (
        re.search(r"\d+ %", word).group() in row.first.text_content()
    )  # what the server said of this outline
    editor.keyboard.press("Control+z")
    settle(editor)
    assert size(editor) == before
    expect(editor.get_by_text(CORRECTED)).to_have_count(0)
    expect(verdict(editor)).to_have_text(said)
    editor.keyboard.press("Control+y")
    settle(editor)
    assert size(editor) == pytest.approx(after, abs=1e-3)
    editor.get_by_role("button", name="Model's outline").click()
    settle(editor)
    assert size(editor) == before


def test_the_brush_adds_the_eraser_takes_away_and_a_nerve_is_traced_and_deleted(editor: Page):
    count, before = editor.locator(".chip").count(), size(editor)
    edge = point(editor, 3)
    out = outwards(editor, 3, 12)
    editor.get_by_role("button", name="Brush").click()
    drag(editor, edge, out)
    settle(editor)
    painted = size(editor)
    assert painted > before * 1.005
    editor.get_by_role("button", name="Erase").click()
    drag(editor, (edge[0] + 2 * out[0], edge[1] + 2 * out[1]), (-3 * out[0], -3 * out[1]))
    settle(editor)
    assert size(editor) < painted * 0.995 and editor.locator(".chip").count() == count
    editor.get_by_role("button", name="Trace").click()
    box = editor.locator(".editor svg.scan").bounding_box()
    x, y = box["x"] + box["width"] * 0.12, box["y"] + box["height"] * 0.2
    for dx, dy in ((0, 0), (70, 5), (75, 60), (5, 55)):
        editor.mouse.click(x + dx, y + dy)
        editor.wait_for_timeout(150)
    editor.get_by_role("button", name="Close the outline").click()
    settle(editor)
    expect(editor.locator(".chip")).to_have_count(count + 1)
    expect(chip(editor)).to_contain_text("not outlined by the model")
    editor.get_by_role("button", name="Delete this nerve").click()
    settle(editor)
    expect(editor.locator(".chip")).to_have_count(count)


def test_points_are_reached_moved_and_removed_by_keyboard(editor: Page):
    before, count = size(editor), editor.locator(".handles circle").count()
    editor.locator(".editor svg.scan").focus()
    editor.keyboard.press("Tab")
    expect(editor.locator(".handles circle").first).to_be_focused()
    for _ in range(3):
        editor.keyboard.press("Shift+ArrowLeft")
    settle(editor)
    moved = size(editor)
    assert moved != before and moved == pytest.approx(by_hand(editor), rel=2e-3)
    expect(editor.locator(".handles circle").first).to_be_focused()
    editor.keyboard.press("a")
    expect(editor.locator(".handles circle")).to_have_count(count + 1)
    assert size(editor) == pytest.approx(moved, rel=1e-6)  # a point more changes no shape
    editor.keyboard.press("Delete")
    expect(editor.locator(".handles circle")).to_have_count(count)
    settle(editor)
    for _ in range(2):  # the removal; the three quick moves are one step
        editor.keyboard.press("Control+z")
    settle(editor)
    assert size(editor) == before


def test_a_finger_drags_a_point_on_a_phone_without_moving_the_page(editor: Page):
    editor.set_viewport_size({"width": 390, "height": 844})
    editor.locator(".editor svg.scan").evaluate("picture => picture.scrollIntoView({block: 'center'})")
    editor.wait_for_timeout(800)
    assert editor.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    before, at, by = size(editor), point(editor, 1), outwards(editor, 1, 30)
    page_at = "document.querySelector('[data-testid=stMain]').scrollTop"
    scrolled = editor.evaluate(page_at)
    fingers = editor.context.new_cdp_session(editor)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        touched = [{"x": x, "y": y} for x, y in places]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})

    touch("touchStart", at)
    for part in (0.3, 0.6, 1):
        touch("touchMove", (at[0] + part * by[0], at[1] + part * by[1]))
    expect(editor.locator("svg.lens")).to_be_visible()
    touch("touchEnd")
    settle(editor)
    assert size(editor) > before * 1.01 and editor.evaluate(page_at) == scrolled
    expect(editor.locator("svg.lens")).to_be_hidden()
