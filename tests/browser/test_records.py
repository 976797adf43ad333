"""A scan is saved on Diagnose, found on the worklist by one click, and read; files leave as files."""

from __future__ import annotations

import io
import json

from openpyxl import load_workbook
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout


def idle(page: Page) -> None:
    page.wait_for_timeout(400)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def choose(page: Page, key: str, option: str) -> None:
    """Choose from a list; a run that ends just then closes the list, so it is opened again."""
    field = page.locator(f"[class*='{key}'] input").first
    wanted = page.get_by_role("option", name=option, exact=True).first
    for _ in range(5):
        field.click()
        try:
            wanted.click(timeout=4000)
            break
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
    expect(field).to_have_value(option)
    idle(page)


def test_a_scan_is_saved_found_and_read(page: Page, address: str, sample: bytes):
    page.locator("input[type=file]").set_input_files(
        {"name": "Jane-Doe.png", "mimeType": "image/png", "buffer": sample}
    )
    page.get_by_text("Save to the records").click()
    page.get_by_placeholder("A pseudonym, not the name").fill("P-browser")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_enabled()
    idle(page)
    choose(page, "st-key-keep-nerve", "median")
    choose(page, "st-key-keep-site", "wrist")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()

    page.get_by_role("link", name="Worklist").click()
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    grid = page.get_by_test_id("stDataFrame").locator("canvas").first
    expect(grid).to_be_visible()
    idle(page)
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 240, box["y"] + 55)  # the first row
    expect(page.get_by_role("heading", name="Patient")).to_be_visible()
    expect(page.get_by_text("Nobody has read this scan yet.")).to_be_visible()
    expect(page.get_by_text("Research use only").first).to_be_visible()

    page.locator("[class*='st-key-record-reading']").get_by_text("Uncertain").click()
    page.get_by_role("button", name="Save the reading").click()
    expect(page.get_by_text("Uncertain, local")).to_be_visible()
    with page.expect_download() as wanted:
        page.get_by_role("button", name="Report (FHIR R4)").click()
    report = json.loads(wanted.value.path().read_text())["entry"][0]["resource"]
    assert report["status"] == "final" and report["subject"]["identifier"]["value"] == "P-browser"
    assert "Jane" not in json.dumps(report)


def test_the_table_of_all_scans_leaves_as_excel(page: Page, sample: bytes):
    twice = [{"name": f"scan{k}.png", "mimeType": "image/png", "buffer": sample} for k in (1, 2)]
    page.locator("input[type=file]").set_input_files(twice)
    page.get_by_text("All scans as a table").click()
    page.get_by_role("button", name="Make the table").click()
    with page.expect_download() as wanted:
        page.get_by_role("button", name="Table (Excel)").click()
    sheet = load_workbook(io.BytesIO(wanted.value.path().read_bytes()))["scans"]
    assert {cell.value for cell in sheet["A"][1:]} == {"1", "2"}
