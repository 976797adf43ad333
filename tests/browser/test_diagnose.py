"""What a clinician does, in a real browser with the real model."""

from __future__ import annotations

import io
import json
import re

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from nerve_core.ui.words import HEADLINES, NOTICE

VERDICT = re.compile("|".join(HEADLINES.values()))


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    )


def verdict(page: Page) -> Locator:
    return page.locator("[class*='st-key-verdict-'] h3")


def overlay(page: Page) -> Locator:
    return page.locator("svg.overlay")


def test_upload_gives_a_verdict_with_outline_and_notice(page: Page, sample: bytes):
    upload(page, ("scan.png", sample))
    expect(verdict(page)).to_have_text(VERDICT)
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    expect(overlay(page).locator("image")).to_have_count(1)


def test_click_points_at_the_nerve_and_a_second_click_undoes_it(page: Page, sample: bytes):
    upload(page, ("scan.png", sample))
    expect(verdict(page)).to_have_text(VERDICT)
    width, height = Image.open(io.BytesIO(sample)).size
    box = overlay(page).bounding_box()
    at = {"x": box["width"] * 0.25, "y": box["height"] * 0.75}
    overlay(page).click(position=at)
    said = page.get_by_text("Pointed at x ")
    expect(said).to_be_visible()
    x, y = map(int, re.findall(r"(\d+) px", said.text_content()))
    assert x == pytest.approx(width * 0.25, abs=2) and y == pytest.approx(height * 0.75, abs=2)
    expect(overlay(page).locator("[data-point]")).to_have_count(1)
    overlay(page).click(position=at)
    expect(said).to_have_count(0)
    expect(overlay(page).locator("[data-point]")).to_have_count(0)


def test_pointing_works_from_the_keyboard(page: Page, sample: bytes):
    upload(page, ("scan.png", sample))
    expect(verdict(page)).to_have_text(VERDICT)
    overlay(page).focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("Pointed at x ")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Pointed at x ")).to_have_count(0)


def test_outline_filled_and_off_are_drawn_without_the_server(page: Page, sample: bytes):
    upload(page, ("scan.png", sample))
    expect(verdict(page)).to_have_text(VERDICT)
    overlay(page).click()  # whatever the model finds alone, it outlines something where it is pointed
    expect(page.get_by_text("Pointed at x ")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Filled").click()
    filled = overlay(page).locator("path[fill-opacity]")
    page.locator("input.opacity").fill("80")
    assert filled.count() == 0 or filled.first.get_attribute("fill-opacity") == "0.8"
    page.get_by_role("button", name="Off").click()
    expect(filled).to_have_count(0)


def test_of_two_files_the_bad_one_gets_a_sentence_and_the_good_one_a_verdict(page: Page, sample: bytes):
    upload(page, ("notes.png", b"a text file"), ("scan.png", sample))
    expect(page.get_by_role("alert")).to_be_visible()
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    table.click(position={"x": 120, "y": 35 + 35 + 17})  # the second row
    expect(verdict(page)).to_have_text(VERDICT)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_loop_has_a_frame_slider(page: Page, sample: bytes):
    first = Image.open(io.BytesIO(sample)).convert("L")
    stream = io.BytesIO()
    first.save(
        stream, "TIFF", save_all=True, append_images=[first.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    )
    upload(page, ("loop.tiff", stream.getvalue()))
    expect(verdict(page)).to_have_text(VERDICT)
    before = overlay(page).locator("image").get_attribute("href")
    page.get_by_role("slider", name="Frame, of 2").focus()
    page.keyboard.press("ArrowRight")
    expect(overlay(page).locator("image")).not_to_have_attribute("href", before)
    expect(verdict(page)).to_have_text(VERDICT)


def test_result_can_be_taken_away_as_json(page: Page, sample: bytes):
    upload(page, ("scan.png", sample))
    expect(verdict(page)).to_have_text(VERDICT)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Result (JSON)").click()
    answer = json.loads(waiting.value.path().read_text())
    assert HEADLINES[answer["verdict"]] in verdict(page).text_content()
    assert answer["file"] == "scan.png" and waiting.value.suggested_filename == "scan.json"


def test_every_page_opens_on_a_phone_without_error_or_sideways_scrolling(page: Page, address: str):
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("", "diagnose", "about"):
        page.goto(f"{address}/{path}")
        expect(page.locator("h1").first).to_be_visible()
        expect(page.get_by_text(NOTICE).first).to_be_visible()
        assert page.get_by_role("alert").count() == 0 and not faults
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
